// What file system calls answer in a directory: one line a call, "CALL: ERRNO" or "CALL: ok". Run in two
// directories of different file systems, it shows in what they differ.

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <functional>
#include <iostream>
#include <regex>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr const char* usage =
    "usage: errno_of_calls DIR [UID]\n"
    "Works in DIR/w, which it makes and removes, as root; the calls are made as UID, by default 0.\n";

/// Returns 0 or more, or -1 with errno, as system calls do.
template <typename... Arguments>
struct Named {
  std::string name;
  std::function<long(Arguments...)> call;
};
using OnPath = Named<const char*>;
using OnTwo = Named<const char*, const char*>;
using OnFile = Named<int>;

long closed(int fd) {
  if (fd >= 0) close(fd);
  return fd;
}

long opened(const char* path, int flags) {
  return closed(open(path, flags | O_CLOEXEC, 0600));
}

std::vector<OnPath> calls_on_a_path() {
  const auto opens = [](const char* name, int flags) {
    return OnPath{std::string("open ") + name, [flags](const char* path) { return opened(path, flags); }};
  };
  const timespec epoch{};
  return {
      opens("O_RDONLY", O_RDONLY),
      opens("O_WRONLY", O_WRONLY),
      opens("O_RDWR", O_RDWR),
      opens("O_RDWR|O_TRUNC", O_RDWR | O_TRUNC),
      opens("O_WRONLY|O_APPEND", O_WRONLY | O_APPEND),
      opens("O_CREAT", O_WRONLY | O_CREAT),
      opens("O_CREAT|O_EXCL", O_WRONLY | O_CREAT | O_EXCL),
      opens("O_CREAT|O_DIRECTORY", O_RDONLY | O_CREAT | O_DIRECTORY),
      opens("O_DIRECTORY", O_RDONLY | O_DIRECTORY),
      opens("O_PATH", O_PATH),
      opens("O_NOFOLLOW", O_RDONLY | O_NOFOLLOW),
      opens("O_NOATIME", O_RDONLY | O_NOATIME),
      {"stat",
       [](const char* path) {
         struct stat s {};
         return stat(path, &s);
       }},
      {"lstat",
       [](const char* path) {
         struct stat s {};
         return lstat(path, &s);
       }},
      {"statfs",
       [](const char* path) {
         struct statfs s {};
         return statfs(path, &s);
       }},
      {"access F_OK", [](const char* path) { return access(path, F_OK); }},
      {"access R_OK", [](const char* path) { return access(path, R_OK); }},
      {"access W_OK", [](const char* path) { return access(path, W_OK); }},
      {"access X_OK", [](const char* path) { return access(path, X_OK); }},
      {"chdir", [](const char* path) { return chdir(path); }},
      {"mkdir", [](const char* path) { return mkdir(path, 0700); }},
      {"rmdir", [](const char* path) { return rmdir(path); }},
      {"unlink", [](const char* path) { return unlink(path); }},
      {"readlink",
       [](const char* path) {
         std::array<char, 16> b{};
         return readlink(path, b.data(), b.size());
       }},
      {"truncate 0", [](const char* path) { return truncate(path, 0); }},
      {"truncate 4096", [](const char* path) { return truncate(path, 4096); }},
      {"truncate -1", [](const char* path) { return truncate(path, -1); }},
      {"chmod 0600", [](const char* path) { return chmod(path, 0600); }},
      {"chown self", [](const char* path) { return chown(path, getuid(), getgid()); }},
      {"chown other", [](const char* path) { return chown(path, 12345, 12345); }},
      {"chown nobody", [](const char* path) { return chown(path, uid_t(-1), gid_t(-1)); }},
      {"utimens now", [](const char* path) { return utimensat(AT_FDCWD, path, nullptr, 0); }},
      {"utimens given",
       [epoch](const char* path) {
         const std::array<timespec, 2> times{epoch, epoch};
         return utimensat(AT_FDCWD, path, times.data(), 0);
       }},
      {"mknod regular", [](const char* path) { return mknod(path, S_IFREG | 0600, 0); }},
      {"mknod character", [](const char* path) { return mknod(path, S_IFCHR | 0600, makedev(1, 3)); }},
      {"mknod fifo", [](const char* path) { return mkfifo(path, 0600); }},
      {"getxattr user", [](const char* path) { return getxattr(path, "user.a", nullptr, 0); }},
      {"setxattr user", [](const char* path) { return setxattr(path, "user.a", "b", 1, 0); }},
      {"inotify",
       [](const char* path) {
         const int watch = inotify_init1(IN_CLOEXEC);
         const int result = inotify_add_watch(watch, path, IN_MODIFY);
         const int error = errno;
         close(watch);
         errno = error;
         return result;
       }},
      {"symlink", [](const char* path) { return symlink("missing", path); }},
  };
}

