#include "ctlfs/node.h"

#include "ctlfs/control_files.h"
#include "ctlfs/names.h"

namespace tcmufs::ctlfs {

std::string Node::path() const {
  return parent == nullptr ? name : joined(parent->path(), name);
}

std::shared_ptr<Node> Node::child(const std::string& child_name) const {
  const auto at = children.find(child_name);
  return at == children.end() ? nullptr : at->second;
}

bool Place::is_directory() const {
  return facet == Facet::mirror || facet == Facet::control || is_own_directory();
}

std::string Place::path() const {
  std::string own = node->path();
  const bool root = node->id == 0;
  switch (facet) {
    case Facet::self:
      return own;
    case Facet::status:
      return joined(own, "status");
    case Facet::mirror:
      return joined(".ctl/vol", own);
    case Facet::control:
      return ".ctl";
    default:
      break;
  }
  const auto files = root ? root_control_files() : volume_control_files();
  const std::string directory = root ? ".ctl" : joined(".ctl/vol", own);
  return joined(directory, std::string(files[file_index(facet)]));
}

}  // namespace tcmufs::ctlfs
