#include <liburing.h>
#include <unistd.h>

#include <cerrno>

#include "sys/error.h"
#include "volume/async_io.h"

namespace tcmufs::volume {

namespace {

constexpr unsigned entries = 128;  // a full queue is set going at once; twice as many may be under way
constexpr useconds_t memory_pause_us = 1000;

class UringIo final : public AsyncIo {
 public:
  explicit UringIo(int file) : file_(file) {
    const int error = ::io_uring_queue_init(entries, &ring_, 0);
    if (error < 0) throw Failure(-error, "cannot use io_uring");
  }
  ~UringIo() override {
    while (under_way_ > 0) {
      wait();
      while (finished() != nullptr) {
      }
    }
    ::io_uring_queue_exit(&ring_);
  }

  void start(AsyncOperation& operation) noexcept override {
    io_uring_sqe* entry = ::io_uring_get_sqe(&ring_);
    while (entry == nullptr) {
      flush();
      entry = ::io_uring_get_sqe(&ring_);
    }
    const auto pieces = static_cast<unsigned>(operation.buffer.size());
    switch (operation.kind) {
      case AsyncOperation::Kind::read:
        ::io_uring_prep_readv(entry, file_, operation.buffer.data(), pieces, operation.offset_bytes);
        break;
      case AsyncOperation::Kind::write:
        ::io_uring_prep_writev(entry, file_, operation.buffer.data(), pieces, operation.offset_bytes);
        break;
      case AsyncOperation::Kind::sync:
        ::io_uring_prep_fsync(entry, file_, IORING_FSYNC_DATASYNC);
        break;
    }
    ::io_uring_sqe_set_data(entry, &operation);
    ++under_way_;
  }

  void flush() noexcept override {
    // The kernel may have no memory for it right now. Nobody would come back to what is left here.
    while (::io_uring_sq_ready(&ring_) > 0) {
      if (::io_uring_submit(&ring_) <= 0) ::usleep(memory_pause_us);
    }
  }

  AsyncOperation* finished() noexcept override {
    io_uring_cqe* entry = nullptr;
    if (under_way_ == 0 || ::io_uring_peek_cqe(&ring_, &entry) != 0) return nullptr;
    auto* operation = static_cast<AsyncOperation*>(::io_uring_cqe_get_data(entry));
    operation->result = entry->res;
    ::io_uring_cqe_seen(&ring_, entry);
    --under_way_;
    return operation;
  }

  void wait() noexcept override {
    io_uring_cqe* entry = nullptr;
    ::io_uring_wait_cqe(&ring_, &entry);
  }

  int fd() const noexcept override { return ring_.ring_fd; }
  std::string name() const override { return "io_uring"; }

 private:
  const int file_;
  io_uring ring_{};
  unsigned under_way_ = 0;
};

}  // namespace

std::unique_ptr<AsyncIo> make_uring_io(int file) {
  return std::make_unique<UringIo>(file);
}

}  // namespace tcmufs::volume
