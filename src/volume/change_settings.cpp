// Settings of a volume. Some a disk is given while it is used. The others it has from when it was made, so
// that another value takes it away and makes it anew: first the disk goes, then the record is written, then
// the new disk comes. Whenever the daemon is killed in between, the record says what the disk is that the
// kernel has, or there is none.

#include <cerrno>

#include "sys/error.h"
#include "volume/file_volume.h"

namespace tcmufs::volume {

namespace {

void check_fits(const Facts& facts, const Settings& wanted) {
  const u64 block = wanted.block_size_bytes;
  if (facts.size_bytes % block == 0) return;
  throw Failure(
      EINVAL,
      quoted(facts.path) + " cannot have blocks of " + std::to_string(block) + " bytes: its size of " +
          std::to_string(facts.size_bytes) + " is no multiple of that",
      "Give it a size of " + std::to_string((facts.size_bytes / block + 1) * block) + " bytes first");
}

int error_of(const std::exception& error) {
  const auto* failure = dynamic_cast<const Failure*>(&error);
  return failure != nullptr ? failure->error() : EIO;
}

}  // namespace

void FileVolume::change_setting(const std::string& name, const std::string& value) {
  const Facts now = facts();
  if (retired_) throw Failure(ENOENT, quoted(now.path) + " is no longer there");
  if (!problem_.empty()) throw Failure(EIO, problem_);
  const Settings wanted = with_setting(record_.settings, name, value, quoted(now.path));
  if (wanted == record_.settings) return;
  check_fits(now, wanted);
  if (disk_ && only_tuned(record_.settings, wanted)) return tune(wanted);
  if (disk_ || stranded_) {
    const Settings before = record_.settings;
    return make_anew(
        "cannot set " + name + " of " + quoted(now.path) + " to " + quoted(value),
        [&] { keep_settings(wanted); },
        [&] {
          if (record_.settings != before) keep_settings(before);
        });
  }
  keep_settings(wanted);
  if (now.state != State::failed) return;
  try {
    attach_now();
  } catch (const std::exception& error) {
    // The value is set; that the volume still cannot become a disk is what its state says.
    remember(error.what());
  }
}

// A disk never has a value that is not kept.
void FileVolume::tune(const Settings& settings) {
  try {
    disk_->tune(settings);
    keep_settings(settings);
    statistics_.space_wait().set_limit(settings.enospc_timeout_s);
  } catch (...) {
    try {
      disk_->tune(record_.settings);
    } catch (const std::exception& error) {
      context_.log(error.what());
    }
    throw;
  }
}

void FileVolume::keep_settings(const Settings& settings) {
  Record record = record_;
  record.settings = settings;
  keep(record);
}

void FileVolume::keep(const Record& record) {
  const std::string path = facts().path;
  try {
    context_.catalog.save(path, record);
  } catch (...) {
    // It may have been written and only its directory not synced.
    try {
      context_.catalog.save(path, record_);
    } catch (const std::exception& error) {
      context_.log(error.what());
    }
    throw;
  }
  record_ = record;
  const std::lock_guard lock(mutex_);
  facts_.settings = record.settings;
}

// Its file does not become writable in between, as it does when detached.
void FileVolume::take_disk_away() {
  const bool touched = !disk_->untouched();
  const Fd claim = disk_->claim_idle();
  disk_->flush(claim);
  begin(State::detaching);
  drop_disk();
  const std::lock_guard lock(mutex_);
  if (touched) maker_ = 0;  // the next disk is as good as touched
}

void FileVolume::make_anew(const std::string& what, const std::function<void()>& change,
                           const std::function<void()>& change_back) {
  if (disk_) take_disk_away();
  std::string reason;
  int error = 0;
  try {
    change();
    return attach_now();
  } catch (const std::exception& failure) {
    reason = failure.what();
    error = error_of(failure);
  }
  std::string outcome = "It is a disk again with what was set before";
  try {
    change_back();
    attach_now();
  } catch (const std::exception& failure) {
    outcome = "It could not be made a disk again with what was set before either: ";
    outcome += failure.what();
  }
  throw Failure(error, what + ", because then it cannot become a disk (" + reason + ")", outcome);
}

}  // namespace tcmufs::volume
