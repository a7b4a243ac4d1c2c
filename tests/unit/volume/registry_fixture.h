#pragma once

#include <gmock/gmock.h>
#include <unistd.h>

#include <optional>

#include "support/fake_disk.h"
#include "support/temporary_directory.h"
#include "sys/error.h"
#include "volume/registry.h"

namespace tcmufs::volume {

inline constexpr u64 mib = 1 << 20;
inline constexpr pid_t maker = 4711;
inline constexpr pid_t other = 4712;

/// A registry over a store of its own and disks without a kernel.
class RegistryTest : public testing::Test {
 protected:
  explicit RegistryTest(
      const boost::filesystem::path& parent_of_store = boost::filesystem::temp_directory_path())
      : store_(parent_of_store) {
    start();
  }

  void start(bool read_only = false, const SettingValues& defaults = {}) {
    registry_.reset();
    catalog_.reset();
    catalog_.emplace(store_.path());
    Registry::Kernel kernel{
        .make_disk = [this](const DiskOptions& options, std::unique_ptr<store::BlockStore> store,
                            std::function<void(const std::string&)> failed) -> std::unique_ptr<Disk> {
          {
            const std::lock_guard lock(kernel_.mutex);
            kernel_.failed = std::move(failed);
          }
          return std::make_unique<test::FakeDisk>(kernel_, options, std::move(store));
        },
        .holders_of = [this](const lio::ScsiDisk& disk) -> std::vector<lio::Holder> {
          const bool used = kernel_.has(kernel_.used, disk.node.substr(std::string("/dev/fake-").size()));
          return used ? std::vector<lio::Holder>{{"mount", "/srv"}} : std::vector<lio::Holder>{};
        },
        .leftovers = [this] { return leftovers_; },
        .remove_leftover = [this](const Uuid& uuid) { kernel_.note("leftover " + uuid.text()); },
        .forget = [this](const Uuid& uuid) { kernel_.note("forgot " + uuid.text()); }};
    registry_.emplace(
        kernel, *catalog_,
        Registry::Options{.mount_point = "/mnt",
                          .version = "1.2.3",
                          .link_root = dev_ / "tcmufs",
                          .read_only = read_only,
                          .defaults = defaults,
                          .attaches_by_itself = [](const std::string& path) { return path[0] != '.'; },
                          .log =
                              [this](const std::string& line) {
                                const std::lock_guard lock(log_mutex_);
                                log_.push_back(line);
                              }});
  }

  std::shared_ptr<ctlfs::Volume> create(const std::string& path, u64 size_bytes = 0) {
    auto volume = registry_->create(path, {0644, ::geteuid(), ::getegid(), maker});
    if (size_bytes > 0) volume->resize(size_bytes, maker);
    return volume;
  }
  std::shared_ptr<ctlfs::Volume> attached(const std::string& path, u64 size_bytes = mib) {
    auto volume = create(path, size_bytes);
    volume->attach();
    return volume;
  }
  void make_directory(const std::string& path) {
    registry_->make_directory(path, {0755, ::geteuid(), ::getegid(), maker});
  }
  static std::string refusal(const std::function<void()>& work, int error) {
    try {
      work();
    } catch (const Failure& failure) {
      EXPECT_EQ(errno_name(failure.error()), errno_name(error)) << failure.what();
      return failure.what();
    }
    ADD_FAILURE() << "was not refused";
    return {};
  }
  static void write(ctlfs::Volume& volume, u64 offset, const std::string& text, pid_t process) {
    volume.write(offset, std::as_bytes(std::span(text)), process);
  }
  static std::string state(ctlfs::Volume& volume) { return volume.control("state"); }

  test::TemporaryDirectory store_;
  test::TemporaryDirectory dev_;
  test::FakeKernel kernel_;
  std::vector<Uuid> leftovers_;
  std::mutex log_mutex_;
  std::vector<std::string> log_;
  std::optional<Catalog> catalog_;
  std::optional<Registry> registry_;
};

}  // namespace tcmufs::volume
