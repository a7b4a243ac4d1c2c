#include "support/fake_configfs.h"

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "support/fake_configfs_names.h"
#include "sys/error.h"

namespace tcmufs::test {

FakeConfigfs::FakeConfigfs() {
  nodes_["core"] = {};
  nodes_["core/alua"] = {};
  nodes_["version"] = {Node::Kind::attribute, false, "Target Engine Core ConfigFS Infrastructure v5.0"};
  nodes_["dbroot"] = {Node::Kind::attribute, false, "/var/target"};
  nodes_["loopback"] = {Node::Kind::group, true, ""};
  fill("loopback", {"loopback"});
}

bool FakeConfigfs::exists(const std::string& path) {
  const std::lock_guard lock(mutex_);
  if (unready_looks_ > 0 && path.starts_with("loopback/")) {
    --unready_looks_;
    return false;
  }
  return nodes_.contains(path);
}

std::vector<std::string> FakeConfigfs::list(const std::string& path) {
  const std::lock_guard lock(mutex_);
  enter("list " + path);
  const Node* node = find(path);
  if (node == nullptr) fail(ENOENT, "list " + path);
  if (node->kind != Node::Kind::group) fail(ENOTDIR, "list " + path);
  return children(path);
}

void FakeConfigfs::make_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const std::string operation = "mkdir " + path;
  enter(operation);
  if (dead_) return;
  if (nodes_.contains(path)) fail(EEXIST, operation);
  const Names parts = parts_of(path);
  if (parts.size() > 1 && !nodes_.contains(parent_of(path))) fail(ENOENT, operation);
  if (unready_looks_ > 0 && parts[0] == "loopback") fail(ENOENT, operation);
  if (const int error = refusal_of_mkdir(parts)) fail(error, operation);
  nodes_[path] = {Node::Kind::group, true, ""};
  fill(path, parts);
}

void FakeConfigfs::remove_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const std::string operation = "rmdir " + path;
  enter(operation);
  if (dead_) return;
  if (const int error = refusal_of_rmdir(path)) fail(error, operation);
  std::erase_if(nodes_,
                [&](const auto& node) { return node.first == path || node.first.starts_with(path + "/"); });
  missed_luns_.erase(path);
  registrations_.erase(path);
}

std::string FakeConfigfs::read(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const std::string operation = "read " + path;
  enter(operation);
  const Node* node = find(path);
  if (node == nullptr) fail(ENOENT, operation);
  if (node->kind == Node::Kind::group) fail(EISDIR, operation);
  const std::string name = name_of(path);
  if (name == "control" || name == "reset_ring") fail(EACCES, operation);
  if (name == "nexus" && node->value.empty()) fail(ENODEV, operation);
  return node->value + "\n";
}

void FakeConfigfs::write(const std::string& path, const std::string& value) {
  const std::string operation = "write " + path + " " + value;
  Hook hook;
  {
    const std::lock_guard lock(mutex_);
    enter(operation);
    if (dead_) return;
    if (const int error = refusal_of_write(path, value)) fail(error, operation);
    if (name_of(path) == "enable") hook = on_enable;
  }
  reset_.notify_all();
  if (hook) hook(parent_of(path));
}

void FakeConfigfs::link(const std::string& target, const std::string& path) {
  const std::string operation = "link " + target + " " + path;
  Hook hook;
  {
    const std::lock_guard lock(mutex_);
    enter(operation);
    if (dead_) return;
    if (const int error = refusal_of_link(target, path)) fail(error, operation);
    nodes_[path] = {Node::Kind::link, true, target};
    exports_changed(target);
    enable_registrations(target, path);
    if (miss_scans_) ++missed_luns_[parent_of(parent_of(parent_of(path)))];
    hook = on_link;
  }
  if (hook) hook(path);
}

void FakeConfigfs::unlink(const std::string& path) {
  const std::string operation = "unlink " + path;
  Hook hook;
  std::string device;
  {
    const std::lock_guard lock(mutex_);
    enter(operation);
    if (dead_) return;
    const Node* node = find(path);
    if (node == nullptr) fail(ENOENT, operation);
    if (node->kind != Node::Kind::link) fail(node->kind == Node::Kind::group ? EISDIR : EPERM, operation);
    device = node->value;
    hook = on_unlink;
  }
  if (hook) hook(path);
  std::unique_lock lock(mutex_);
  const u64 before = resets_[device];
  const auto answered = [&] { return served_ || resets_[device] > before; };
  if (!reset_.wait_for(lock, std::chrono::seconds(20), answered))
    fail(ETIMEDOUT, operation + " (hangs in D state)");
  nodes_.erase(path);
  exports_changed(device);
  free_registrations(device, path);
}

