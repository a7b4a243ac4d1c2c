#pragma once

#include <sys/types.h>

#include <deque>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "sys/fd.h"
#include "sys/integers.h"

namespace tcmufs::test {

/// Somebody who uses a mount by system calls at random, and knows what must come of each: of names that are
/// his alone (they begin with his own), so that several can do so at once. Not for several threads.
class RandomUser {
 public:
  /// A volume or a directory, as it must be.
  struct Node {
    bool directory = false;
    u64 size_bytes = 0;
    bool disk = false;
    bool ours = true;            // who writes to it may take its disk back: its maker is this process
    std::map<u64, u32> written;  // block of 512 bytes → what it is full of; the others are zero
  };

  /// `mount` is the mount point; `name` is one path component. Forks: make all of them before their threads.
  RandomUser(std::string mount, std::string name, u64 seed);

  /// Makes one call, or the few of one operation. Throws std::runtime_error that says what differed from what
  /// must come of it, and what came before.
  void step();
  /// Removes all that is his. Throws as step() does.
  void remove_all();

  /// By path below the mount.
  const std::map<std::string, Node>& nodes() const noexcept { return nodes_; }

 private:
  enum class Way { itself, another };  // the process that writes

  u64 below(u64 end) { return std::uniform_int_distribution<u64>(0, end - 1)(random_); }
  std::string some_path();
  std::string some_volume();
  std::string full(const std::string& path) const { return mount_ + "/" + path; }
  std::string control(const std::string& path, const std::string& file) const;

  int parent_error(const std::string& path) const;
  int error_of_opening(const std::string& path) const;
  Node* volume(const std::string& path);
  bool has_children(const std::string& path) const;
  void closed(const std::string& path, Node& node);
  void resized(Node& node, u64 size_bytes, Way way);

  void create();
  void write();
  void write_by_another();
  void truncate();
  void truncate_open();
  void truncate_by_opening();
  void rename();
  void unlink();
  void make_directory();
  void remove_directory();
  void attach();
  void detach();
  void look();
  void read_state();
  void read_block();
  void list();

  int error_of_rename(const std::string& from, const std::string& to) const;
  void move(const std::string& from, const std::string& to);
  /// Notes the call; throws if `error` (0: success) is not the one it must have.
  void expect(const std::string& call, int expected, int error);
  [[noreturn]] void differs(const std::string& what) const;

  /// A process of its own, which writes where it is told. (One forked for each write would have files open
  /// that other threads are about to close.)
  class Another {
   public:
    Another();
    ~Another();
    Another(const Another&) = delete;
    Another& operator=(const Another&) = delete;
    /// The errno, 0: done.
    int write(const std::string& path, u64 block, u32 tag) const;

   private:
    Fd end_;  // of a pair of sockets
    pid_t child_ = -1;
  };

  const std::string mount_;
  const std::string name_;
  std::mt19937_64 random_;
  std::map<std::string, Node> nodes_;
  std::deque<std::string> history_;
  std::unique_ptr<Another> another_ = std::make_unique<Another>();
};

}  // namespace tcmufs::test
