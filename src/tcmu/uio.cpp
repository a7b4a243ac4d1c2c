#include "tcmu/uio.h"

#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <filesystem>
#include <optional>
#include <system_error>

#include "sys/error.h"
#include "sys/integers.h"
#include "sys/text_file.h"

namespace tcmufs::tcmu {

namespace {

namespace fs = std::filesystem;

std::string name_of(const fs::path& device) {
  try {
    return read_line(device / "name");
  } catch (const Failure&) {
    return {};  // it went away while we looked
  }
}

/// The directory of the device below sysfs; empty if there is none.
fs::path find_device(const fs::path& devices, const std::string& name) {
  std::error_code error;
  for (fs::directory_iterator at(devices, error), end; !error && at != end; at.increment(error)) {
    if (at->path().filename().native().starts_with("uio") && name_of(at->path()) == name) return at->path();
  }
  return {};
}

std::size_t map_size(const fs::path& device) {
  const std::string path = device / "maps/map0/size";
  const std::string text = read_line(path);
  std::size_t size = 0;
  const bool prefixed = text.starts_with("0x");
  const char* const end = text.data() + text.size();
  const auto parsed = std::from_chars(text.data() + (prefixed ? 2 : 0), end, size, 16);
  if (!prefixed || parsed.ec != std::errc() || parsed.ptr != end || size == 0) {
    throw Failure(EPROTO, "the size of the command ring's mapping, " + quoted(text) + " in " + quoted(path) +
                              ", is not a hexadecimal number");
  }
  return size;
}

struct Opened {
  Fd fd;
  std::size_t map_bytes = 0;
  std::string node;
};

/// One attempt. The number of a uio device is used again: what was opened must still have the name.
Opened open_device(const fs::path& devices, const std::string& name, const std::string& dev) {
  const fs::path device = find_device(devices, name);
  if (device.empty()) throw Failure(ENODEV, "there is no uio device of the name " + quoted(name));
  Opened opened;
  opened.node = dev + "/" + device.filename().native();
  opened.fd = open_file(opened.node, O_RDWR | O_NONBLOCK);
  opened.map_bytes = map_size(device);
  if (name_of(device) != name) throw Failure(ENODEV, "the uio device " + quoted(name) + " has gone");
  return opened;
}

bool may_pass(int error) {
  return error == ENODEV || error == ENOENT || error == ENXIO || error == EBUSY || error == EIO;
}

[[noreturn]] void give_up(const Failure& last, const std::string& name) {
  if (last.error() == EBUSY) {
    throw Failure(EBUSY, "the uio device " + quoted(name) + " is in use by another process");
  }
  if (last.error() == ENODEV) throw last;
  throw Failure(ETIMEDOUT,
                std::string(last.what()) + "; the uio device " + quoted(name) + " did not become ready");
}

Opened open_by_name(const std::string& name, const Deadline& deadline, const std::string& sysfs,
                    const std::string& dev) {
  Opened opened;
  std::optional<Failure> last;
  const bool done = poll_until(deadline, [&] {
    try {
      opened = open_device(fs::path(sysfs) / "class/uio", name, dev);
      return true;
    } catch (const Failure& failure) {
      if (!may_pass(failure.error())) throw;
      last = failure;
      return false;
    }
  });
  if (!done) give_up(*last, name);
  return opened;
}

}  // namespace

Uio::Uio(const std::string& name, const Deadline& deadline, const std::string& sysfs,
         const std::string& dev) {
  Opened opened = open_by_name(name, deadline, sysfs, dev);
  mapping_ = Mapping(opened.fd.number(), opened.map_bytes, opened.node);
  fd_ = std::move(opened.fd);
}

bool Uio::acknowledge() noexcept {
  u32 events = 0;
  const ssize_t n = ::read(fd_.number(), &events, sizeof events);
  return n >= 0 || errno == EAGAIN || errno == EINTR;
}

bool Uio::notify() noexcept {
  const u32 any = 0;
  ssize_t n = 0;
  do {
    n = ::write(fd_.number(), &any, sizeof any);
  } while (n < 0 && errno == EINTR);
  return n >= 0;
}

}  // namespace tcmufs::tcmu