std::optional<std::string> FakeConfigfs::link_target(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const Node* node = find(path);
  if (node == nullptr || node->kind != Node::Kind::link) return std::nullopt;
  return node->value;
}

void FakeConfigfs::cleanup_failed(const std::string& sentence) noexcept {
  const std::lock_guard lock(mutex_);
  cleanup_failures_.push_back(sentence);
}

void FakeConfigfs::fail_at(std::size_t step, int error) {
  const std::lock_guard lock(mutex_);
  strike_at_ = step_ + step;
  strike_error_ = error;
  strike_kills_ = false;
  struck_ = false;
}

void FakeConfigfs::fail_on(const std::string& prefix, int error) {
  const std::lock_guard lock(mutex_);
  failing_[prefix] = error;
}

void FakeConfigfs::kill_at(std::size_t step) {
  const std::lock_guard lock(mutex_);
  strike_at_ = step_ + step;
  strike_error_ = EOWNERDEAD;
  strike_kills_ = true;
  struck_ = false;
}

void FakeConfigfs::hang_at(std::size_t step) {
  const std::lock_guard lock(mutex_);
  strike_at_ = step_ + step;
  strike_error_ = 0;
  strike_kills_ = false;
  struck_ = false;
}

bool FakeConfigfs::struck() const {
  const std::lock_guard lock(mutex_);
  return struck_;
}

void FakeConfigfs::revive() {
  {
    const std::lock_guard lock(mutex_);
    strike_at_.reset();
    failing_.clear();
    dead_ = false;
  }
  revived_.notify_all();
}

void FakeConfigfs::serve_rings(bool served) {
  {
    const std::lock_guard lock(mutex_);
    served_ = served;
  }
  reset_.notify_all();
}

void FakeConfigfs::make_fabric_slowly(int looks) {
  const std::lock_guard lock(mutex_);
  unready_looks_ = looks;
}

void FakeConfigfs::listen() {
  const std::lock_guard held(mutex_);
  listened_ = true;
}

void FakeConfigfs::miss_scans(bool missed) {
  const std::lock_guard lock(mutex_);
  miss_scans_ = missed;
}

std::vector<std::string> FakeConfigfs::operations() const {
  const std::lock_guard lock(mutex_);
  return operations_;
}

std::vector<std::string> FakeConfigfs::cleanup_failures() const {
  const std::lock_guard lock(mutex_);
  return cleanup_failures_;
}

std::map<std::string, std::string> FakeConfigfs::snapshot() const {
  const std::lock_guard lock(mutex_);
  std::map<std::string, std::string> paths;
  for (const auto& [path, node] : nodes_) paths[path] = node.value;
  return paths;
}

void FakeConfigfs::enter(const std::string& operation) {
  if (!dead_) operations_.push_back(operation);
  if (strike_at_ == step_++) {
    struck_ = true;
    dead_ = strike_kills_;
    if (strike_error_ != 0) fail(strike_error_, operation);
    revived_.wait(mutex_, [this] { return !strike_at_.has_value(); });
  }
  for (const auto& [prefix, error] : failing_) {
    if (operation.starts_with(prefix)) fail(error, operation);
  }
}

void FakeConfigfs::fail(int error, const std::string& operation) const {
  throw Failure(error, "the fake configfs refuses " + quoted(operation));
}

FakeConfigfs::Node* FakeConfigfs::find(const std::string& path) {
  const auto found = nodes_.find(path);
  return found == nodes_.end() ? nullptr : &found->second;
}

FakeConfigfs::Names FakeConfigfs::children(const std::string& path) const {
  Names names;
  const std::string prefix = path + "/";
  for (auto node = nodes_.lower_bound(prefix); node != nodes_.end() && node->first.starts_with(prefix);
       ++node) {
    const std::string rest = node->first.substr(prefix.size());
    if (rest.find('/') == std::string::npos) names.push_back(rest);
  }
  return names;
}

}  // namespace tcmufs::test
