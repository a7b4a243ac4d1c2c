// Persistent reservations that are given to a device: target_core_configfs.c, target_core_pr.c.
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <map>
#include <sstream>

#include "support/fake_configfs.h"
#include "support/fake_configfs_names.h"

namespace tcmufs::test {

namespace {

constexpr std::size_t page_bytes = 4096;

using Tokens = std::map<std::string, std::string>;

Tokens tokens_of(std::string text) {
  std::replace(text.begin(), text.end(), '\n', ',');
  std::istringstream stream(text);
  Tokens tokens;
  for (std::string token; std::getline(stream, token, ',');) {
    const auto equals = token.find('=');
    if (equals != std::string::npos && equals + 1 < token.size()) {
      tokens[token.substr(0, equals)] = token.substr(equals + 1);
    }
  }
  return tokens;
}

// As the kernel's "%d" and "%u": with the base that the digits seem to have. What is no number to its end is
// passed over like a token that it does not know, and counts as 0.
long number_of(const Tokens& tokens, const std::string& name) {
  const auto found = tokens.find(name);
  if (found == tokens.end()) return 0;
  char* end = nullptr;
  const long number = std::strtol(found->second.c_str(), &end, 0);
  return *end == '\0' ? number : 0;
}

std::string nexus_of(const std::string& initiator, const std::string& target, long tpgt, long mapped_lun,
                     long target_lun) {
  const std::string lun = std::to_string(mapped_lun);
  return initiator + " -> " + target + "," + std::to_string(tpgt) + " lun " + lun +
         (mapped_lun == target_lun ? "" : " of " + std::to_string(target_lun));
}

}  // namespace

int FakeConfigfs::write_registration(const std::string& device, const std::string& text) {
  if (is_exported(device) || text.size() >= page_bytes) return EINVAL;
  Tokens tokens = tokens_of(text);
  const long key = number_of(tokens, "sa_res_key");
  const long type = number_of(tokens, "res_type");
  const bool holder = number_of(tokens, "res_holder") != 0;
  if (tokens["initiator_node"].empty() || tokens["target_node"].empty() || key == 0) return EINVAL;
  if (holder && type == 0) return EINVAL;
  Registration registration;
  registration.nexus = nexus_of(tokens["initiator_node"], tokens["target_node"], number_of(tokens, "tpgt"),
                                number_of(tokens, "mapped_lun"), number_of(tokens, "target_lun"));
  registration.shown = registration.nexus + " key " + std::to_string(key) +
                       (holder ? " holds type " + std::to_string(type) : "");
  registrations_[device].push_back(registration);
  show_registrations(device);
  return 0;
}

void FakeConfigfs::enable_registrations(const std::string& device, const std::string& link) {
  const Names parts = parts_of(link);  // loopback, naa.X, tpgt_1, lun, lun_0, NAME
  const std::string tpgt = parts[0] + "/" + parts[1] + "/" + parts[2];
  const long lun = std::stol(parts[4].substr(4));
  const std::string nexus =
      nexus_of(nodes_[tpgt + "/nexus"].value, parts[1], std::stol(parts[2].substr(5)), lun, lun);
  for (Registration& registration : registrations_[device]) {
    if (registration.link.empty() && registration.nexus == nexus) registration.link = link;
  }
  show_registrations(device);
}

void FakeConfigfs::free_registrations(const std::string& device, const std::string& link) {
  std::erase_if(registrations_[device],
                [&](const Registration& registration) { return registration.link == link; });
  show_registrations(device);
}

void FakeConfigfs::show_registrations(const std::string& device) {
  if (!nodes_.contains(device + "/pr")) return;
  std::string waiting;
  std::string in_force;
  for (const Registration& registration : registrations_[device]) {
    (registration.link.empty() ? waiting : in_force) += registration.shown + "\n";
  }
  nodes_[device + "/pr/res_aptpl_metadata"].value = waiting;
  nodes_[device + "/pr/res_pr_registered_i_pts"].value = in_force;
}

void FakeConfigfs::exports_changed(const std::string& device) {
  Node* status = find(device + "/statistics/scsi_tgt_dev/status");
  if (status != nullptr) status->value = is_exported(device) ? "activated" : "deactivated";
}

}  // namespace tcmufs::test
