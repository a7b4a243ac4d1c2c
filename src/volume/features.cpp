#include "volume/features.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "sys/error.h"
#include "sys/fd.h"
#include "volume/async_io.h"
#include "volume/file_engine.h"
#include "volume/pace.h"
#include "volume/processors.h"
#include "volume/text_table.h"

namespace tcmufs::volume {

namespace {

std::string reason(const std::string& what) {
  return Failure(errno, what).what();
}

Feature kernel() {
  utsname name{};
  if (::uname(&name) != 0) return {"kernel", "unknown", reason("uname")};
  return {"kernel", name.release, name.version};
}

Feature engine(int file) {
  try {
    return {"engine", make_uring_io(file)->name(), "the kernel lets us use it"};
  } catch (const Failure& failure) {
    return {"engine", make_thread_io(file)->name(), failure.what()};
  }
}

Feature polling() {
  const int processors = usable_processors();
  if (processors == 0) return {"polling", "yes", reason("the number of processors is not known")};
  if (processors == 1) return {"polling", "no", "there is one processor, and others need it"};
  return {"polling", "yes", "where it pays: there are " + std::to_string(processors) + " processors"};
}

Feature punch_hole(int file) {
  constexpr off_t length = 4096;
  if (::fallocate(file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, length) != 0) {
    return {"punch_hole", "no", reason("the store's file system makes no holes, zeros are written")};
  }
  return {"punch_hole", "yes", "what is discarded is given back to the store's file system"};
}

Feature cached(int file) {
  switch (cached_reads(file)) {
    case CachedReads::always:
      return {"cached_reads", "always", "the store is in memory, no read waits"};
    case CachedReads::sometimes:
      return {"cached_reads", "yes", "what the page cache has is read at once (RWF_NOWAIT)"};
    case CachedReads::unknown:
      break;
  }
  return {"cached_reads", "no", reason("every read goes to the engine, RWF_NOWAIT cannot be used")};
}

/// A file of 4096 bytes.
Fd scratch_file(int directory) {
  Fd file(::openat(directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
  constexpr std::array<char, 4096> bytes{};
  if (file && ::pwrite(file.number(), bytes.data(), bytes.size(), 0) < 0) return Fd();
  return file;
}

}  // namespace

std::vector<Feature> find_features(int directory) {
  std::vector<Feature> features = {kernel(), engine(directory), polling()};
  if (const Fd file = scratch_file(directory)) {
    features.push_back(punch_hole(file.number()));
    features.push_back(cached(file.number()));
  } else {
    const std::string why = reason("no file could be made to try it on");
    features.push_back({"punch_hole", "unknown", why});
    features.push_back({"cached_reads", "unknown", why});
  }
  return features;
}

std::string features_text(const std::vector<Feature>& features) {
  std::vector<std::vector<std::string>> rows = {{"NAME", "VALUE", "WHY"}};
  for (const Feature& feature : features) rows.push_back({feature.name, feature.value, feature.why});
  return text_table(rows);
}

}  // namespace tcmufs::volume
