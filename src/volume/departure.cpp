// The disk goes: somebody wants it gone, the daemon ends, or it has been taken away.

#include <utility>

#include "sys/error.h"
#include "volume/file_volume.h"

namespace tcmufs::volume {

// A store that has failed to flush once will not do it again, and the disk must go one day: whoever has been
// told what is lost, and asks again, has it.
void FileVolume::flush_or_refuse(const Fd& claim) {
  try {
    disk_->flush(claim);
  } catch (const Failure& failure) {
    if (std::exchange(told_of_loss_, true))
      return context_.log(quoted(facts().path) + " goes without what is not synced: " + failure.what());
    throw Failure(failure.error(),
                  "what is not synced of " + quoted(facts().path) + " cannot be written, and would be lost",
                  "Do the same once more to have it gone all the same");
  }
}

void FileVolume::detach_now() {
  const Fd claim = disk_->claim_idle();
  flush_or_refuse(claim);
  begin(State::detaching);
  drop_disk();
  set_state(State::pending);
}

void FileVolume::drop_disk() {
  {
    const std::lock_guard lock(mutex_);
    facts_.device.clear();
    facts_.sg.clear();
    facts_.link.clear();
    facts_.engine.clear();
    facts_.holders.clear();
    device_ = {};
  }
  disk_.reset();
  close_target();
}

void FileVolume::take_down() {
  const std::lock_guard lock(transition_);
  retired_ = true;
  if (!disk_) return;
  try {
    return detach_now();
  } catch (const Failure& failure) {
    context_.log(std::string(failure.what()) + "; it is taken away all the same");
  }
  const std::string lost = disk_->flush_used();
  if (!lost.empty()) context_.log(quoted(facts().path) + " could not be flushed: " + lost);
  begin(State::detaching);
  drop_disk();
  set_state(State::pending);
}

void FileVolume::disk_failed(const std::string& sentence) {
  context_.log(quoted(facts().path) + ": " + sentence);
  {
    const std::lock_guard lock(mutex_);
    facts_.last_error = sentence;
    enter(State::failed);
  }
  // The thread that calls is the disk's own.
  try {
    context_.workers.start([self = shared_from_this(), sentence] { self->let_go_if_gone(sentence); });
  } catch (const std::exception& error) {
    context_.log(error.what());
  }
}

// The next disk of the machine gets the node that this one had, so the link to it must not stay.
void FileVolume::let_go_if_gone(const std::string& sentence) {
  const std::lock_guard lock(transition_);
  if (!disk_ || !disk_->is_gone()) return;
  {
    const std::unique_lock guard(image_guard_);
    drop_disk();
  }
  const std::lock_guard facts_lock(mutex_);
  facts_.last_error = sentence + "; the image is kept, and attaching it makes the disk anew";
  if (facts_.state != State::failed) enter(State::failed);
}

}  // namespace tcmufs::volume
