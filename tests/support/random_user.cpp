#include "support/random_user.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <fstream>
#include <memory>
#include <set>
#include <sstream>
#include <stdexcept>

#include "sys/error.h"

namespace tcmufs::test {

namespace {

constexpr u64 block_bytes = 512;
constexpr u64 most_blocks = 24;
constexpr std::size_t remembered_calls = 12;
constexpr unsigned deepest = 3;

bool temporary(const std::string& path) {
  return path.back() == '~';
}

std::string parent_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

using Block = std::array<char, block_bytes>;

Block block_of(u32 tag) {
  Block block{};
  for (std::size_t i = 0; i < block.size(); ++i) block[i] = static_cast<char>(tag >> (i % 4 * 8));
  return block;
}

int error_of(long result) {
  return result < 0 ? errno : 0;
}

/// Opens, writes one block, closes: the first error, 0 if there is none. Safe in the child of a process with
/// several threads.
int written(const char* path, const Block& block, u64 offset) {
  const int fd = ::open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int error = error_of(::pwrite(fd, block.data(), block.size(), static_cast<off_t>(offset)));
  return ::close(fd) != 0 && error == 0 ? errno : error;
}

int written_to_control(const std::string& path, const std::string& value) {
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  if (fd < 0) return errno;
  const int error = error_of(::write(fd, value.data(), value.size()));
  ::close(fd);
  return error;
}

struct Order {
  std::array<char, 256> path{};
  u64 block = 0;
  u32 tag = 0;
};

}  // namespace

RandomUser::Another::Another() {
  std::array<int, 2> ends{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
    throw_errno("cannot make sockets");
  child_ = ::fork();
  if (child_ < 0) throw_errno("cannot fork");
  if (child_ == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    Order order;
    while (::recv(ends[1], &order, sizeof order, 0) == sizeof order) {
      const int error = written(order.path.data(), block_of(order.tag), order.block * block_bytes);
      if (::send(ends[1], &error, sizeof error, MSG_NOSIGNAL) != sizeof error) break;
    }
    ::_exit(0);
  }
  ::close(ends[1]);
  end_ = Fd(ends[0]);
}

RandomUser::Another::~Another() {
  ::kill(child_, SIGKILL);
  ::waitpid(child_, nullptr, 0);
}

int RandomUser::Another::write(const std::string& path, u64 block, u32 tag) const {
  Order order{.path = {}, .block = block, .tag = tag};
  path.copy(order.path.data(), order.path.size() - 1);
  int error = ECHILD;
  if (::send(end_.number(), &order, sizeof order, MSG_NOSIGNAL) == sizeof order)
    static_cast<void>(::recv(end_.number(), &error, sizeof error, 0));
  return error;
}

RandomUser::RandomUser(std::string mount, std::string name, u64 seed)
    : mount_(std::move(mount)), name_(std::move(name)), random_(seed) {}

void RandomUser::step() {
  using Operation = void (RandomUser::*)();
  static constexpr std::array<std::pair<unsigned, Operation>, 16> weighed{
      {{12, &RandomUser::create},
       {12, &RandomUser::write},
       {4, &RandomUser::write_by_another},
       {8, &RandomUser::truncate},
       {6, &RandomUser::truncate_open},
       {3, &RandomUser::truncate_by_opening},
       {12, &RandomUser::rename},
       {6, &RandomUser::unlink},
       {5, &RandomUser::make_directory},
       {3, &RandomUser::remove_directory},
       {6, &RandomUser::attach},
       {6, &RandomUser::detach},
       {6, &RandomUser::look},
       {6, &RandomUser::read_state},
       {6, &RandomUser::read_block},
       {3, &RandomUser::list}}};
  u64 all = 0;
  for (const auto& [weight, operation] : weighed) all += weight;
  u64 chosen = below(all);
  for (const auto& [weight, operation] : weighed) {
    if (chosen < weight) return (this->*operation)();
    chosen -= weight;
  }
}

void RandomUser::remove_all() {
  while (!nodes_.empty()) {
    const auto [path, node] = *nodes_.rbegin();  // what is in a directory comes after it
    const int error = error_of(node.directory ? ::rmdir(full(path).c_str()) : ::unlink(full(path).c_str()));
    expect("remove " + path, 0, error);
    nodes_.erase(path);
  }
}

/// A few names, so that they meet often: below a directory there is, or, rarely, below what is none.
std::string RandomUser::some_path() {
  static constexpr std::array<const char*, 5> leaves{"a", "b", "c~", "d", "e"};
  const std::string leaf = leaves[below(leaves.size())];
  std::vector<std::string> above;
  above.reserve(nodes_.size());
  for (const auto& [path, node] : nodes_) {
    const auto depth = static_cast<unsigned>(std::count(path.begin(), path.end(), '/')) + 1;
    if (depth < deepest && (node.directory || below(10) == 0)) above.push_back(path);
  }
  const u64 chosen = below(above.size() + 2);
  if (chosen < above.size()) return above[chosen] + "/" + leaf;
  return name_ + "-" + leaf;
}

std::string RandomUser::some_volume() {
  std::vector<std::string> volumes;
  volumes.reserve(nodes_.size());
  for (const auto& [path, node] : nodes_) {
    if (!node.directory) volumes.push_back(path);
  }
  return volumes.empty() || below(8) == 0 ? some_path() : volumes[below(volumes.size())];
}

std::string RandomUser::control(const std::string& path, const std::string& file) const {
  return full(".ctl/vol/" + path + "/" + file);
}

/// Why what is above `path` cannot have it.
int RandomUser::parent_error(const std::string& path) const {
  for (std::string above = parent_of(path); !above.empty(); above = parent_of(above)) {
    const auto at = nodes_.find(above);
    if (at != nodes_.end() && !at->second.directory) return ENOTDIR;
  }
  const std::string above = parent_of(path);
  return above.empty() || nodes_.contains(above) ? 0 : ENOENT;
}

int RandomUser::error_of_opening(const std::string& path) const {
  if (const int error = parent_error(path)) return error;
  const auto at = nodes_.find(path);
  if (at == nodes_.end()) return ENOENT;
  return at->second.directory ? EISDIR : 0;
}

RandomUser::Node* RandomUser::volume(const std::string& path) {
  const auto at = nodes_.find(path);
  return at == nodes_.end() || at->second.directory ? nullptr : &at->second;
}

bool RandomUser::has_children(const std::string& path) const {
  const auto next = nodes_.upper_bound(path + "/");
  return next != nodes_.end() && next->first.starts_with(path + "/");
}

/// A change has been finished.
void RandomUser::closed(const std::string& path, Node& node) {
  if (node.size_bytes > 0 && !temporary(path)) node.disk = true;
}

void RandomUser::resized(Node& node, u64 size_bytes, Way way) {
  node.size_bytes = size_bytes;
  node.written.erase(node.written.lower_bound(size_bytes / block_bytes), node.written.end());
  if (size_bytes > 0) return;
  node.disk = false;
  node.ours = way == Way::itself;
}

void RandomUser::create() {
  const std::string path = some_path();
  const int fd = ::open(full(path).c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0600);
  int error = error_of(fd);
  if (fd >= 0) error = error_of(::close(fd));
  const int above = parent_error(path);
  const int expected = above != 0 ? above : nodes_.contains(path) ? EEXIST : 0;
  expect("create " + path, expected, error);
  if (expected == 0) nodes_[path] = {};
}

void RandomUser::write() {
  const std::string path = some_volume();
  const u64 block = below(most_blocks);
  const auto tag = static_cast<u32>(random_());
  const int error = written(full(path).c_str(), block_of(tag), block * block_bytes);
  Node* const node = volume(path);
  int expected = error_of_opening(path);
  if (node != nullptr && node->disk && !node->ours) expected = EBUSY;
  expect("write block " + std::to_string(block) + " of " + path, expected, error);
  if (expected != 0) return;
  node->disk = false;
  node->written[block] = tag;
  node->size_bytes = std::max(node->size_bytes, (block + 1) * block_bytes);
  closed(path, *node);
}

void RandomUser::write_by_another() {
  const std::string path = some_volume();
  const u64 block = below(most_blocks);
  const auto tag = static_cast<u32>(random_());
  const int error = another_->write(full(path), block, tag);
  Node* const node = volume(path);
  int expected = error_of_opening(path);
  if (node != nullptr && node->disk) expected = EBUSY;
  expect("write block " + std::to_string(block) + " of " + path + " in another process", expected, error);
  if (expected != 0) return;
  node->written[block] = tag;
  node->size_bytes = std::max(node->size_bytes, (block + 1) * block_bytes);
  closed(path, *node);
}

void RandomUser::truncate() {
  const std::string path = some_volume();
  const u64 size_bytes = below(3) == 0 ? 0 : below(most_blocks) * block_bytes + (below(8) == 0 ? 100 : 0);
  const int error = error_of(::truncate(full(path).c_str(), static_cast<off_t>(size_bytes)));
  int expected = error_of_opening(path);
  if (expected == 0 && size_bytes % block_bytes != 0) expected = EINVAL;
  expect("truncate " + path + " to " + std::to_string(size_bytes), expected, error);
  if (expected != 0) return;
  resized(*volume(path), size_bytes, Way::itself);
  closed(path, *volume(path));
}

void RandomUser::truncate_open() {
  const std::string path = some_volume();
  const u64 size_bytes = below(most_blocks) * block_bytes;
  const int fd = ::open(full(path).c_str(), O_WRONLY | O_CLOEXEC);
  int error = error_of(fd);
  if (fd >= 0) {
    error = error_of(::ftruncate(fd, static_cast<off_t>(size_bytes)));
    if (::close(fd) != 0 && error == 0) error = errno;
  }
  const int expected = error_of_opening(path);
  expect("ftruncate " + path + " to " + std::to_string(size_bytes), expected, error);
  if (expected != 0) return;
  resized(*volume(path), size_bytes, Way::itself);
  closed(path, *volume(path));
}

void RandomUser::truncate_by_opening() {
  const std::string path = some_volume();
  const int fd = ::open(full(path).c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC);
  int error = error_of(fd);
  if (fd >= 0) error = error_of(::close(fd));
  const int expected = error_of_opening(path);
  expect("open " + path + " with O_TRUNC", expected, error);
  if (expected == 0) resized(*volume(path), 0, Way::itself);
}

/// rename(2), in the order in which the kernel looks.
int RandomUser::error_of_rename(const std::string& from, const std::string& to) const {
  for (const auto* path : {&from, &to}) {
    if (const int error = parent_error(*path)) return error;
  }
  const auto source = nodes_.find(from);
  if (source == nodes_.end()) return ENOENT;
  if (to.starts_with(from + "/")) return EINVAL;
  if (from.starts_with(to + "/")) return ENOTEMPTY;
  const auto target = nodes_.find(to);
  if (from == to || target == nodes_.end()) return 0;
  if (source->second.directory && !target->second.directory) return ENOTDIR;
  if (!source->second.directory && target->second.directory) return EISDIR;
  return has_children(to) ? ENOTEMPTY : 0;
}

void RandomUser::move(const std::string& from, const std::string& to) {
  nodes_.erase(to);
  std::map<std::string, Node> moved;
  for (auto at = nodes_.begin(); at != nodes_.end();) {
    if (at->first != from && !at->first.starts_with(from + "/")) {
      ++at;
      continue;
    }
    moved.emplace(to + at->first.substr(from.size()), std::move(at->second));
    at = nodes_.erase(at);
  }
  nodes_.merge(moved);
  Node* const node = volume(to);
  if (node != nullptr && temporary(from)) closed(to, *node);
}

void RandomUser::rename() {
  const std::string from = below(4) == 0 ? some_path() : some_volume();
  const std::string to = some_path();
  const int error = error_of(::rename(full(from).c_str(), full(to).c_str()));
  const int expected = error_of_rename(from, to);
  expect("rename " + from + " to " + to, expected, error);
  if (expected == 0 && from != to) move(from, to);
}

void RandomUser::unlink() {
  const std::string path = below(4) == 0 ? some_path() : some_volume();
  const int error = error_of(::unlink(full(path).c_str()));
  const int expected = error_of_opening(path);
  expect("unlink " + path, expected, error);
  if (expected == 0) nodes_.erase(path);
}

void RandomUser::make_directory() {
  const std::string path = some_path();
  const int error = error_of(::mkdir(full(path).c_str(), 0700));
  const int above = parent_error(path);
  const int expected = above != 0 ? above : nodes_.contains(path) ? EEXIST : 0;
  expect("mkdir " + path, expected, error);
  if (expected == 0) nodes_[path] = {.directory = true, .written = {}};
}

void RandomUser::remove_directory() {
  const std::string path = some_path();
  const int error = error_of(::rmdir(full(path).c_str()));
  int expected = parent_error(path);
  if (expected == 0 && !nodes_.contains(path)) expected = ENOENT;
  if (expected == 0 && !nodes_.at(path).directory) expected = ENOTDIR;
  if (expected == 0 && has_children(path)) expected = ENOTEMPTY;
  expect("rmdir " + path, expected, error);
  if (expected == 0) nodes_.erase(path);
}

void RandomUser::attach() {
  const std::string path = some_volume();
  const int error = written_to_control(control(path, "ctl"), "attach\n");
  Node* const node = volume(path);
  const int expected = node == nullptr ? ENOENT : node->size_bytes == 0 ? EINVAL : 0;
  expect("attach " + path, expected, error);
  if (expected == 0) node->disk = true;
}

void RandomUser::detach() {
  const std::string path = some_volume();
  const int error = written_to_control(control(path, "ctl"), "detach\n");
  Node* const node = volume(path);
  const int expected = node == nullptr ? ENOENT : 0;
  expect("detach " + path, expected, error);
  if (expected == 0) node->disk = false;
}

void RandomUser::look() {
  const std::string path = below(2) == 0 ? some_path() : some_volume();
  struct stat st {};
  const int error = error_of(::stat(full(path).c_str(), &st));
  int expected = parent_error(path);
  if (expected == 0 && !nodes_.contains(path)) expected = ENOENT;
  expect("stat " + path, expected, error);
  if (expected != 0) return;
  const Node& node = nodes_.at(path);
  if (S_ISDIR(st.st_mode) != node.directory) differs("its type");
  if (!node.directory && static_cast<u64>(st.st_size) != node.size_bytes) {
    differs("its size, " + std::to_string(st.st_size) + " instead of " + std::to_string(node.size_bytes));
  }
}

void RandomUser::read_state() {
  const std::string path = some_volume();
  std::ifstream file(control(path, "state"));
  const Node* const node = volume(path);
  expect("open the state of " + path, node == nullptr ? ENOENT : 0, file.is_open() ? 0 : ENOENT);
  if (node == nullptr) return;
  std::string state;
  std::getline(file, state);
  const std::string expected = node->disk ? "ready" : "pending";
  if (state != expected) differs("its state, '" + state + "' instead of '" + expected + "'");
}

void RandomUser::read_block() {
  const std::string path = some_volume();
  const u64 block = below(most_blocks);
  Block bytes{};
  const int fd = ::open(full(path).c_str(), O_RDONLY | O_CLOEXEC);
  const Node* const node = volume(path);
  // A directory can be opened, but not read.
  if (fd >= 0 && node == nullptr) ::close(fd);
  int expected = error_of_opening(path);
  if (expected == EISDIR) expected = 0;
  expect("open " + path + " to read block " + std::to_string(block), expected, error_of(fd));
  if (node == nullptr) return;
  const ssize_t length = ::pread(fd, bytes.data(), bytes.size(), static_cast<off_t>(block * block_bytes));
  ::close(fd);
  const bool there = (block + 1) * block_bytes <= node->size_bytes;
  if (length != (there ? static_cast<ssize_t>(block_bytes) : 0)) {
    differs("how much there is of it, " + std::to_string(length) + " bytes");
  }
  if (!there) return;
  const auto at = node->written.find(block);
  if (bytes != block_of(at == node->written.end() ? 0 : at->second)) differs("what is in it");
}

void RandomUser::list() {
  std::vector<std::string> directories;
  directories.reserve(nodes_.size());
  for (const auto& [path, node] : nodes_) {
    if (node.directory) directories.push_back(path);
  }
  if (directories.empty()) return;
  const std::string path = directories[below(directories.size())];
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(full(path).c_str()), &::closedir);
  expect("list " + path, 0, directory ? 0 : errno);
  std::set<std::string> seen;
  while (const dirent* entry = ::readdir(directory.get())) {
    const std::string name = entry->d_name;
    if (name != "." && name != "..") seen.insert(name);
  }
  std::set<std::string> expected;
  for (const auto& [below, node] : nodes_) {
    if (parent_of(below) == path) expected.insert(below.substr(path.size() + 1));
  }
  if (seen != expected)
    differs("what is in it: " + std::to_string(seen.size()) + " names instead of " +
            std::to_string(expected.size()));
}

void RandomUser::expect(const std::string& call, int expected, int error) {
  const auto words = [](int number) { return number == 0 ? std::string("success") : errno_name(number); };
  if (history_.size() == remembered_calls) history_.pop_front();
  history_.push_back(call + ": " + words(error));
  if (error != expected) differs("its result, which must be " + words(expected));
}

void RandomUser::differs(const std::string& what) const {
  std::ostringstream text;
  text << "the last of these calls differs in " << what << "\n";
  for (const auto& call : history_) text << "  " << call << "\n";
  throw std::runtime_error(text.str());
}

}  // namespace tcmufs::test
