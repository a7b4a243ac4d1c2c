// tcmufile IMAGE: the bytes of a file as the disk /dev/tcmufile/NAME, until ^C.

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "until_signal.h"

namespace {

class ImageFile final : public tcmufs::BlockStore {
 public:
  explicit ImageFile(const std::string& path) : file_(open(path.c_str(), O_RDWR | O_CLOEXEC)) {
    if (file_ < 0) throw tcmufs::Error(errno, "cannot open " + path);
  }
  ~ImageFile() override { close(file_); }

  void read(std::uint64_t offset, std::span<std::byte> data) override {
    while (!data.empty()) {
      const ssize_t moved = pread(file_, data.data(), data.size(), static_cast<off_t>(offset));
      data = data.subspan(advance(moved, offset));
    }
  }
  void write(std::uint64_t offset, std::span<const std::byte> data) override {
    while (!data.empty()) {
      const ssize_t moved = pwrite(file_, data.data(), data.size(), static_cast<off_t>(offset));
      data = data.subspan(advance(moved, offset));
    }
  }
  bool has_write_cache() const override { return true; }
  void flush() override {
    if (fdatasync(file_) != 0) throw tcmufs::Error(errno, "cannot flush");
  }
  std::uint64_t size() const override {
    struct stat st {};
    fstat(file_, &st);
    return static_cast<std::uint64_t>(st.st_size) / 512 * 512;
  }

 private:
  static std::size_t advance(ssize_t moved, std::uint64_t& offset) {
    if (moved < 0 && errno == EINTR) return 0;
    if (moved <= 0) throw tcmufs::Error(moved < 0 ? errno : EIO, "cannot read or write");
    offset += static_cast<std::uint64_t>(moved);
    return static_cast<std::size_t>(moved);
  }

  const int file_;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: tcmufile IMAGE\n", 2;
  const std::string image = argv[1];
  try {
    const UntilSignal until;
    const auto device = tcmufs::Device::open("/dev/tcmufile", {.name = image.substr(image.rfind('/') + 1)},
                                             std::make_shared<ImageFile>(image));
    until.serve(device);
  } catch (const std::exception& error) {
    return std::cerr << "tcmufile: " << error.what() << "\n", 1;
  }
}
