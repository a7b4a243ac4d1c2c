// The volume as a file: what FUSE asks for while there is no disk, and what status shows.

#include "volume/file_volume.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "store/copy_range.h"
#include "sys/error.h"
#include "volume/clock.h"
#include "volume/statistics_text.h"

namespace tcmufs::volume {

namespace {

constexpr u32 smallest_block = 512;

u64 image_size(const Fd& image) {
  struct stat st {};
  if (::fstat(image.number(), &st) != 0) throw_errno("cannot stat an image");
  return static_cast<u64>(st.st_size);
}

}  // namespace

FileVolume::FileVolume(Context& context, std::string path, const Record& record, Fd image, std::string target,
                       pid_t maker)
    : context_(context),
      image_(std::move(image)),
      link_target_(record.target),
      record_(record),
      target_(std::move(target)),
      maker_(maker) {
  facts_.path = std::move(path);
  facts_.uuid = record_.uuid;
  facts_.settings = record_.settings;
  facts_.target = link_target_;
  if (::fstat(image_.number(), &medium_) != 0) throw_errno("cannot stat an image");
  facts_.size_bytes = static_cast<u64>(medium_.st_size);
  if (record_.draft) facts_.state = State::draft;
  statistics_.space_wait().tell([this](SpaceWait::Change change) { room_changed(change); });
}

FileVolume::FileVolume(Context& context, std::string path, Fd image, std::string problem)
    : FileVolume(context, std::move(path), Record{}, std::move(image), "", 0) {
  problem_ = std::move(problem);
  facts_.last_error = problem_;
  enter(State::failed);
}

ctlfs::Attributes FileVolume::attributes() {
  if (is_link()) return link_attributes();
  struct stat st {};
  if (::fstat(image_.number(), &st) != 0) throw_errno("cannot stat the image of " + quoted(facts().path));
  ctlfs::Attributes result;
  result.permissions = st.st_mode & 07777;
  result.uid = st.st_uid;
  result.gid = st.st_gid;
  result.size_bytes = static_cast<u64>(st.st_size);
  result.blocks_512 = static_cast<u64>(st.st_blocks);
  result.accessed = st.st_atim;
  result.modified = st.st_mtim;
  result.changed = st.st_ctim;
  return result;
}

std::size_t FileVolume::read(u64 offset, std::span<std::byte> buffer) {
  std::size_t done = 0;
  while (done < buffer.size()) {
    const ssize_t n = ::pread(image_.number(), buffer.data() + done, buffer.size() - done,
                              static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("cannot read the image of " + quoted(facts().path));
    if (n == 0) break;
    done += static_cast<std::size_t>(n);
  }
  return done;
}

/// While that is kept, the volume is no disk and does not become one.
std::shared_lock<std::shared_mutex> FileVolume::as_file(pid_t process, const std::string& operation) {
  std::shared_lock guard(image_guard_);
  while (!is_file()) {
    guard.unlock();
    become_file(process, operation);
    guard.lock();
  }
  return guard;
}

// As far as what failed midway has got: close() makes a disk of that.
void FileVolume::follow_image() noexcept {
  struct stat st {};
  if (::fstat(image_.number(), &st) != 0) return;  // it stays what was known
  const std::lock_guard lock(mutex_);
  facts_.size_bytes = std::max(facts_.size_bytes, static_cast<u64>(st.st_size));
}

void FileVolume::write(u64 offset, std::span<const std::byte> bytes, pid_t process) {
  const auto guard = as_file(process, "written to");
  std::size_t done = 0;
  while (done < bytes.size()) {
    const ssize_t n = ::pwrite(image_.number(), bytes.data() + done, bytes.size() - done,
                               static_cast<off_t>(offset + done));
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) {
      const int reason = errno;
      follow_image();
      refuse(reason, "cannot write the image of " + quoted(facts().path));
    }
    done += static_cast<std::size_t>(n);
  }
  const std::lock_guard lock(mutex_);
  facts_.size_bytes = std::max(facts_.size_bytes, offset + bytes.size());
}

void FileVolume::allocate(int mode, u64 offset, u64 length, pid_t process) {
  const bool grows = (mode & FALLOC_FL_KEEP_SIZE) == 0 && offset + length > facts().size_bytes;
  if (grows) refuse_misfit(offset + length);
  const bool only_allocates = (mode & ~FALLOC_FL_KEEP_SIZE) == 0;
  std::shared_lock guard(image_guard_);
  while (!is_file() && !only_allocates) {
    guard.unlock();
    become_file(process, "changed");
    guard.lock();
  }
  if (grows && !is_file()) {
    guard.unlock();
    resize(offset + length, process);
    guard.lock();
  }
  if (::fallocate(image_.number(), mode, static_cast<off_t>(offset), static_cast<off_t>(length)) != 0) {
    const int reason = errno;
    // Not every file system can; the caller (fallocate(1), cp) knows what to do then.
    if (reason == EOPNOTSUPP) throw Failure(reason, "the store's file system cannot do that");
    refuse(reason, "cannot allocate room in the image of " + quoted(facts().path));
  }
  const u64 size_bytes = image_size(image_);
  const std::lock_guard lock(mutex_);
  if (facts_.size_bytes != size_bytes) record("resized", std::to_string(size_bytes));
  facts_.size_bytes = size_bytes;
}

u64 FileVolume::seek(u64 offset, int whence) {
  const off_t found = ::lseek(image_.number(), static_cast<off_t>(offset), whence);
  if (found < 0) throw_errno("cannot look for data in the image of " + quoted(facts().path));
  return static_cast<u64>(found);
}

u64 FileVolume::copy_from(ctlfs::Volume& source, u64 source_offset, u64 offset, u64 length, pid_t process) {
  const auto* from = dynamic_cast<FileVolume*>(&source);
  if (from == nullptr) throw Failure(EXDEV, "what is copied is in another store");
  const auto guard = as_file(process, "written to");
  u64 copied = 0;
  try {
    copied = store::copy_range(from->image_.number(), source_offset, image_.number(), offset, length);
  } catch (const Failure& failure) {
    follow_image();
    refuse(failure.error(), "cannot copy " + quoted(from->facts().path) + " to " + quoted(facts().path));
  }
  const std::lock_guard lock(mutex_);
  if (copied > 0) facts_.size_bytes = std::max(facts_.size_bytes, offset + copied);
  return copied;
}

void FileVolume::sync() {
  if (::fsync(image_.number()) != 0) refuse(errno, "cannot sync the image of " + quoted(facts().path));
}

std::string FileVolume::control(const std::string& file) {
  if (is_statistics_file(file)) return statistics_file(statistics_.figures(), file);
  if (file == "inflight") return in_flight_text(statistics_.commands_in_flight().commands(), now_ns());
  return volume_file(facts(), file);
}

Facts FileVolume::facts() const {
  const std::lock_guard lock(mutex_);
  Facts facts = facts_;
  if (!no_room_.empty() && facts.state == State::ready) {
    facts.state = State::paused;
    facts.last_error = no_room_;
  }
  return facts;
}

VolumeMetrics FileVolume::metrics() const {
  // What is known without asking: a store elsewhere may not answer.
  struct statx st {};
  const bool known = ::statx(image_.number(), "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_BLOCKS, &st) == 0;
  constexpr u64 unit_bytes = 512;
  const auto commands = statistics_.commands_in_flight().commands();
  const u64 now = now_ns();
  return {.facts = facts(),
          .figures = statistics_.figures(),
          .allocated_bytes = known ? st.stx_blocks * unit_bytes : 0,
          .oldest_ns = commands.empty() ? 0 : now - std::min(now, commands.front().taken_ns)};
}

bool FileVolume::look_for_holders() {
  lio::ScsiDisk device;
  {
    const std::lock_guard lock(mutex_);
    device = device_;
  }
  std::vector<std::string> holders;
  if (!device.name.empty()) {
    for (const lio::Holder& holder : context_.holders_of(device)) holders.push_back(lio::describe({holder}));
  }
  const bool used = !holders.empty();
  const std::lock_guard lock(mutex_);
  facts_.holders = std::move(holders);
  return used;
}

bool FileVolume::is_file() const {
  const std::lock_guard lock(mutex_);
  if (!problem_.empty()) throw Failure(EIO, problem_);
  if (stranded_) {
    throw Failure(
        EBUSY, "the disk of " + quoted(facts_.path) + " is still in the kernel but could not be taken over",
        "Close the file once more to try again. " + facts_.last_error);
  }
  return facts_.state == State::draft || facts_.state == State::pending ||
         (facts_.state == State::failed && facts_.device.empty());
}

void FileVolume::remember(const std::string& sentence) noexcept {
  {
    const std::lock_guard lock(mutex_);
    const bool told = facts_.state == State::failed && facts_.last_error == sentence;
    facts_.last_error = sentence;
    if (!told && !sentence.empty()) record("refused", sentence);
  }
  if (!sentence.empty()) context_.refused(sentence);
}

void FileVolume::record(const std::string& word, const std::string& detail) noexcept {
  context_.events.record(topic_, facts_.path, word, detail);
}

void FileVolume::enter(State state) noexcept {
  facts_.state = state;
  record(std::string(state_name(state)), state == State::ready    ? facts_.device
                                         : state == State::failed ? facts_.last_error
                                                                  : std::string());
  // A disk that is taken over is served before it is ready.
  if (state == State::ready && !no_room_.empty()) record(std::string(state_name(State::paused)), no_room_);
}

void FileVolume::removed() noexcept {
  const std::lock_guard lock(mutex_);
  record("removed");
  context_.events.ring().end(*topic_);
}

void FileVolume::refuse(int error, const std::string& sentence, const std::string& advice) {
  const Failure failure(error, sentence, advice);
  remember(failure.what());
  throw failure;
}

void FileVolume::refuse_misfit(u64 size_bytes) {
  const auto failure = misfit(size_bytes);
  if (!failure) return;
  remember(failure->what());
  throw Failure(*failure);
}

std::optional<Failure> FileVolume::misfit(u64 size_bytes) const {
  const Facts now = facts();
  const u32 block = now.settings.block_size_bytes;
  if (size_bytes % block == 0) return std::nullopt;
  std::string advice = "The next size it can have is " + std::to_string((size_bytes / block + 1) * block);
  if (size_bytes % smallest_block == 0) {
    advice += "; or give it blocks of " + std::to_string(smallest_block) + " bytes: echo " +
              std::to_string(smallest_block) + " > .ctl/vol/" + now.path + "/block_size";
  }
  return Failure(EINVAL,
                 quoted(now.path) + " cannot have a size of " + std::to_string(size_bytes) +
                     " bytes: that is no multiple of its block size of " + std::to_string(block),
                 advice);
}

}  // namespace tcmufs::volume
