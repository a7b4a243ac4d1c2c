#include "mountctl/command_wait.h"

#include "mountctl/control_file.h"
#include "mountctl/progress.h"
#include "mountctl/refusal.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

void wait_for_volume(const std::string& mount, const std::string& given, Deadline::Clock::duration timeout) {
  const std::string name = volume_name(mount, given);
  std::string state;
  const Progress progress("waiting for " + quoted(name) + " to be ready");
  const bool ready = poll_until(Deadline::after(timeout), [&] {
    require_volume(mount, name);
    state = control_line(mount, name, "state").value_or("unknown");
    if (state == "failed") {
      const std::string sentence = control_line(mount, name, "last_error").value_or("");
      throw Refusal(ExitStatus::failed,
                    quoted(name) + " has failed" + (sentence.empty() ? "" : ": " + sentence));
    }
    return state == "ready";
  });
  if (ready) return;
  std::string hint;
  if (state == "pending")
    hint = ". A pending volume becomes a disk when it is given a size and an ordinary name";
  if (state == "draft") hint = ". A draft becomes a disk by 'mountctl attach " + name + "'";
  throw Refusal(ExitStatus::timed_out, quoted(name) + " is not ready yet, its state is " + state + hint);
}

}  // namespace tcmufs::mountctl
