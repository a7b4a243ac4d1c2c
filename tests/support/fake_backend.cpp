#include "support/fake_backend.h"

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

#include "sys/error.h"

namespace tcmufs::testing {

namespace {

constexpr auto kPatience = std::chrono::seconds(10);

void apply(ctlfs::Attributes& attributes, const ctlfs::AttributeChange& change) {
  if (change.permissions) attributes.permissions = *change.permissions;
  if (change.uid) attributes.uid = *change.uid;
  if (change.gid) attributes.gid = *change.gid;
  if (change.accessed) attributes.accessed = *change.accessed;
  if (change.modified) attributes.modified = *change.modified;
}

}  // namespace

FakeBackend::FakeBackend() {
  directories_[""].permissions = 0755;
}
FakeBackend::~FakeBackend() = default;

std::shared_ptr<FakeVolume> FakeBackend::have_volume(const std::string& path, const std::string& contents) {
  auto volume = std::make_shared<FakeVolume>(*this, path, ctlfs::Creation{0600});
  volume->write(0, std::as_bytes(std::span(contents)), 0);
  const std::lock_guard lock(mutex_);
  volumes_[path] = volume;
  return volume;
}

void FakeBackend::have_directory(const std::string& path) {
  const std::lock_guard lock(mutex_);
  directories_[path].permissions = 0755;
}

void FakeBackend::fail(const std::string& call, int error) {
  const std::lock_guard lock(mutex_);
  failing_[call] = error;
}

void FakeBackend::block(const std::string& call) {
  const std::lock_guard lock(mutex_);
  blocking_.insert(call);
}

void FakeBackend::release_calls() {
  const std::lock_guard lock(mutex_);
  blocking_.clear();
  changed_.notify_all();
}

bool FakeBackend::wait_for_blocked() {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience, [&] { return blocked_ > 0; });
}

bool FakeBackend::wait_for(const std::string& call) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, kPatience,
                           [&] { return std::find(calls_.begin(), calls_.end(), call) != calls_.end(); });
}

std::vector<std::string> FakeBackend::calls(const std::string& prefix) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> matching;
  std::copy_if(calls_.begin(), calls_.end(), std::back_inserter(matching),
               [&](const std::string& call) { return call.starts_with(prefix); });
  return matching;
}

void FakeBackend::forget_calls() {
  const std::lock_guard lock(mutex_);
  calls_.clear();
}

std::vector<std::string> FakeBackend::refusals() const {
  const std::lock_guard lock(mutex_);
  return refusals_;
}

std::shared_ptr<FakeVolume> FakeBackend::volume(const std::string& path) const {
  const std::lock_guard lock(mutex_);
  const auto at = volumes_.find(path);
  return at == volumes_.end() ? nullptr : at->second;
}

void FakeBackend::called(const std::string& call, const std::string& argument) {
  std::unique_lock lock(mutex_);
  calls_.push_back(argument.empty() ? call : call + " " + argument);
  changed_.notify_all();
  ++blocked_;
  changed_.wait(lock, [&] { return !blocking_.contains(call); });
  --blocked_;
  const auto at = failing_.find(call);
  if (at != failing_.end() && at->second != 0) throw Failure(at->second, "cannot " + call);
}

std::vector<ctlfs::Backend::Entry> FakeBackend::entries() {
  const std::lock_guard lock(mutex_);
  std::vector<Entry> all;
  for (const auto& [path, attributes] : directories_) {
    if (!path.empty()) all.push_back({path, nullptr});
  }
  for (const auto& [path, volume] : volumes_) all.push_back({path, volume});
  return all;
}

std::shared_ptr<ctlfs::Volume> FakeBackend::create(const std::string& path, const ctlfs::Creation& creation) {
  called("create " + path, creation.draft ? "draft" : "");
  auto volume = std::make_shared<FakeVolume>(*this, path, creation);
  const std::lock_guard lock(mutex_);
  if (!volumes_.emplace(path, volume).second) throw Failure(EEXIST, "the tree made " + path + " twice");
  return volume;
}

std::shared_ptr<ctlfs::Volume> FakeBackend::attach_in_place(const std::string& path,
                                                            const std::string& target) {
  called("attach_in_place " + path, target);
  auto volume = std::make_shared<FakeVolume>(*this, path, ctlfs::Creation{0777}, target);
  const std::lock_guard lock(mutex_);
  if (!volumes_.emplace(path, volume).second) throw Failure(EEXIST, "the tree made " + path + " twice");
  return volume;
}

