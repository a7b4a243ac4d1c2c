// The volume's way from file to disk and back. Each transition runs in a thread of its own, holds transition_
// from its beginning to its end, and sets the state itself: whoever waits for it may stop waiting.

#include <unistd.h>

#include <cerrno>
#include <utility>

#include "store/file_store.h"
#include "sys/error.h"
#include "sys/event_line.h"
#include "volume/file_volume.h"
#include "volume/link_target.h"

namespace tcmufs::volume {

namespace {

// A process that was killed lets go of what it had open when its last I/O is done.
constexpr auto dying_process_grace = std::chrono::seconds(10);

}  // namespace

template <typename Work>
void FileVolume::transition(const std::string& what, Work work) {
  try {
    context_.workers.run(what + " " + quoted(facts().path), context_.transition_limit,
                         [self = shared_from_this(), work] {
                           const std::lock_guard lock(self->transition_);
                           work(*self);
                         });
  } catch (const Failure& failure) {
    remember(failure.what());
    throw;
  } catch (const std::exception& error) {
    refuse(EIO, what + " " + quoted(facts().path) + " failed (" + error.what() + ")");
  }
}

void FileVolume::attach() {
  {
    const std::lock_guard lock(mutex_);
    if (facts_.size_bytes == 0 && !is_link()) return;
    if (facts_.state == State::ready || facts_.state == State::draft) return;
  }
  transition("attaching", [](FileVolume& self) { self.attach_now(); });
}

void FileVolume::attach_later() noexcept {
  try {
    context_.workers.start([self = shared_from_this()] {
      try {
        self->attach();
      } catch (const std::exception& error) {
        self->context_.log(error.what());
      }
    });
  } catch (const std::exception& error) {
    remember(error.what());
  }
}

void FileVolume::resize(u64 size_bytes, pid_t process) {
  refuse_misfit(size_bytes);
  if (is_link())
    return transition("resizing", [size_bytes](FileVolume& self) { self.resize_link(size_bytes); });
  if (std::shared_lock guard(image_guard_); is_file()) {
    try {
      return resize_image(size_bytes, process);
    } catch (const Failure& failure) {
      remember(failure.what());
      throw;
    }
  }
  transition("resizing", [size_bytes, process](FileVolume& self) {
    if (self.disk_ && size_bytes == 0) self.detach_now();
    if (self.disk_) return self.resize_disk(size_bytes);
    self.resize_image(size_bytes, process);
  });
}

void FileVolume::change(const ctlfs::AttributeChange& change) {
  if (is_link()) return change_link(change);
  if (change.permissions || change.uid || change.gid) {
    transition("changing owner or mode of", [change](FileVolume& self) {
      // What can be refused comes first.
      if (change.permissions) self.change_mode(*change.permissions & 0777);
      if (change.uid || change.gid) self.change_owner(change);
    });
  }
  if (change.accessed || change.modified) change_times(change);
}

void FileVolume::set_control(const std::string& file, const std::string& value) {
  if (file == "ctl") return command(value);
  transition("setting " + file + " of", [file, value](FileVolume& self) {
    const Settings before = self.record_.settings;
    self.change_setting(file, value);
    const std::lock_guard lock(self.mutex_);
    if (self.record_.settings != before) self.record("set", file + " " + value);
  });
}

void FileVolume::command(const std::string& text) {
  Verb verb{};
  try {
    verb = verb_of(text, ".ctl/vol/" + facts().path + "/ctl");
  } catch (const Failure& failure) {
    remember(failure.what());
    throw;
  }
  carry_out(verb);
}

void FileVolume::carry_out(Verb verb) {
  if (verb == Verb::detach) {
    return transition("detaching", [](FileVolume& self) {
      if (self.disk_) return self.detach_now();
      static_cast<void>(self.is_file());
    });
  }
  const Facts now = facts();
  if (now.size_bytes == 0 && !is_link()) {
    refuse(EINVAL, quoted(now.path) + " cannot become a disk: it has no size",
           "Give it one: truncate -s 10G " + now.path);
  }
  transition("attaching", [](FileVolume& self) {
    if (self.retired_) throw Failure(ESHUTDOWN, quoted(self.facts().path) + " is being taken down");
    self.end_draft();
    if (self.disk_ && self.is_link()) return self.follow_target();
    self.attach_now();
  });
}

void FileVolume::retire() {
  wanted_ = false;
  try {
    transition("detaching", [](FileVolume& self) {
      if (self.disk_)
        self.detach_now();
      else
        static_cast<void>(self.is_file());
      // Whoever wanted it may have stopped waiting.
      self.retired_ = !self.wanted_;
    });
  } catch (...) {
    wanted_ = true;
    throw;
  }
}

void FileVolume::stay() {
  wanted_ = true;
  transition("keeping", [](FileVolume& self) { self.retired_ = false; });
}

void FileVolume::move(const std::string& path, const std::string& target,
                      const std::function<void()>& rename) {
  // Whoever has stopped waiting has put everything back: then it must not happen any more.
  const auto given_up = std::make_shared<std::atomic<bool>>(false);
  try {
    transition("renaming", [path, target, rename, given_up](FileVolume& self) {
      if (*given_up) return;
      const std::string before = self.facts().path;
      if (self.disk_) self.disk_->move_link(path);
      try {
        rename();
      } catch (...) {
        if (self.disk_) self.disk_->move_link(before);
        throw;
      }
      self.target_ = target;
      const std::lock_guard lock(self.mutex_);
      self.record("renamed", path_word(path));
      self.facts_.path = path;
      if (self.disk_) self.facts_.link = self.disk_->link();
    });
  } catch (...) {
    *given_up = true;
    throw;
  }
}

void FileVolume::begin(State state) {
  const std::unique_lock guard(image_guard_);  // no file I/O is under way any more
  set_state(state);
}

void FileVolume::set_state(State state) {
  const std::lock_guard lock(mutex_);
  enter(state);
}

// The mark goes before the disk comes: whoever finds it after a crash has no disk.
void FileVolume::end_draft() {
  if (!record_.draft) return;
  Record record = record_;
  record.draft = false;
  keep(record);
  set_state(State::pending);
}

void FileVolume::attach_now() {
  if (retired_ || disk_ || record_.draft) return;
  if (!problem_.empty()) throw Failure(EIO, problem_);
  begin(State::attaching);
  off_t end = 0;
  try {
    open_target();
    know_image();
    end = ::lseek(image_.number(), 0, SEEK_END);
    if (end < 0) throw_errno("cannot tell the size of the image of " + quoted(facts().path));
    if (end == 0 && is_link()) throw Failure(EINVAL, quoted(link_target_) + " has no size");
    if (end == 0) return set_state(State::pending);
    if (const auto failure = misfit(static_cast<u64>(end))) throw Failure(*failure);
    disk_ = make_disk(static_cast<u64>(end));
  } catch (const std::exception& error) {
    close_target();
    const bool left = context_.left_in_kernel(record_.uuid);
    const std::lock_guard lock(mutex_);
    facts_.last_error = error.what();
    enter(State::failed);
    stranded_ = left;
    throw;
  }
  remember_lun();
  told_of_loss_ = false;
  const std::string warning = disk_->warning();
  if (!warning.empty()) context_.log(quoted(facts().path) + ": " + warning);
  const std::lock_guard lock(mutex_);
  facts_.size_bytes = static_cast<u64>(end);
  device_ = disk_->device();
  facts_.device = device_.node;
  facts_.sg = device_.sg;
  facts_.link = disk_->link();
  facts_.engine = disk_->engine();
  facts_.last_error = warning;
  enter(State::ready);
  stranded_ = false;
}

// The next start finds the disk at the same address. If that cannot be kept, it may get another one: no
// reason to go without.
void FileVolume::remember_lun() {
  if (record_.lun == disk_->lun() || !wanted_) return;
  record_.lun = disk_->lun();
  try {
    context_.catalog.save(facts().path, record_);
  } catch (const std::exception& error) {
    context_.log(error.what());
  }
}

// An open file description of its own: the lock on it is held until the last I/O through it has ended.
Fd FileVolume::open_for_disk() const {
  const bool direct = record_.settings.direct;
  try {
    return open_anew(image_, direct ? O_DIRECT : 0, is_link() ? link_target_ : facts().path,
                     Deadline::after(dying_process_grace));
  } catch (const Failure& failure) {
    if (!direct || failure.error() != EINVAL) throw;
    throw Failure(EINVAL,
                  "the image of " + quoted(facts().path) +
                      " cannot be read and written directly: the file system of the store has no O_DIRECT",
                  "Set 'direct' to 0");
  }
}

std::unique_ptr<Disk> FileVolume::make_disk(u64 size_bytes) {
  const auto deadline = Deadline::after(context_.ready_limit);
  // Whoever else has locked what a link leads to may keep it.
  const auto lock_deadline = is_link() ? Deadline::after(dying_process_grace) : deadline;
  const std::string path = facts().path;
  auto store =
      std::make_unique<store::FileStore>(open_for_disk(), "the image of " + quoted(path), lock_deadline);
  const DiskOptions options{
      .path = path,
      .identity = {.uuid = record_.uuid,
                   .vendor = record_.settings.vendor,
                   .product = record_.settings.product,
                   .serial = record_.settings.serial},
      .keeper = context_.catalog.uuid().text(),
      .hba = {},
      .target_wwn = target_,
      .lun = record_.lun,
      .format = {.block_size_bytes = record_.settings.block_size_bytes,
                 .physical_block_size_bytes = record_.settings.physical_block_size_bytes,
                 .size_bytes = size_bytes,
                 .read_only = write_protected_with(owner().permissions),
                 .write_cache = record_.settings.write_cache,
                 .thin = record_.settings.discard},
      .settings = record_.settings,
      .owner = owner(),
      .link_root = context_.link_root,
      .deadline = deadline,
      .statistics = statistics_};
  statistics_.space_wait().set_limit(record_.settings.enospc_timeout_s);
  return context_.make_disk(options, std::move(store),
                            [this](const std::string& sentence) { disk_failed(sentence); });
}

void FileVolume::resize_disk(u64 size_bytes) {
  const bool shrinks = size_bytes < facts().size_bytes;
  const Fd claim = shrinks ? disk_->claim_idle() : Fd();
  if (shrinks) disk_->flush(claim);
  set_state(State::resizing);
  try {
    disk_->resize(size_bytes, Deadline::after(context_.ready_limit));
  } catch (...) {
    set_state(State::ready);
    throw;
  }
  const std::lock_guard lock(mutex_);
  facts_.size_bytes = size_bytes;
  record("resized", std::to_string(size_bytes));
  enter(State::ready);
}

void FileVolume::resize_image(u64 size_bytes, pid_t process) {
  if (::ftruncate(image_.number(), static_cast<off_t>(size_bytes)) != 0) {
    throw_errno("cannot make the image of " + quoted(facts().path) + " " + std::to_string(size_bytes) +
                " bytes long");
  }
  const std::lock_guard lock(mutex_);
  if (facts_.size_bytes != size_bytes) record("resized", std::to_string(size_bytes));
  facts_.size_bytes = size_bytes;
  // Whoever empties a volume makes it anew.
  if (size_bytes == 0) maker_ = process;
}

void FileVolume::become_file(pid_t process, const std::string& operation) {
  transition("detaching", [process, operation](FileVolume& self) {
    if (!self.disk_) return;
    const Facts now = self.facts();
    bool is_maker = false;
    {
      const std::lock_guard lock(self.mutex_);
      is_maker = process != 0 && process == self.maker_;
    }
    // qemu-img closes what it has made before it fills it: the disk that came of it is taken back as long as
    // nobody can have noticed.
    if (is_maker && self.disk_->untouched()) return self.detach_now();
    throw Failure(
        EBUSY,
        quoted(now.path) + " is a disk now (" + now.device + ") and cannot be " + operation + " as a file",
        "Write to " + quoted(now.link) + " instead");
  });
}

}  // namespace tcmufs::volume
