// A disk that can be served no longer.

#include "sys/error.h"
#include "volume/file_volume.h"

namespace tcmufs::volume {

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
