// What a store keeps beside the images: records, defaults, the journal of a rename; and the kernel's files of
// reservations. Any of them may be torn, or somebody's own.
#include <filesystem>
#include <fstream>

#include "fuzz/input.h"
#include "lio/registrations.h"
#include "support/temporary_directory.h"
#include "sys/error.h"
#include "volume/catalog.h"
#include "volume/record.h"

namespace {

using namespace tcmufs;
namespace fs = std::filesystem;

void write(const fs::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

void parse_record(const std::string& text) {
  try {
    const auto record = volume::Record::parse(text, "records/db0");
    fuzz::require(volume::Record::parse(record.text(), "records/db0") == record,
                  "a record is what it was written as");
  } catch (const Failure& failure) {
    fuzz::require(failure.error() == EBADMSG, "a record that cannot be read is EBADMSG");
  }
  try {
    const auto settings = volume::parse_defaults(text, "defaults");
    fuzz::require(volume::parse_defaults(volume::defaults_text(settings), "defaults") == settings,
                  "defaults are what they were written as");
  } catch (const Failure& failure) {
    fuzz::require(failure.error() == EBADMSG, "defaults that cannot be read are EBADMSG");
  }
}

void parse_reservations(const std::string& text) {
  for (const auto& registration : lio::parse_registrations(text).registrations)
    fuzz::require(registration.metadata().find('\n') == std::string::npos, "one write is one line");
}

/// A store with an image, a directory and the text as one of its files. It starts, or says why not; nothing
/// outside of it is touched, and no image is lost.
void load_store(const std::string& text, const std::string& file) {
  const test::TemporaryDirectory parent("/dev/shm");
  const fs::path beside = parent / "beside";
  const fs::path store = parent / "store";
  fs::create_directories(store / ".tcmufs/records/dir");
  fs::create_directories(store / "dir");
  write(beside, "not ours");
  write(store / "a", "image");
  write(store / "dir/b", "another");
  write(store / ".tcmufs" / file, text);
  try {
    volume::Catalog catalog(store.string());
    std::vector<std::string> skipped;
    static_cast<void>(catalog.load(skipped));
  } catch (const Failure& failure) {
    fuzz::require(!std::string(failure.what()).empty(), "a refusal has words");
  }
  fuzz::require(fs::file_size(beside) == 8, "what is beside the store is untouched");
  u64 images = 0;
  for (const auto& entry : fs::recursive_directory_iterator(store)) {
    const std::string below = fs::relative(entry.path(), store).string();
    if (!below.starts_with(".tcmufs") && entry.is_regular_file()) images += entry.file_size();
  }
  fuzz::require(images == 12, "no image is lost");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  const u8 kind = input.byte() % 8;
  const std::string text = input.rest();
  switch (kind) {
    case 0:
      load_store(text, "rename");
      break;
    case 1:
      load_store(text, "records/a");
      break;
    case 2:
      load_store(text, "uuid");
      break;
    case 3:
    case 4:
      parse_reservations(text);
      break;
    default:
      parse_record(text);
      break;
  }
  return 0;
}