std::vector<OnTwo> calls_on_two_paths() {
  const auto rename_with = [](unsigned flags) {
    return
        [flags](const char* from, const char* to) { return renameat2(AT_FDCWD, from, AT_FDCWD, to, flags); };
  };
  return {
      {"rename", [](const char* from, const char* to) { return rename(from, to); }},
      {"rename NOREPLACE", rename_with(RENAME_NOREPLACE)},
      {"rename EXCHANGE", rename_with(RENAME_EXCHANGE)},
      {"rename both", rename_with(RENAME_NOREPLACE | RENAME_EXCHANGE)},
      {"link", [](const char* from, const char* to) { return link(from, to); }},
  };
}

std::vector<OnFile> calls_on_a_file() {
  static std::array<char, 512> block{};
  const auto allocates = [](const char* name, int mode, off_t offset, off_t length) {
    return OnFile{std::string("fallocate ") + name,
                  [=](int fd) { return fallocate(fd, mode, offset, length); }};
  };
  const auto maps = [](const char* name, int protection, int flags) {
    return OnFile{std::string("mmap ") + name, [=](int fd) {
                    void* at = mmap(nullptr, 4096, protection, flags, fd, 0);
                    return at == MAP_FAILED ? -1 : munmap(at, 4096);
                  }};
  };
  const auto locks = [](const char* name, int command, short type) {
    return OnFile{std::string("fcntl ") + name, [=](int fd) {
                    struct flock lock {};
                    lock.l_type = type;
                    return fcntl(fd, command, &lock);
                  }};
  };
  return {
      {"read", [](int fd) { return read(fd, block.data(), 512); }},
      {"read 0", [](int fd) { return read(fd, block.data(), 0); }},
      {"pread", [](int fd) { return pread(fd, block.data(), 512, 0); }},
      {"pread -1", [](int fd) { return pread(fd, block.data(), 512, -1); }},
      {"pread beyond", [](int fd) { return pread(fd, block.data(), 512, 1 << 20); }},
      {"write", [](int fd) { return write(fd, block.data(), 512); }},
      {"write 0", [](int fd) { return write(fd, block.data(), 0); }},
      {"pwrite -1", [](int fd) { return pwrite(fd, block.data(), 512, -1); }},
      {"lseek set", [](int fd) { return lseek(fd, 512, SEEK_SET); }},
      {"lseek -1", [](int fd) { return lseek(fd, -1, SEEK_SET); }},
      {"lseek end", [](int fd) { return lseek(fd, 0, SEEK_END); }},
      {"lseek whence", [](int fd) { return lseek(fd, 0, 99); }},
      {"lseek data beyond", [](int fd) { return lseek(fd, 1 << 20, SEEK_DATA); }},
      {"lseek hole beyond", [](int fd) { return lseek(fd, 1 << 20, SEEK_HOLE); }},
      {"ftruncate 512", [](int fd) { return ftruncate(fd, 512); }},
      {"ftruncate -1", [](int fd) { return ftruncate(fd, -1); }},
      allocates("", 0, 0, 4096),
      allocates("KEEP_SIZE", FALLOC_FL_KEEP_SIZE, 0, 4096),
      allocates("PUNCH_HOLE", FALLOC_FL_PUNCH_HOLE, 0, 4096),
      allocates("PUNCH_HOLE|KEEP_SIZE", FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096),
      allocates("COLLAPSE_RANGE", FALLOC_FL_COLLAPSE_RANGE, 0, 4096),
      allocates("INSERT_RANGE", FALLOC_FL_INSERT_RANGE, 0, 4096),
      allocates("unknown", 1 << 30, 0, 4096),
      allocates("-1", 0, -1, 4096),
      allocates("of nothing", 0, 0, 0),
      {"fsync", [](int fd) { return fsync(fd); }},
      {"fdatasync", [](int fd) { return fdatasync(fd); }},
      {"syncfs", [](int fd) { return syncfs(fd); }},
      {"flock", [](int fd) { return flock(fd, LOCK_EX | LOCK_NB); }},
      locks("read lock", F_SETLK, F_RDLCK),
      locks("write lock", F_SETLK, F_WRLCK),
      locks("get lock", F_GETLK, F_WRLCK),
      maps("read private", PROT_READ, MAP_PRIVATE),
      maps("read shared", PROT_READ, MAP_SHARED),
      {"getdents", [](int fd) { return getdents64(fd, block.data(), block.size()); }},
      {"ioctl unknown", [](int fd) { return ioctl(fd, 0x12345, nullptr); }},
      {"fchmod", [](int fd) { return fchmod(fd, 0600); }},
      {"fchown other", [](int fd) { return fchown(fd, 12345, 12345); }},
      {"futimens", [](int fd) { return futimens(fd, nullptr); }},
      {"fadvise",
       [](int fd) { return (errno = posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL)) == 0 ? 0 : -1; }},
      {"sync_file_range", [](int fd) { return sync_file_range(fd, 0, 4096, SYNC_FILE_RANGE_WRITE); }},
      {"openat O_RDONLY", [](int fd) { return closed(openat(fd, "x.part", O_RDONLY | O_CLOEXEC)); }},
      {"fchdir", [](int fd) { return fchdir(fd); }},
      {"dup", [](int fd) { return closed(dup(fd)); }},
      {"sendfile from",
       [](int fd) { return sendfile(open("/dev/null", O_WRONLY | O_CLOEXEC), fd, nullptr, 512); }},
  };
}

