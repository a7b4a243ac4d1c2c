#include "mountctl/command_resize.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "mountctl/control_file.h"
#include "mountctl/last_error.h"
#include "mountctl/progress.h"
#include "sys/error.h"
#include "sys/fd.h"

namespace tcmufs::mountctl {

namespace {

std::string text_of(const SizeChange& change) {
  const char* sign = change.kind == SizeChange::Kind::grow     ? "+"
                     : change.kind == SizeChange::Kind::shrink ? "-"
                                                               : "";
  return sign + std::to_string(change.bytes);
}

}  // namespace

void resize_volume(const std::string& mount, const std::string& given, const SizeChange& change) {
  const std::string name = volume_name(mount, given);
  const Progress progress("waiting for the disk of " + quoted(name) + " to have its new size");
  require_volume(mount, name);
  const std::string attempt = "cannot resize " + quoted(name);
  const LastError last_error(mount, name);
  const int file = ::open((mount + "/" + name).c_str(), O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0 && errno == ELOOP) {  // a link, whose file is another's
    const int error = write_control(control_path(mount, name, "size"), text_of(change));
    if (error != 0) throw last_error.refusal(attempt, error);
    return;
  }
  if (file < 0) throw last_error.refusal(attempt, errno);
  Fd owner(file);
  struct stat st {};
  if (::fstat(file, &st) != 0) throw last_error.refusal(attempt, errno);
  const u64 size_bytes = size_after(change, static_cast<u64>(st.st_size));
  if (::ftruncate(file, static_cast<off_t>(size_bytes)) != 0) throw last_error.refusal(attempt, errno);
  // close() attaches a volume that had no size before; its result counts.
  if (::close(owner.release()) != 0) throw last_error.refusal(attempt, errno);
}

}  // namespace tcmufs::mountctl
