#include "sys/error.h"
#include "volume/file_volume.h"

namespace tcmufs::volume {

// By the thread that serves the ring, which must not wait: the log may lie on the very disk.
void FileVolume::room_changed(SpaceWait::Change change) {
  std::string sentence;
  {
    const std::lock_guard lock(mutex_);
    const std::string name = tcmufs::quoted(facts_.path);
    const std::string limit = std::to_string(facts_.settings.enospc_timeout_s);
    if (change == SpaceWait::Change::paused) {
      no_room_ = sentence = "there is no room left for what is written to " + name +
                            " (ENOSPC or EDQUOT): its writes wait. Make room where its image is, and they go "
                            "on by themselves; after " +
                            limit + " s (enospc_timeout) they fail";
      if (facts_.state == State::ready) record(std::string(state_name(State::paused)), sentence);
    } else {
      no_room_.clear();
      if (change == SpaceWait::Change::given_up) {
        facts_.last_error = sentence = "writes to " + name + " have failed: for " + limit +
                                       " s (enospc_timeout) there was no room for them (ENOSPC or EDQUOT)";
        record("refused", sentence);
      }
      if (facts_.state == State::ready) record(std::string(state_name(State::ready)), facts_.device);
    }
  }
  if (!sentence.empty()) context_.refused(sentence);
}

}  // namespace tcmufs::volume
