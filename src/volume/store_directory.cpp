#include "volume/store_directory.h"

#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "sys/error.h"
#include "sys/integers.h"

namespace tcmufs::volume {

StoreDirectory::StoreDirectory(const std::string& path)
    : path_(path), root_(open_file(path, O_PATH | O_DIRECTORY)) {}

std::string StoreDirectory::full(const std::string& relative) const {
  return relative.empty() ? path_ : path_ + "/" + relative;
}

Fd StoreDirectory::open(const std::string& relative, int flags, mode_t mode) const {
  open_how how{};
  how.flags = static_cast<u64>(static_cast<u32>(flags | O_CLOEXEC | O_NOFOLLOW));
  how.mode = mode;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  const std::string name = relative.empty() ? "." : relative;
  const long fd = ::syscall(SYS_openat2, root_.number(), name.c_str(), &how, sizeof how);
  if (fd < 0) throw_errno("cannot open " + quoted(full(relative)));
  return Fd(static_cast<int>(fd));
}

StoreDirectory::Place StoreDirectory::place(const std::string& relative) const {
  const auto slash = relative.rfind('/');
  if (slash == std::string::npos) return {open("", O_PATH | O_DIRECTORY), relative};
  return {open(relative.substr(0, slash), O_PATH | O_DIRECTORY), relative.substr(slash + 1)};
}

void StoreDirectory::make_directory(const std::string& relative, mode_t mode) const {
  const Place at = place(relative);
  if (::mkdirat(at.parent.number(), at.name.c_str(), mode) != 0) {
    throw_errno("cannot create the directory " + quoted(full(relative)));
  }
}

void StoreDirectory::make_link(const std::string& relative, const std::string& target) const {
  const Place at = place(relative);
  if (::symlinkat(target.c_str(), at.parent.number(), at.name.c_str()) != 0) {
    throw_errno("cannot create the symbolic link " + quoted(full(relative)));
  }
}

void StoreDirectory::unlink(const std::string& relative) const {
  const Place at = place(relative);
  if (::unlinkat(at.parent.number(), at.name.c_str(), 0) != 0) {
    throw_errno("cannot remove " + quoted(full(relative)));
  }
}

void StoreDirectory::remove_directory(const std::string& relative) const {
  const Place at = place(relative);
  if (::unlinkat(at.parent.number(), at.name.c_str(), AT_REMOVEDIR) != 0) {
    throw_errno("cannot remove the directory " + quoted(full(relative)));
  }
}

void StoreDirectory::rename(const std::string& from, const std::string& to, bool replaces) const {
  const Place source = place(from);
  const Place target = place(to);
  if (::renameat2(source.parent.number(), source.name.c_str(), target.parent.number(), target.name.c_str(),
                  replaces ? 0 : RENAME_NOREPLACE) != 0) {
    throw_errno("cannot rename " + quoted(full(from)) + " to " + quoted(full(to)));
  }
  sync_parent(from);
  sync_parent(to);
}

bool StoreDirectory::exists(const std::string& relative) const {
  try {
    open(relative, O_PATH);
    return true;
  } catch (const Failure& failure) {
    if (failure.error() == ENOENT || failure.error() == ENOTDIR) return false;
    if (failure.error() == ELOOP) return true;  // a symbolic link: it is there, but nothing of ours
    throw;
  }
}

void StoreDirectory::sync_parent(const std::string& relative) const {
  const auto slash = relative.rfind('/');
  const std::string parent = slash == std::string::npos ? "" : relative.substr(0, slash);
  const Fd directory = open(parent, O_RDONLY | O_DIRECTORY);
  if (::fsync(directory.number()) != 0) throw_errno("cannot sync the directory " + quoted(full(parent)));
}

}  // namespace tcmufs::volume
