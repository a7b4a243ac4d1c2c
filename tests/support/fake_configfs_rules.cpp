// What the kernel makes and refuses, level by level: target_core_configfs.c, target_core_fabric_configfs.c,
// target_core_user.c, tcm_loop.c.
#include <algorithm>
#include <cerrno>
#include <sstream>

#include "support/fake_configfs.h"
#include "support/fake_configfs_names.h"

namespace tcmufs::test {

namespace {

constexpr std::size_t tpgts_per_target = 32;

bool is_lun_directory(const std::vector<std::string>& parts) {
  return parts.size() == 5 && parts[0] == "loopback" && parts[3] == "lun";
}

}  // namespace

int FakeConfigfs::refusal_of_mkdir(const Names& parts) const {
  const std::string& name = parts.back();
  if (parts.size() == 1) return name == "loopback" ? 0 : EINVAL;
  if (parts[0] == "core") {
    if (parts.size() == 2) return is_numbered(name, "user_") || is_numbered(name, "fileio_") ? 0 : EINVAL;
    return parts.size() == 3 && parts[1] != "alua" ? 0 : EPERM;
  }
  if (parts.size() == 2) {
    return name.starts_with("naa.") || name.starts_with("iqn.") || name.starts_with("fc.") ? 0 : EINVAL;
  }
  if (parts.size() == 3)
    return is_numbered(name, "tpgt_") && std::stoul(name.substr(5)) < tpgts_per_target ? 0 : EINVAL;
  if (is_lun_directory(parts)) return is_numbered(name, "lun_") ? 0 : EINVAL;
  return EPERM;
}

int FakeConfigfs::refusal_of_rmdir(const std::string& path) {
  const Node* node = find(path);
  if (node == nullptr) return ENOENT;
  if (node->kind != Node::Kind::group) return ENOTDIR;
  if (!node->made) return EPERM;
  if (has_made(path)) return ENOTEMPTY;
  return is_exported(path) ? EBUSY : 0;
}

int FakeConfigfs::refusal_of_link(const std::string& target, const std::string& path) {
  if (!is_lun_directory(parts_of(parent_of(path)))) return EPERM;
  if (!nodes_.contains(parent_of(path))) return ENOENT;
  if (nodes_.contains(path)) return EEXIST;
  if (!nodes_.contains(target)) return ENOENT;
  if (!nodes_.contains(target + "/enable")) return EFAULT;
  if (nodes_[target + "/enable"].value != "1") return ENODEV;
  return has_made(parent_of(path)) ? EEXIST : 0;
}

int FakeConfigfs::refusal_of_write(const std::string& path, const std::string& value) {
  Node* node = find(path);
  if (node == nullptr) return ENOENT;
  if (node->kind != Node::Kind::attribute) return EISDIR;
  const std::string name = name_of(path);
  const std::string parent = parent_of(path);
  if (name == "control") return write_control(parent, value);
  if (name == "nexus") return write_nexus(parent, value);
  if (name_of(parent) == "attrib") return write_attribute(parent_of(parent), name, value);
  if (name == "enable") {
    if (value != "1") return EINVAL;
    if (node->value == "1") return EEXIST;
    node->value = "1";
    return 0;
  }
  if (name == "cmd_completion_affinity") {
    if (value != "-1" && value != "-2" && (!is_number(value) || value.starts_with('-'))) return EINVAL;
    node->value = value;
    return 0;
  }
  if (name == "reset_ring") {
    const std::string device = parent_of(parent);
    if (nodes_[device + "/enable"].value != "1" || (value != "1" && value != "2")) return EINVAL;
    ++resets_[device];
    return 0;
  }
  if (name == "res_aptpl_metadata") return write_registration(parent_of(parent), value);
  if (name == "dbroot") {
    const bool used = std::any_of(nodes_.begin(), nodes_.end(), [](const auto& other) {
      return other.first.starts_with("core/") && other.first.ends_with("/enable");
    });
    if (used) return EINVAL;
    node->value = value;
    return 0;
  }
  if (name == "vpd_unit_serial") {
    if (is_exported(parent_of(parent))) return EINVAL;
    if (value.size() >= 254) return EOVERFLOW;
    node->value = "T10 VPD Unit Serial Number: " + value;
    return 0;
  }
  return EACCES;
}

int FakeConfigfs::write_control(const std::string& device, const std::string& text) {
  const bool enabled = nodes_[device + "/enable"].value == "1";
  std::string commas = text;
  std::replace(commas.begin(), commas.end(), '\n', ',');
  std::istringstream tokens(commas);
  for (std::string token; std::getline(tokens, token, ',');) {
    const auto equals = token.find('=');
    const std::string name = token.substr(0, equals);
    const std::string value = equals == std::string::npos ? "" : token.substr(equals + 1);
    Node* attribute = find(device + "/attrib/" + name);
    if (attribute == nullptr) continue;  // the kernel swallows what it does not know
    if (name != "dev_config" && !is_number(value)) return EINVAL;
    if (name == "max_data_area_mb" && (enabled || value == "0")) return EINVAL;
    attribute->value = value;
  }
  return 0;
}

int FakeConfigfs::write_attribute(const std::string& device, const std::string& name,
                                  const std::string& value) {
  Node& attribute = nodes_[device + "/attrib/" + name];
  if (name == "cmd_time_out") {
    if (is_exported(device) || !is_number(value) || value.starts_with('-')) return EINVAL;
  } else if (name == "qfull_time_out") {
    if (!is_number(value) || (value.starts_with('-') && value != "-1")) return EINVAL;
  } else if (name == "dev_config" || name == "dev_size" || name == "emulate_write_cache") {
    if (nodes_[device + "/enable"].value == "1" && !listened_) return ESRCH;
  } else {
    return EACCES;
  }
  attribute.value = value;
  return 0;
}

int FakeConfigfs::write_nexus(const std::string& tpgt, const std::string& value) {
  std::string& nexus = nodes_[tpgt + "/nexus"].value;
  if (value == "NULL") {
    if (nexus.empty()) return ENODEV;
    const Names luns = children(tpgt + "/lun");
    const bool linked = std::any_of(luns.begin(), luns.end(),
                                    [&](const auto& lun) { return has_made(tpgt + "/lun/" + lun); });
    if (linked || missed_luns_[tpgt] > 0) return EPERM;
    nexus.clear();
    return 0;
  }
  if (!nexus.empty()) return EEXIST;
  const std::string wwn = name_of(parent_of(tpgt));
  if (!value.starts_with(wwn.substr(0, wwn.find('.') + 1))) return EINVAL;
  nexus = value;
  return 0;
}

bool FakeConfigfs::has_made(const std::string& path) const {
  const std::string prefix = path + "/";
  return std::any_of(nodes_.begin(), nodes_.end(),
                     [&](const auto& node) { return node.second.made && node.first.starts_with(prefix); });
}

bool FakeConfigfs::is_exported(const std::string& device) const {
  return std::any_of(nodes_.begin(), nodes_.end(), [&](const auto& node) {
    return node.second.kind == Node::Kind::link && node.second.value == device;
  });
}

void FakeConfigfs::add_groups(const std::string& parent, const Names& names) {
  for (const std::string& name : names) nodes_[parent + "/" + name] = {};
}

void FakeConfigfs::add_attributes(const std::string& parent,
                                  const std::map<std::string, std::string>& values) {
  for (const auto& [name, value] : values)
    nodes_[parent + "/" + name] = {Node::Kind::attribute, false, value};
}

void FakeConfigfs::fill(const std::string& path, const Names& parts) {
  if (parts.size() == 1) {
    add_groups(path, {"discovery_auth"});
    add_attributes(path, {{"version", "TCM Loopback Fabric"}});
  } else if (parts[0] == "core" && parts.size() == 2) {
    add_attributes(path, {{"hba_info", "HBA Index: 1 plugin: user version: v5.0"}, {"hba_mode", "0"}});
  } else if (parts[0] == "core") {
    add_groups(path, {"action", "alua", "attrib", "pr", "statistics", "wwn"});
    add_attributes(path, {{"alias", ""}, {"control", ""}, {"enable", "0"}, {"info", ""}, {"udev_path", ""}});
    add_attributes(path + "/action", {{"block_dev", ""}, {"free_kept_buf", ""}, {"reset_ring", ""}});
    add_attributes(path + "/attrib", {{"cmd_ring_size_mb", "8"},
                                      {"cmd_time_out", "30"},
                                      {"dev_config", ""},
                                      {"dev_size", "0"},
                                      {"emulate_write_cache", "0"},
                                      {"hw_block_size", "0"},
                                      {"hw_max_sectors", "128"},
                                      {"max_data_area_mb", "1024"},
                                      {"nl_reply_supported", "0"},
                                      {"qfull_time_out", "-1"}});
    add_groups(path + "/statistics", {"scsi_dev", "scsi_lu", "scsi_tgt_dev"});
    add_attributes(path + "/statistics/scsi_tgt_dev", {{"status", "deactivated"}});
    add_attributes(path + "/pr", {{"res_aptpl_metadata", ""}, {"res_pr_registered_i_pts", ""}});
    add_attributes(path + "/wwn", {{"product_id", ""},
                                   {"revision", ""},
                                   {"vendor_id", "LIO-ORG"},
                                   {"vpd_unit_serial", "T10 VPD Unit Serial Number: "}});
  } else if (parts.size() == 2) {
    add_groups(path, {"fabric_statistics", "param"});
    add_attributes(path + "/param", {{"cmd_completion_affinity", "-1"}});
  } else if (parts.size() == 3) {
    add_groups(path, {"acls", "attrib", "auth", "lun", "np", "param"});
    const std::string host = std::to_string(next_host_++);
    add_attributes(
        path,
        {{"address", host + ":0:" + parts[2].substr(5)}, {"nexus", ""}, {"transport_status", "online"}});
  } else {
    add_groups(path, {"statistics"});
    add_attributes(path, {{"alua_tg_pt_gp", ""}, {"alua_tg_pt_offline", "0"}});
  }
}

}  // namespace tcmufs::test
