// mirror A B: two files of one size as the disk /dev/mirror/0, until ^C. What is written is written to both,
// and read from the first that has never failed.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <string>

#include "until_signal.h"

namespace {

struct Half {
  explicit Half(const char* path) : file(open(path, O_RDWR | O_CLOEXEC)) {
    if (file < 0) throw tcmufs::Error(errno, std::string("cannot open ") + path);
  }
  ~Half() { close(file); }
  Half(const Half&) = delete;
  Half& operator=(const Half&) = delete;

  const int file;
  std::atomic<bool> good = true;
};

class Mirror final : public tcmufs::BlockStore {
 public:
  Mirror(const char* one, const char* other) : halves_{Half(one), Half(other)} {}

  void read(std::uint64_t offset, std::span<std::byte> data) override {
    for (Half& half : halves_) {
      if (half.good && pread(half.file, data.data(), data.size(), static_cast<off_t>(offset)) ==
                           static_cast<ssize_t>(data.size()))
        return;
    }
    throw tcmufs::Error(EIO, "neither half can be read");
  }
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    on_both([&](const Half& half) {
      return pwrite(half.file, data.data(), data.size(), static_cast<off_t>(offset)) ==
             static_cast<ssize_t>(data.size());
    });
  }
  bool has_write_cache() const override { return true; }
  void flush() override {
    on_both([](const Half& half) { return fdatasync(half.file) == 0; });
  }
  std::uint64_t size() const override {
    struct stat one {
    }, other{};
    fstat(halves_[0].file, &one);
    fstat(halves_[1].file, &other);
    return static_cast<std::uint64_t>(std::min(one.st_size, other.st_size)) / 512 * 512;
  }

 private:
  // A half that has missed a write is not asked again.
  template <typename Work>
  void on_both(Work work) {
    for (Half& half : halves_) {
      if (half.good && !work(half)) half.good = false;
    }
    if (!halves_[0].good && !halves_[1].good) throw tcmufs::Error(EIO, "both halves have failed");
  }

  std::array<Half, 2> halves_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return std::cerr << "usage: mirror A B\n", 2;
  try {
    const UntilSignal until;
    until.serve(tcmufs::Device::open("/dev/mirror", {.name = "0", .threads = 4},
                                     std::make_shared<Mirror>(argv[1], argv[2])));
  } catch (const std::exception& error) {
    return std::cerr << "mirror: " << error.what() << "\n", 1;
  }
}
