#include "sys/text_file.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdio>

#include "sys/error.h"
#include "sys/fd.h"

namespace tcmufs {

namespace {

void write_all(const Fd& file, const std::string& text, const std::string& path) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t n = ::write(file.number(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("cannot write " + quoted(path));
    done += static_cast<std::size_t>(n);
  }
}

}  // namespace

std::string read_text(const std::string& path) {
  const Fd file = open_file(path, O_RDONLY);
  std::string text;
  std::array<char, 4096> piece;
  for (;;) {
    const ssize_t n = ::read(file.number(), piece.data(), piece.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_errno("cannot read " + quoted(path));
    if (n == 0) return text;
    text.append(piece.data(), static_cast<std::size_t>(n));
  }
}

std::string read_line(const std::string& path) {
  std::string text = read_text(path);
  text.erase(text.find_last_not_of(" \n\t") + 1);
  return text;
}

void write_text(const std::string& path, const std::string& text) {
  const Fd file = open_file(path, O_WRONLY);
  if (::write(file.number(), text.data(), text.size()) < 0) {
    throw_errno("cannot write " + quoted(text) + " to " + quoted(path));
  }
}

void replace_file(const std::string& path, const std::string& temporary, const std::string& text) {
  {
    const Fd file = open_file(temporary, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    write_all(file, text, temporary);
    if (::fsync(file.number()) != 0) throw_errno("cannot sync " + quoted(temporary));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) {
    throw_errno("cannot rename " + quoted(temporary) + " to " + quoted(path));
  }
  sync_parent(path);
}

void sync_parent(const std::string& path) {
  const auto slash = path.rfind('/');
  const std::string directory = slash == std::string::npos ? "." : path.substr(0, slash == 0 ? 1 : slash);
  const Fd parent = open_file(directory, O_RDONLY | O_DIRECTORY);
  if (::fsync(parent.number()) != 0) throw_errno("cannot sync the directory " + quoted(directory));
}

bool path_exists(const std::string& path) noexcept {
  struct stat st {};
  return ::lstat(path.c_str(), &st) == 0;
}

}  // namespace tcmufs
