#pragma once

#include <initializer_list>
#include <string>
#include <utility>

#include "lio/config_tree.h"
#include "sys/error.h"

namespace tcmufs::lio {

/// Runs `operation`; false if it failed with one of `errors`, any other Failure passes.
template <typename Operation>
bool tolerating(std::initializer_list<int> errors, Operation operation) {
  try {
    operation();
    return true;
  } catch (const Failure& failure) {
    for (const int error : errors) {
      if (failure.error() == error) return false;
    }
    throw;
  }
}

/// Runs `operation`, for destructors: what fails goes to the tree's cleanup_failed.
template <typename Operation>
void undo(ConfigTree& tree, Operation operation) noexcept {
  try {
    operation();
  } catch (const std::exception& failure) {
    tree.cleanup_failed(failure.what());
  }
}

/// One directory of configfs that undoes itself.
class ConfigDirectory {
 public:
  enum class Sharing {
    exclusive,  // removing one that is not empty is an error
    shared      // one that is not empty is left to those who live in it
  };

  /// Makes it. One that is there already is used as it is, and left there unless take_over() is called.
  ConfigDirectory(ConfigTree& tree, std::string path, Sharing sharing = Sharing::exclusive);
  ~ConfigDirectory();
  ConfigDirectory(ConfigDirectory&& other) noexcept
      : tree_(other.tree_),
        path_(std::move(other.path_)),
        sharing_(other.sharing_),
        made_(other.made_),
        owned_(std::exchange(other.owned_, false)) {}
  ConfigDirectory(const ConfigDirectory&) = delete;
  ConfigDirectory& operator=(const ConfigDirectory&) = delete;
  ConfigDirectory& operator=(ConfigDirectory&&) = delete;

  const std::string& path() const noexcept { return path_; }
  bool made() const noexcept { return made_; }

  void take_over() noexcept { owned_ = true; }
  void abandon() noexcept { owned_ = false; }
  /// Removes it if it is owned; fine if it is gone already. Throws Failure, and is still owned then.
  void remove();

 private:
  ConfigTree& tree_;
  std::string path_;
  Sharing sharing_;
  bool made_ = false;
  bool owned_ = false;
};

}  // namespace tcmufs::lio
