#pragma once

#include <algorithm>
#include <cerrno>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <sstream>
#include <string>
#include <vector>

#include "sys/error.h"
#include "volume/disk.h"

namespace tcmufs::test {

/// What happens to the disks of a test: shared by all of them.
struct FakeKernel {
  std::mutex mutex;
  std::vector<std::string> events;       // "made web/disk0 lun 1", "gone web/disk0" ...
  std::vector<std::string> used;         // paths of disks that somebody uses
  std::vector<std::string> gone;         // paths of disks that somebody else has taken away
  std::vector<std::string> unflushable;  // paths of disks whose image cannot be written
  std::vector<std::string> touched;      // paths of disks that commands have changed
  std::string refuses;                   // path of the volume that cannot become a disk
  std::string link_in_the_way;           // path of a volume that cannot be linked
  u32 refuses_blocks_of = 0;             // no disk with such logical blocks can be made
  bool refuses_read_only = false;        // no write-protected disk can be made
  bool refuses_owners = false;           // no node can be given to another owner
  int resize_error = 0;
  std::map<std::string, std::string> blocks;           // path → "512/4096" of the disk made last
  std::map<std::string, volume::DiskOptions> options;  // path → those of the disk made last
  std::function<void(const std::string&)> on_event;    // called before an event is noted
  std::function<void(const std::string&)> failed;      // of the disk made last
  std::string warning;                                 // of every disk
  volume::Statistics* statistics = nullptr;            // of the disk made last

  void note(const std::string& event) {
    if (on_event) on_event(event);
    const std::lock_guard lock(mutex);
    events.push_back(event);
  }
  bool has(const std::vector<std::string>& list, const std::string& path) {
    const std::lock_guard lock(mutex);
    return std::find(list.begin(), list.end(), path) != list.end();
  }
  std::vector<std::string> taken_events() {
    const std::lock_guard lock(mutex);
    return std::exchange(events, {});
  }
};

/// A disk without a kernel.
class FakeDisk final : public volume::Disk {
 public:
  FakeDisk(FakeKernel& kernel, const volume::DiskOptions& options, std::unique_ptr<store::BlockStore> store)
      : kernel_(kernel),
        path_(options.path),
        link_root_(options.link_root),
        lun_(options.lun.value_or(0)),
        store_(std::move(store)) {
    if (kernel_.refuses == path_) throw Failure(ENODEV, "no disk for " + tcmufs::quoted(path_));
    if (kernel_.refuses_blocks_of == options.format.block_size_bytes)
      throw Failure(ENODEV, "no disk with such blocks");
    if (kernel_.refuses_read_only && options.format.read_only)
      throw Failure(ENODEV, "no write-protected disk");
    device_.name = "fake";
    device_.node = "/dev/fake-" + path_;
    kernel_.note((options.format.read_only ? "made read-only " : "made ") + path_ + " of " +
                 std::to_string(options.format.size_bytes) + " on " + options.target_wwn);
    const std::lock_guard lock(kernel_.mutex);
    kernel_.options.erase(path_);
    kernel_.options.emplace(path_, options);
    kernel_.statistics = &options.statistics;
    kernel_.blocks[path_] = std::to_string(options.format.block_size_bytes) + "/" +
                            std::to_string(options.format.physical_block_size_bytes);
  }
  ~FakeDisk() override { kernel_.note("gone " + path_); }

  Fd claim_idle() const override {
    if (kernel_.has(kernel_.used, path_))
      throw Failure(EBUSY, "the disk " + tcmufs::quoted(device_.node) + " is in use: mounted on '/srv'");
    return Fd();
  }
  void flush(const Fd& /*claim*/) const override {
    if (kernel_.has(kernel_.unflushable, path_)) throw Failure(EIO, "cannot write out what is cached");
  }
  bool is_gone() const override { return kernel_.has(kernel_.gone, path_); }
  std::string flush_used() const noexcept override {
    kernel_.note("flushed " + path_);
    return {};
  }
  void resize(u64 size_bytes, const Deadline&) override {
    if (kernel_.resize_error != 0) throw Failure(kernel_.resize_error, "cannot resize");
    if (store_->resize(size_bytes)) throw Failure(EIO, "cannot resize the store");
    kernel_.note("resized " + path_ + " to " + std::to_string(size_bytes));
  }
  void tune(const volume::Settings& settings) override {
    if (kernel_.refuses == path_) throw Failure(EIO, "cannot tune " + tcmufs::quoted(path_));
    kernel_.note("tuned " + path_ + " to a depth of " + std::to_string(settings.queue_depth));
  }
  void give_to(const lio::FileOwner& owner) override {
    if (kernel_.refuses_owners) throw Failure(ENODEV, "the node is gone");
    std::ostringstream given;
    given << "gave " << path_ << " to " << owner.uid << ':' << owner.gid << ' ' << std::oct
          << owner.permissions;
    kernel_.note(given.str());
  }
  void move_link(const std::string& path) override {
    if (kernel_.link_in_the_way == path) throw Failure(EEXIST, "a link is in the way");
    kernel_.note("moved " + path_ + " to " + path);
    path_ = path;
  }
  const lio::ScsiDisk& device() const noexcept override { return device_; }
  u32 lun() const noexcept override { return lun_; }
  std::string link() const override { return link_root_ + "/" + path_; }
  std::string engine() const override { return "fake"; }
  bool untouched() const noexcept override { return !kernel_.has(kernel_.touched, path_); }
  std::string warning() const override { return kernel_.warning; }

 private:
  FakeKernel& kernel_;
  std::string path_;
  std::string link_root_;
  u32 lun_;
  std::unique_ptr<store::BlockStore> store_;
  lio::ScsiDisk device_;
};

}  // namespace tcmufs::test
