#include "device/checked_options.h"

#include <algorithm>
#include <filesystem>

#include "device/errors.h"
#include "device/hash.h"
#include "sys/text_file.h"

namespace tcmufs::device {

namespace {

constexpr unsigned thread_limit = 64;
constexpr std::size_t name_limit = 255;

void check_text(const std::string& what, const std::string& text, std::size_t limit) {
  const bool printable = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7f; });
  if (printable && text.size() <= limit) return;
  refuse("the " + what + " of a device cannot be " + quoted(text),
         "Use at most " + std::to_string(limit) + " printable ASCII characters");
}

}  // namespace

std::string whole_path(const std::string& directory) {
  if (directory.empty()) refuse("a device must have a directory", "Use one such as '/dev/NAME'");
  std::error_code error;
  std::string path = std::filesystem::weakly_canonical(std::filesystem::absolute(directory), error).string();
  if (error) throw Failure(error.value(), "cannot find the directory " + quoted(directory));
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

std::string machine_id() {
  try {
    return read_line("/etc/machine-id");
  } catch (const Failure&) {
    return {};
  }
}

Uuid uuid_of(const std::string& whole_directory, const std::string& name, const std::string& machine) {
  Uuid uuid{hash_of(machine + "\n" + whole_directory + "\n" + name)};
  uuid.bytes[6] = static_cast<u8>((uuid.bytes[6] & 0x0f) | 0x80);  // RFC 9562: version 8
  uuid.bytes[8] = static_cast<u8>((uuid.bytes[8] & 0x3f) | 0x80);
  return uuid;
}

void check_name(const std::string& name) {
  if (name.empty() || name.size() > name_limit || name == "." || name == ".." ||
      name.find('/') != std::string::npos || name.find('\0') != std::string::npos) {
    refuse("a device cannot have the name " + quoted(name), "Use the name of a file, without '/'");
  }
}

void check_threads(unsigned threads) {
  if (threads >= 1 && threads <= thread_limit) return;
  refuse("a device cannot have " + std::to_string(threads) + " threads",
         "Use 1 to " + std::to_string(thread_limit));
}

void check_options(const DeviceOptions& options) {
  check_name(options.name);
  check_text("vendor", options.vendor, 8);
  check_text("product", options.product, 16);
  check_text("revision", options.revision, 4);
  check_text("serial number", options.serial, 32);
  check_threads(options.threads);
  if (options.target && options.target->authority() != 5) {
    refuse("a target cannot have the name " + quoted(options.target->text()), "Use one of NAA 5");
  }
  if (options.command_timeout.count() < 0 || options.command_timeout > std::chrono::hours(24)) {
    refuse("the command timeout of " + quoted(options.name) + " is out of range", "Use up to a day");
  }
}

u64 size_of(const DeviceOptions& options, u64 store_size) {
  const u64 size = options.size != 0 ? options.size : store_size;
  if (size == 0) refuse("the device " + quoted(options.name) + " has no size", "Say one in its options");
  if (store_size != 0 && size > store_size) {
    refuse("the device " + quoted(options.name) + " of " + std::to_string(size) +
               " bytes does not fit into its store of " + std::to_string(store_size),
           "Leave the size to the store");
  }
  return size;
}

}  // namespace tcmufs::device
