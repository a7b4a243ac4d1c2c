// http-image URL: the image that is there as the read-only disk /dev/http-image/0, until ^C. The server must
// take ranges.

#include <curl/curl.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <string>

#include "until_signal.h"

namespace {

using Transfer = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

class Image final : public tcmufs::BlockStore {
 public:
  explicit Image(std::string url) : url_(std::move(url)) {
    const Transfer transfer(curl_easy_init(), curl_easy_cleanup);
    curl_easy_setopt(transfer.get(), CURLOPT_NOBODY, 1L);
    perform(transfer.get(), 200);
    curl_off_t length = -1;
    curl_easy_getinfo(transfer.get(), CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length);
    if (length < 512) throw tcmufs::Error(EINVAL, url_ + " has no length, or is smaller than a block");
    size_ = static_cast<std::uint64_t>(length) / 512 * 512;
  }

  void read(std::uint64_t offset, std::span<std::byte> data) override {
    // A connection for each thread, which stays open.
    thread_local const Transfer transfer(curl_easy_init(), curl_easy_cleanup);
    const std::string range = std::to_string(offset) + "-" + std::to_string(offset + data.size() - 1);
    Rest rest{data};
    curl_easy_setopt(transfer.get(), CURLOPT_RANGE, range.c_str());
    curl_easy_setopt(transfer.get(), CURLOPT_WRITEFUNCTION, &Image::receive);
    curl_easy_setopt(transfer.get(), CURLOPT_WRITEDATA, &rest);
    perform(transfer.get(), 206);
    if (!rest.left.empty()) throw tcmufs::Error(EIO, url_ + " ends before " + range);
  }
  void write(std::uint64_t, std::span<const std::byte>) override {
    throw tcmufs::Error(EROFS, "an image over HTTP cannot be written");
  }
  std::uint64_t size() const override { return size_; }

 private:
  struct Rest {
    std::span<std::byte> left;
  };
  static std::size_t receive(char* bytes, std::size_t, std::size_t length, void* rest) {
    auto& left = static_cast<Rest*>(rest)->left;
    if (length > left.size()) return 0;  // more than was asked for: it ends here
    std::transform(bytes, bytes + length, left.begin(),
                   [](char byte) { return static_cast<std::byte>(byte); });
    left = left.subspan(length);
    return length;
  }

  // A network that fails may come back: the initiator tries again. A server that says something else will
  // not.
  void perform(CURL* transfer, long expected) const {
    curl_easy_setopt(transfer, CURLOPT_URL, url_.c_str());
    curl_easy_setopt(transfer, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(transfer, CURLOPT_TIMEOUT, 20L);
    const CURLcode code = curl_easy_perform(transfer);
    long status = 0;
    curl_easy_getinfo(transfer, CURLINFO_RESPONSE_CODE, &status);
    if (status != 0 && status != expected)
      throw tcmufs::Error(
          EIO, url_ + ": the server answers " + std::to_string(status) + ", not " + std::to_string(expected));
    if (code != CURLE_OK) throw tcmufs::Error(EAGAIN, url_ + ": " + curl_easy_strerror(code));
  }

  const std::string url_;
  std::uint64_t size_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) return std::cerr << "usage: http-image URL\n", 2;
  try {
    const UntilSignal until;
    curl_global_init(CURL_GLOBAL_DEFAULT);
    until.serve(tcmufs::Device::open("/dev/http-image", {.name = "0", .threads = 4, .read_only = true},
                                     std::make_shared<Image>(argv[1])));
  } catch (const std::exception& error) {
    return std::cerr << "http-image: " << error.what() << "\n", 1;
  }
}
