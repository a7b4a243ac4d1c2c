#include "sys/protect.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs {

namespace {

std::string refusal(const std::string& what) {
  return Failure(errno, what).what();
}

}  // namespace

void protect_process(const std::function<void(const std::string&)>& log) {
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    if (::setrlimit(RLIMIT_NOFILE, &files) != 0) log(refusal("cannot raise the limit of open files"));
  }
  if (::prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) != 0) log(refusal("cannot become an I/O flusher"));
  if (::mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0) log(refusal("cannot lock the memory"));
  try {
    write_text("/proc/self/oom_score_adj", "-1000");
  } catch (const Failure& failure) {
    log(failure.what());
  }
}

}  // namespace tcmufs
