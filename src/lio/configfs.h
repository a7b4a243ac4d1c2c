#pragma once

#include <functional>
#include <string>
#include <vector>

#include "lio/config_tree.h"

namespace tcmufs::lio {

/// The kernel's own tree. Its operations may be called by several threads at once.
class Configfs final : public ConfigTree {
 public:
  using CleanupFailed = std::function<void(const std::string& sentence)>;

  /// `cleanup_failed` may be empty; it must not throw.
  explicit Configfs(CleanupFailed cleanup_failed = {}, std::string root = "/sys/kernel/config/target");

  bool exists(const std::string& path) override;
  std::vector<std::string> list(const std::string& path) override;
  void make_directory(const std::string& path) override;
  void remove_directory(const std::string& path) override;
  std::string read(const std::string& path) override;
  /// With one write(2).
  void write(const std::string& path, const std::string& value) override;
  void link(const std::string& target, const std::string& path) override;
  void unlink(const std::string& path) override;
  std::optional<std::string> link_target(const std::string& path) override;
  void cleanup_failed(const std::string& sentence) noexcept override;

 private:
  std::string full(const std::string& path) const { return root_ + "/" + path; }

  std::string root_;
  CleanupFailed cleanup_failed_;
};

}  // namespace tcmufs::lio