void FakeBackend::make_directory(const std::string& path, const ctlfs::Creation& creation) {
  called("make_directory " + path);
  const std::lock_guard lock(mutex_);
  auto& made = directories_[path];
  made.permissions = creation.permissions;
  made.uid = creation.uid;
  made.gid = creation.gid;
}

void FakeBackend::must_exist(const std::string& path) const {
  if (!volumes_.contains(path) && !directories_.contains(path)) throw Failure(ENOENT, "there is no " + path);
}

void FakeBackend::remove(const std::string& path) {
  called("remove " + path);
  const std::lock_guard lock(mutex_);
  must_exist(path);
  events_.end(*volumes_.at(path)->topic());
  volumes_.erase(path);
}

void FakeBackend::remove_directory(const std::string& path) {
  called("remove_directory " + path);
  const std::lock_guard lock(mutex_);
  must_exist(path);
  directories_.erase(path);
}

void FakeBackend::rename(const std::string& from, const std::string& to) {
  called("rename " + from, to);
  const std::lock_guard lock(mutex_);
  must_exist(from);
  if (directories_.contains(from)) {
    const std::string below = from + "/";
    directories_[to] = directories_[from];
    directories_.erase(from);
    std::map<std::string, std::shared_ptr<FakeVolume>> moved;
    for (auto& [path, volume] : volumes_) {
      const std::string now = path.starts_with(below) ? to + path.substr(from.size()) : path;
      volume->moved(now);
      moved[now] = volume;
    }
    volumes_ = std::move(moved);
    return;
  }
  auto volume = volumes_[from];
  volumes_.erase(from);
  volume->moved(to);
  volumes_[to] = volume;
}

ctlfs::Attributes FakeBackend::directory_attributes(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto at = directories_.find(path);
  if (at == directories_.end()) throw Failure(ENOENT, "there is no directory " + path);
  return at->second;
}

void FakeBackend::change_directory(const std::string& path, const ctlfs::AttributeChange& change) {
  called("change_directory " + path);
  const std::lock_guard lock(mutex_);
  must_exist(path);
  apply(directories_[path], change);
}

struct statvfs FakeBackend::space() {
  struct statvfs space {};
  space.f_bsize = space.f_frsize = 4096;
  space.f_blocks = 1000;
  space.f_bfree = space.f_bavail = 700;
  space.f_namemax = 255;
  return space;
}

std::string FakeBackend::status_table(const std::string& directory) {
  return "table of '" + directory + "'\n";
}

std::string FakeBackend::control(const std::string& file) {
  const std::lock_guard lock(mutex_);
  const auto at = values_.find(file);
  return (at == values_.end() ? "root " + file : at->second) + "\n";
}

void FakeBackend::set_control(const std::string& file, const std::string& value) {
  called("set " + file, value);
  const std::lock_guard lock(mutex_);
  values_[file] = value;
}

void FakeBackend::refused(const std::string& sentence) noexcept {
  const std::lock_guard lock(mutex_);
  refusals_.push_back(sentence);
}

void FakeBackend::happened(const std::string& subject, const std::string& word) {
  const auto about = volume(subject);
  events_.add(about ? about->topic() : nullptr, subject + " " + word + "\n");
}

FakeVolume::FakeVolume(FakeBackend& backend, std::string path, const ctlfs::Creation& creation,
                       std::string link_target)
    : backend_(backend),
      memory_(memfd_create("volume", MFD_CLOEXEC)),
      link_target_(std::move(link_target)),
      path_(std::move(path)) {
  if (!memory_) throw_errno("cannot make a file in memory");
  attributes_.permissions = creation.permissions;
  attributes_.uid = creation.uid;
  attributes_.gid = creation.gid;
}

bool FakeVolume::attached() const {
  const std::lock_guard lock(mutex_);
  return attached_;
}

std::string FakeVolume::contents() {
  std::string all(size(), '\0');
  read(0, std::as_writable_bytes(std::span(all)));
  return all;
}

std::string FakeVolume::path() const {
  const std::lock_guard lock(mutex_);
  return path_;
}

void FakeVolume::moved(const std::string& path) {
  const std::lock_guard lock(mutex_);
  path_ = path;
}

