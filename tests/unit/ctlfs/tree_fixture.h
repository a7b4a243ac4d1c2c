#pragma once

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "ctlfs/control_files.h"
#include "ctlfs/tree.h"
#include "support/fake_backend.h"
#include "sys/error.h"

namespace tcmufs::ctlfs {

inline constexpr u64 kRoot = 1;
inline constexpr pid_t kProcess = 4711;
inline constexpr pid_t kChild = 4712;

/// The errno of the Failure that `operation` throws; 0: none.
template <typename Operation>
int error_of(Operation operation) {
  try {
    operation();
  } catch (const Failure& failure) {
    return failure.error();
  }
  return 0;
}

/// What a directory of such control files lists.
inline std::vector<std::string> listed(std::span<const ControlFile> files) {
  std::vector<std::string> names = {".", ".."};
  for (const ControlFile& file : files) names.emplace_back(file.name);
  return names;
}

/// A tree over a fake backend, with requests in few words.
class TreeTest : public ::testing::Test {
 protected:
  testing::FakeBackend backend;
  std::optional<Tree> made;

  Tree& tree() {
    if (!made) made.emplace(backend);
    return *made;
  }

  /// The inode of a path such as ".ctl/vol/db0/size".
  u64 inode(const std::string& path) {
    u64 at = kRoot;
    for (std::size_t from = 0; from < path.size();) {
      const std::size_t to = std::min(path.find('/', from), path.size());
      const auto entry = tree().lookup(at, path.substr(from, to - from));
      if (!entry) throw Failure(ENOENT, path);
      at = entry->inode;
      from = to + 1;
    }
    return at;
  }
  bool exists(const std::string& path) {
    return error_of([&] { inode(path); }) == 0;
  }

  u64 create(const std::string& name, int flags = O_WRONLY | O_CREAT, pid_t process = kProcess) {
    return tree().create(kRoot, name, flags, {0644, 0, 0, process}).handle;
  }
  u64 make_directory(const std::string& name) { return tree().make_directory(kRoot, name, {0755}).inode; }
  u64 open(const std::string& path, int flags, pid_t process = kProcess) {
    return tree().open(inode(path), flags, process);
  }
  void write(u64 handle, u64 offset, const std::string& text, pid_t process = kProcess) {
    tree().write(handle, offset, std::as_bytes(std::span(text)), process);
  }
  void resize(const std::string& path, u64 size, std::optional<u64> handle, pid_t process = kProcess) {
    tree().change(inode(path), {}, size, handle, process);
  }
  void set_times(const std::string& path) {
    AttributeChange change;
    change.modified = timespec{1, 0};
    tree().change(inode(path), change, std::nullopt, std::nullopt, kProcess);
  }
  std::string read(u64 handle, u64 offset = 0) {
    std::string text(4096, '\0');
    text.resize(tree().read(handle, offset, std::as_writable_bytes(std::span(text))));
    return text;
  }
  std::string text_of(const std::string& path) {
    const u64 handle = open(path, O_RDONLY);
    const std::string text = read(handle);
    tree().release(handle);
    return text;
  }
  std::vector<std::string> names_in(const std::string& path) {
    const u64 handle = tree().open_directory(inode(path));
    std::vector<std::string> names;
    for (const Listed& listed : *tree().list(handle)) names.push_back(listed.name);
    tree().release(handle);
    return names;
  }
  bool attached(const std::string& path) {
    const auto volume = backend.volume(path);
    return volume && volume->attached();
  }
};

}  // namespace tcmufs::ctlfs
