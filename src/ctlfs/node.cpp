#include "ctlfs/node.h"

#include "ctlfs/names.h"

namespace tcmufs::ctlfs {

namespace {

bool is_default(const Place& place) {
  return place.node->id == 0 && place.facet >= Facet::first_default;
}

}  // namespace

std::string Node::path() const {
  return parent == nullptr ? name : joined(parent->path(), name);
}

std::shared_ptr<Node> Node::child(const std::string& child_name) const {
  const auto at = children.find(child_name);
  return at == children.end() ? nullptr : at->second;
}

bool Place::is_directory() const {
  return facet == Facet::mirror || facet == Facet::control || facet == Facet::defaults || is_own_directory();
}

ControlTable Place::control_table() const {
  if (facet == Facet::control) return {root_control_files(), Facet::first_file};
  if (facet == Facet::defaults) return {default_control_files(), Facet::first_default};
  return {volume_control_files(), Facet::first_file};
}

const ControlFile* Place::control_file() const {
  if (facet < Facet::first_file) return nullptr;
  if (is_default(*this)) return &default_control_files()[file_index(Facet::first_default, facet)];
  const auto files = node->id == 0 ? root_control_files() : volume_control_files();
  return &files[file_index(Facet::first_file, facet)];
}

std::string Place::control_name() const {
  return joined(is_default(*this) ? "defaults" : "", std::string(control_file()->name));
}

std::string Place::path() const {
  std::string own = node->path();
  switch (facet) {
    case Facet::self:
      return own;
    case Facet::status:
      return joined(own, "status");
    case Facet::mirror:
      return joined(".ctl/vol", own);
    case Facet::control:
      return ".ctl";
    case Facet::defaults:
      return ".ctl/defaults";
    default:
      return joined(node->id == 0 ? ".ctl" : joined(".ctl/vol", own), control_name());
  }
}

}  // namespace tcmufs::ctlfs
