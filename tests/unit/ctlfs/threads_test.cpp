#include <random>
#include <thread>

#include "tree_fixture.h"

namespace tcmufs::ctlfs {

namespace {

/// One user who does whatever comes to mind; every errno is fine, only the model must hold.
class User {
 public:
  User(Tree& tree, unsigned seed) : tree_(tree), random_(seed) {}

  void act() {
    const u64 parent = directory();
    const std::string name = pick({"a", "b", ".c.tmp", "d"});
    switch (random_() % 10) {
      case 0:
      case 1:
      case 2:
        write_file(parent, name);
        break;
      case 3:
        tree_.unlink(parent, name);
        break;
      case 4:
        tree_.rename(parent, name, directory(), pick({"a", "b", ".c.tmp", "d"}), 0);
        break;
      case 5:
        tree_.make_directory(1, pick({"x", "y"}), {0755});
        break;
      case 6:
        tree_.remove_directory(1, pick({"x", "y"}));
        break;
      case 7:
        tree_.rename(1, pick({"x", "y"}), 1, pick({"x", "y"}), 0);
        break;
      case 8:
        list(parent);
        break;
      default:
        if (const auto entry = tree_.lookup(parent, name)) {
          tree_.change(entry->inode, {}, random_() % 8192, std::nullopt, 1);
          tree_.forget(entry->inode, 1);
        }
    }
  }

 private:
  std::string pick(std::initializer_list<const char*> names) {
    return *(names.begin() + random_() % names.size());
  }

  u64 directory() {
    const std::string name = pick({"", "x", "y"});
    const auto entry = name.empty() ? std::nullopt : tree_.lookup(1, name);
    return entry ? entry->inode : 1;
  }

  void write_file(u64 parent, const std::string& name) {
    const int flags = random_() % 2 == 0 ? O_RDWR | O_CREAT : O_RDWR | O_CREAT | O_TRUNC;
    const auto created = tree_.create(parent, name, flags, {0644, 0, 0, 1});
    std::array<std::byte, 512> block{};
    try {
      tree_.write(created.handle, random_() % 4096, block, 1);
      tree_.read(created.handle, 0, block);
      tree_.flush(created.handle, 1);
    } catch (const Failure&) {
    }
    tree_.closing(created.handle);
    tree_.release(created.handle);
    tree_.forget(created.entry.inode, 1);
  }

  void list(u64 parent) {
    const u64 handle = tree_.open_directory(parent);
    for (const Listed& listed : *tree_.list(handle)) {
      if (listed.name.starts_with('.')) continue;
      if (const auto entry = tree_.lookup(parent, listed.name)) tree_.forget(entry->inode, 1);
    }
    tree_.release(handle);
    if (const auto control = tree_.lookup(1, "status")) {
      std::array<std::byte, 64> text{};
      const u64 file = tree_.open(control->inode, O_RDONLY, 1);
      tree_.read(file, 0, text);
      tree_.release(file);
    }
  }

  Tree& tree_;
  std::mt19937 random_;
};

}  // namespace

using Threads = TreeTest;

TEST_F(Threads, EightUsersAtOnceLeaveTreeAndBackendAgreed) {
  tree();
  std::vector<std::thread> users;
  for (unsigned user = 0; user < 8; ++user) {
    users.emplace_back([&, user] {
      User somebody(tree(), user);
      for (int i = 0; i < 600; ++i) error_of([&] { somebody.act(); });
    });
  }
  for (auto& user : users) user.join();

  std::vector<std::string> in_tree;
  for (const std::string directory : {"", "x", "y"}) {
    if (!exists(directory)) continue;
    for (const auto& name : names_in(directory)) {
      if (name == "." || name == ".." || name == "status") continue;
      in_tree.push_back(directory.empty() ? name : directory + "/" + name);
    }
  }
  std::vector<std::string> in_backend;
  for (const auto& entry : backend.entries()) in_backend.push_back(entry.path);
  EXPECT_THAT(in_tree, ::testing::UnorderedElementsAreArray(in_backend));
  for (const auto& path : in_tree) {
    if (const auto volume = backend.volume(path)) {
      EXPECT_EQ(volume->path(), path);
    }
  }
  for (const auto& refusal : backend.refusals()) EXPECT_EQ(refusal.find("twice"), std::string::npos);
}

}  // namespace tcmufs::ctlfs
