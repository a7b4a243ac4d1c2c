#include "lio/config_directory.h"

#include <cerrno>

namespace tcmufs::lio {

ConfigDirectory::ConfigDirectory(ConfigTree& tree, std::string path, Sharing sharing)
    : tree_(tree), path_(std::move(path)), sharing_(sharing) {
  made_ = tolerating({EEXIST}, [&] { tree_.make_directory(path_); });
  owned_ = made_;
}

ConfigDirectory::~ConfigDirectory() {
  undo(tree_, [this] { remove(); });
}

void ConfigDirectory::remove() {
  if (!owned_) return;
  const auto rmdir = [this] { tree_.remove_directory(path_); };
  if (sharing_ == Sharing::shared) {
    tolerating({ENOENT, ENOTEMPTY}, rmdir);
  } else {
    tolerating({ENOENT}, rmdir);
  }
  owned_ = false;
}

}  // namespace tcmufs::lio
