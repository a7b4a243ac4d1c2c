#pragma once

#include <optional>
#include <string>
#include <vector>

namespace tcmufs::lio {

/// The part of configfs that LIO owns ("/sys/kernel/config/target"), as operations: the tests have a fake
/// that behaves like the kernel and fails at step k. Paths are relative to it, without a leading slash. Every
/// operation throws Failure that names the path.
class ConfigTree {
 public:
  ConfigTree() = default;
  ConfigTree(const ConfigTree&) = delete;
  ConfigTree& operator=(const ConfigTree&) = delete;
  virtual ~ConfigTree() = default;

  virtual bool exists(const std::string& path) = 0;
  /// Names in a directory, without . and ..
  virtual std::vector<std::string> list(const std::string& path) = 0;
  virtual void make_directory(const std::string& path) = 0;
  virtual void remove_directory(const std::string& path) = 0;
  virtual std::string read(const std::string& path) = 0;
  virtual void write(const std::string& path, const std::string& value) = 0;
  /// Makes the symbolic link `path`, which points at the item `target` of this tree.
  virtual void link(const std::string& target, const std::string& path) = 0;
  virtual void unlink(const std::string& path) = 0;
  /// The item of this tree that the symbolic link `path` points at; nothing if `path` is no link (or not
  /// there).
  virtual std::optional<std::string> link_target(const std::string& path) = 0;

  /// Called by destructors that could not undo something: `sentence` says what is left and why.
  virtual void cleanup_failed(const std::string& sentence) noexcept = 0;
};

}  // namespace tcmufs::lio