/// Names that are tried: in the working directory of a call.
std::vector<std::pair<std::string, std::string>> paths() {
  std::string deep;
  for (int i = 0; i < 2100; ++i) deep += "./";
  return {{"nothing", "missing"},
          {"a file", "file.part"},
          {"an empty file", "empty"},
          {"an empty directory", "dir"},
          {"a full directory", "full"},
          {"below a file", "file.part/x"},
          {"below nothing", "missing/x"},
          {"nothing/", "missing/"},
          {"a file/", "file.part/"},
          {"a directory/", "dir/"},
          {"255 bytes", std::string(255, 'n')},
          {"256 bytes", std::string(256, 'n')},
          {"4200 bytes", deep},
          {"what is root's", "locked/secret.part"},
          {"new where root works", "locked/new.part"},
          {"what nobody may enter", "closed/x.part"},
          {".", "."},
          {"..", ".."},
          {"the empty path", ""}};
}

void make_file(const std::string& path, uid_t owner, mode_t mode, std::size_t bytes) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, mode);
  const std::string text(bytes, 'x');
  const bool made = fd >= 0 && write(fd, text.data(), bytes) == static_cast<ssize_t>(bytes) &&
                    fchown(fd, owner, owner) == 0 && fchmod(fd, mode) == 0;
  if (!made)
    throw std::filesystem::filesystem_error("cannot make " + path,
                                            std::error_code(errno, std::generic_category()));
  close(fd);
}

/// Whether a call changes nothing even if it succeeds.
bool only_looks(const std::string& call) {
  static const std::regex lookers(
      "(open O_(RDONLY|WRONLY|RDWR|WRONLY.O_APPEND|DIRECTORY|PATH|NOFOLLOW|NOATIME) of|openat|l?stat|access|"
      "f?chdir|readlink|getxattr|inotify|p?read|lseek|f(data)?sync|syncfs|sync_file_range|flock|fcntl|mmap|"
      "getdents|fadvise|dup|sendfile from) ?.*");
  return std::regex_match(call, lookers);
}

class Calls {
 public:
  Calls(std::string directory, uid_t user) : directory_(std::move(directory) + "/w"), user_(user) {}

