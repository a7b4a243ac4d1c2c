#include "volume/device_link.h"

#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <thread>
#include <vector>

#include "lio/disk_files.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::volume {

namespace fs = std::filesystem;

namespace {

// A link that is about to get its name bears that of its directory and the thread's: beside the directory,
// where no volume's name can be.
const std::string beside = ".new-";

std::string link_target(const std::string& link) {
  std::array<char, 256> target{};
  const ssize_t length = ::readlink(link.c_str(), target.data(), target.size());
  return length < 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(length));
}

// Other links are somebody else's, wherever they lead.
bool leads_to_a_node(const std::string& target) {
  return target.starts_with("/dev/");
}

// Not the library's, which takes a directory that another thread removes meanwhile for something in the way.
void make_directories(const fs::path& directory) {
  fs::path made;
  for (const fs::path& part : directory) {
    made /= part;
    if (::mkdir(made.c_str(), 0755) != 0 && errno != EEXIST) {
      throw_errno("cannot create the directory " + quoted(made.string()));
    }
  }
}

// Those that `link` was in, up to the root.
void remove_empty_directories(const fs::path& root, const fs::path& link) {
  for (fs::path above = link.parent_path(); above.native().size() >= root.native().size();
       above = above.parent_path()) {
    if (::rmdir(above.c_str()) != 0 || above == root) break;
  }
}

}  // namespace

DeviceLink::DeviceLink(const std::string& root, const std::string& path, const std::string& node)
    : root_(root), path_(path), node_(node) {
  make();
}

void DeviceLink::make() const {
  // Neighbours may remove a directory that has just become empty between our steps; on a busy machine many
  // times, if nobody gives way.
  for (int attempt = 0;; ++attempt) {
    try {
      return make_once();
    } catch (const Failure& failure) {
      if (failure.error() != ENOENT || attempt == 100) throw;
    }
    std::this_thread::sleep_for(std::chrono::microseconds(100 * attempt));
  }
}

void DeviceLink::make_once() const {
  const fs::path link = full();
  make_directories(link.parent_path());
  refuse_what_is_in_the_way();
  const std::string temporary = root_ + beside + std::to_string(::gettid());
  ::unlink(temporary.c_str());
  if (::symlink(node_.c_str(), temporary.c_str()) != 0)
    throw_errno("cannot create the link " + quoted(temporary));
  if (::rename(temporary.c_str(), link.c_str()) != 0) {
    const int reason = errno;
    ::unlink(temporary.c_str());
    throw Failure(reason, "cannot create the link " + quoted(link.string()));
  }
}

void DeviceLink::refuse_what_is_in_the_way() const {
  const std::string link = full();
  struct stat st {};
  if (::lstat(link.c_str(), &st) != 0) return;
  if (!S_ISLNK(st.st_mode)) {
    throw Failure(EEXIST,
                  "cannot create the link " + quoted(link) + ", something that is no link is in the way");
  }
  const std::string target = link_target(link);
  if (target != node_ && (::stat(link.c_str(), &st) == 0 || !leads_to_a_node(target))) {
    throw Failure(EEXIST,
                  "cannot create the link " + quoted(link) + ", it points to " + quoted(target) + " already",
                  "Another store may have a volume of that name; if the link is stale, remove it");
  }
}

void DeviceLink::move(const std::string& path) {
  DeviceLink moved(root_, path, node_);
  std::swap(path_, moved.path_);
}

void DeviceLink::remove() noexcept {
  if (path_.empty()) return;
  const std::string link = full();
  // Somebody else's link by now, if it points elsewhere.
  if (link_target(link) == node_) ::unlink(link.c_str());
  remove_empty_directories(root_, link);
  path_.clear();
}

std::optional<u64> linked_disk_size(const std::string& root, const std::string& path, const std::string& wwn,
                                    const std::string& sysfs) {
  const std::string node = link_target(root + "/" + path);
  const std::string name = node.substr(node.rfind('/') + 1);
  if (name.empty() || lio::text_if_there(sysfs + "/block/" + name + "/device/wwid") != wwn)
    return std::nullopt;
  return lio::disk_size_bytes(sysfs, name);
}

bool remove_dangling_link(const std::string& root, const std::string& path) noexcept {
  const std::string link = root + "/" + path;
  struct stat st {};
  if (!leads_to_a_node(link_target(link)) || ::stat(link.c_str(), &st) == 0 || ::unlink(link.c_str()) != 0)
    return false;
  remove_empty_directories(root, link);
  return true;
}

namespace {

void remove_unnamed_links(const std::string& root) {
  std::error_code error;
  const fs::path directory = fs::path(root).parent_path();
  const std::string beginning = root + beside;
  for (fs::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    const std::string path = at->path().string();
    if (!path.starts_with(beginning)) continue;
    const bool has_maker = path_exists("/proc/" + path.substr(beginning.size()));
    std::error_code ignored;
    if (!has_maker && fs::is_symlink(at->path(), ignored)) ::unlink(path.c_str());
  }
}

}  // namespace

void remove_dangling_links(const std::string& root) noexcept {
  try {
    remove_unnamed_links(root);
  } catch (const std::exception&) {  // no memory: they harm nobody
  }
  std::error_code error;
  std::vector<fs::path> paths;
  for (fs::recursive_directory_iterator at(root, error), end; !error && at != end; at.increment(error)) {
    paths.push_back(at->path());
  }
  // What is inside comes before what it is in; directories that are not empty stay.
  for (auto path = paths.rbegin(); path != paths.rend(); ++path) {
    std::error_code ignored;
    const bool link = fs::is_symlink(*path, ignored);
    if (link && !fs::exists(*path, ignored)) ::unlink(path->c_str());
    if (!link) ::rmdir(path->c_str());
  }
  ::rmdir(root.c_str());
}

}  // namespace tcmufs::volume