std::size_t FakeVolume::largest_write() const {
  const std::lock_guard lock(mutex_);
  return largest_write_;
}

u64 FakeVolume::size() const {
  struct stat file {};
  fstat(memory_.number(), &file);
  return static_cast<u64>(file.st_size);
}

ctlfs::Attributes FakeVolume::attributes() {
  struct stat file {};
  fstat(memory_.number(), &file);
  const std::lock_guard lock(mutex_);
  ctlfs::Attributes now = attributes_;
  now.size_bytes = link_target_.empty() ? static_cast<u64>(file.st_size) : link_target_.size();
  now.blocks_512 = static_cast<u64>(file.st_blocks);
  return now;
}

void FakeVolume::change(const ctlfs::AttributeChange& change) {
  backend_.called("change " + path());
  const std::lock_guard lock(mutex_);
  apply(attributes_, change);
}

void FakeVolume::resize(u64 size_bytes, pid_t /*process*/) {
  backend_.called("resize " + path(), std::to_string(size_bytes));
  if (ftruncate(memory_.number(), static_cast<off_t>(size_bytes)) != 0) throw_errno("cannot resize");
  const std::lock_guard lock(mutex_);
  if (size_bytes == 0) attached_ = false;
}

std::size_t FakeVolume::read(u64 offset, std::span<std::byte> buffer) {
  const ssize_t length = pread(memory_.number(), buffer.data(), buffer.size(), static_cast<off_t>(offset));
  if (length < 0) throw_errno("cannot read");
  return static_cast<std::size_t>(length);
}

void FakeVolume::must_be_a_file() const {
  const std::lock_guard lock(mutex_);
  if (attached_) throw Failure(EBUSY, "it is a disk now");
}

void FakeVolume::write(u64 offset, std::span<const std::byte> bytes, pid_t /*process*/) {
  must_be_a_file();
  const ssize_t length = pwrite(memory_.number(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
  if (length != static_cast<ssize_t>(bytes.size())) throw_errno("cannot write");
  const std::lock_guard lock(mutex_);
  largest_write_ = std::max(largest_write_, bytes.size());
}

void FakeVolume::allocate(int mode, u64 offset, u64 length, pid_t /*process*/) {
  backend_.called("allocate " + path());
  must_be_a_file();
  if (fallocate(memory_.number(), mode, static_cast<off_t>(offset), static_cast<off_t>(length)) != 0) {
    throw_errno("cannot allocate");
  }
}

void FakeVolume::sync() {
  backend_.called("sync " + path());
}

u64 FakeVolume::seek(u64 offset, int whence) {
  const off_t found = lseek(memory_.number(), static_cast<off_t>(offset), whence);
  if (found < 0) throw_errno("cannot seek");
  return static_cast<u64>(found);
}

u64 FakeVolume::copy_from(ctlfs::Volume& source, u64 source_offset, u64 offset, u64 length, pid_t process) {
  const u64 source_size = dynamic_cast<FakeVolume&>(source).size();
  if (source_offset >= source_size) return 0;
  length = std::min(length, source_size - source_offset);
  backend_.called("copy to " + path(), std::to_string(length));
  std::string part(length, '\0');
  source.read(source_offset, std::as_writable_bytes(std::span(part)));
  write(offset, std::as_bytes(std::span(part)), process);
  return length;
}

void FakeVolume::attach() {
  backend_.called("attach " + path(), std::to_string(size()));
  const u64 length = size();
  const std::lock_guard lock(mutex_);
  if (length > 0) attached_ = true;
}

void FakeVolume::attach_later() noexcept {
  try {
    backend_.called("attach_later " + path(), std::to_string(size()));
  } catch (const Failure&) {
    return;
  }
  const u64 length = size();
  const std::lock_guard lock(mutex_);
  if (length > 0) attached_ = true;
}

std::string FakeVolume::control(const std::string& file) {
  const std::lock_guard lock(mutex_);
  const auto at = values_.find(file);
  return (at == values_.end() ? file + " of " + path_ : at->second) + "\n";
}

void FakeVolume::set_control(const std::string& file, const std::string& value) {
  backend_.called("set " + path() + "/" + file, value);
  const std::lock_guard lock(mutex_);
  values_[file] = value;
}

}  // namespace tcmufs::testing