  /// In a process of its own, and in fresh surroundings if the call before may have changed something.
  void make(const std::string& name, const std::function<long()>& call) {
    if (!std::exchange(fresh_, true)) prepare();
    std::cout.flush();
    const pid_t child = fork();
    if (child == 0) {
      if (chdir(directory_.c_str()) != 0) _exit(255);
      if (user_ != 0 && (setgid(user_) != 0 || setuid(user_) != 0)) _exit(255);
      errno = 0;
      _exit(call() < 0 ? errno : 0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 255)
      throw std::runtime_error(name + " could not be tried");
    const int error = WEXITSTATUS(status);
    std::cout << name << ": " << (error == 0 ? "ok" : strerrorname_np(error)) << '\n';
    fresh_ = error != 0 || only_looks(name);
  }

  void clear() const { std::filesystem::remove_all(directory_); }

 private:
  void prepare() const {
    clear();
    const auto directory = [&](const std::string& name, uid_t owner, mode_t mode) {
      const std::string path = directory_ + name;
      if (mkdir(path.c_str(), 0700) != 0 || chown(path.c_str(), owner, owner) != 0 ||
          chmod(path.c_str(), mode) != 0)
        throw std::filesystem::filesystem_error("cannot make " + path,
                                                std::error_code(errno, std::generic_category()));
    };
    directory("", user_, 0755);
    directory("/dir", user_, 0755);
    directory("/full", user_, 0755);
    directory("/locked", 0, 0755);
    directory("/closed", 0, 0700);
    make_file(directory_ + "/file.part", user_, 0644, 512);
    make_file(directory_ + "/other.part", user_, 0644, 1024);
    make_file(directory_ + "/empty", user_, 0644, 0);
    make_file(directory_ + "/full/x.part", user_, 0644, 512);
    make_file(directory_ + "/locked/secret.part", 0, 0600, 512);
    make_file(directory_ + "/closed/x.part", 0, 0644, 512);
  }

  std::string directory_;
  uid_t user_;
  bool fresh_ = false;
};

void make_all(Calls& calls) {
  for (const auto& [name, call] : calls_on_a_path()) {
    for (const auto& [what, path] : paths()) {
      calls.make(name + " of " + what, [&call = call, &path = path] { return call(path.c_str()); });
    }
  }
  using Paths = std::vector<std::pair<std::string, std::string>>;
  const Paths sources = {{"nothing", "missing"},
                         {"a file", "file.part"},
                         {"an empty directory", "dir"},
                         {"a full directory", "full"},
                         {"what is root's", "locked/secret.part"}};
  const Paths targets = {{"nothing", "new.part"},
                         {"itself", ""},
                         {"another file", "other.part"},
                         {"a directory", "dir"},
                         {"a full directory", "full"},
                         {"inside itself", "full/sub"},
                         {"below a file", "file.part/x"},
                         {"where root works", "locked/new.part"},
                         {"256 bytes", std::string(256, 'n')}};
  for (const auto& [name, call] : calls_on_two_paths()) {
    for (const auto& [what, from] : sources) {
      for (const auto& [where, to] : targets) {
        calls.make(name + " of " + what + " to " + where, [&call = call, &from = from, &to = to] {
          return call(from.c_str(), (to.empty() ? from : to).c_str());
        });
      }
    }
  }
  struct Way {
    const char* name;
    const char* path;
    int flags;
  };
  for (const Way& way :
       {Way{"a file for reading", "file.part", O_RDONLY}, Way{"a file for writing", "file.part", O_WRONLY},
        Way{"a file for both", "file.part", O_RDWR}, Way{"a file by O_PATH", "file.part", O_PATH},
        Way{"a directory", "full", O_RDONLY | O_DIRECTORY}}) {
    for (const auto& [name, call] : calls_on_a_file()) {
      calls.make(name + " on " + way.name, [&call = call, &way] {
        const int fd = open(way.path, way.flags | O_CLOEXEC);
        return fd < 0 ? -1 : call(fd);
      });
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2 || argc > 3) {
    std::cerr << usage;
    return 2;
  }
  try {
    Calls calls(argv[1], argc == 3 ? static_cast<uid_t>(std::stoul(argv[2])) : 0);
    make_all(calls);
    calls.clear();
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "errno_of_calls: " << error.what() << '\n';
    return 1;
  }
}
