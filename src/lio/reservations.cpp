#include "lio/reservations.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "lio/config_directory.h"
#include "lio/config_text.h"
#include "lio/loopback.h"
#include "lio/registrations.h"
#include "sys/error.h"
#include "sys/text_file.h"

namespace tcmufs::lio {

namespace {

constexpr off_t largest_file_bytes = 4 << 20;  // some ten thousand registrations
constexpr std::size_t problems_told = 3;
constexpr u64 our_tpgt = 1;

ParsedRegistrations broken(const std::string& problem) {
  return {.registrations = {}, .problems = {problem}};
}

ParsedRegistrations read_file(const std::string& path) {
  struct stat st {};
  if (::stat(path.c_str(), &st) != 0) {
    if (errno == ENOENT || errno == ENOTDIR) return {};
    return broken("it cannot be looked at (" + errno_name(errno) + ")");
  }
  if (!S_ISREG(st.st_mode)) return broken("it is no regular file");
  if (st.st_size > largest_file_bytes) {
    return broken("it has more than " + std::to_string(largest_file_bytes) + " bytes");
  }
  try {
    return parse_registrations(read_text(path));
  } catch (const Failure& failure) {
    return broken(failure.what());
  }
}

// A registration whose nexus is the one between this machine and the LUN.
Registration of_nexus(ConfigTree& tree, const RestoredDevice& device) {
  Registration result;
  const std::string naa = device.tpgt.substr(0, device.tpgt.rfind('/'));
  result.target_node = naa.substr(naa.rfind('/') + 1);
  result.initiator_node = read_value(tree, device.tpgt + "/nexus");
  result.tpgt = our_tpgt;
  result.mapped_lun = device.lun;
  result.target_lun = device.lun;
  return result;
}

// Only our targets have an initiator of such a name.
bool is_of_a_target_of_ours(const Registration& registration) {
  return registration.target_fabric == "loopback" && is_naa(registration.target_node) &&
         registration.initiator_node == initiator_of(registration.target_node) &&
         registration.tpgt == our_tpgt && registration.mapped_lun == registration.target_lun;
}

// If there are two, one of them is where it belongs, or nobody can tell which is meant.
void follow_to(const Registration& nexus, std::vector<Registration>& registrations) {
  if (std::count_if(registrations.begin(), registrations.end(), is_of_a_target_of_ours) != 1) return;
  const auto ours = std::find_if(registrations.begin(), registrations.end(), is_of_a_target_of_ours);
  ours->initiator_node = nexus.initiator_node;
  ours->target_node = nexus.target_node;
  ours->mapped_lun = nexus.mapped_lun;
  ours->target_lun = nexus.target_lun;
}

std::string told(const std::string& path, const std::vector<std::string>& problems) {
  std::string sentence = "persistent reservations could not all be restored from " + quoted(path) + ": ";
  const std::size_t shown = std::min(problems.size(), problems_told);
  for (std::size_t i = 0; i < shown; ++i) sentence += (i > 0 ? "; " : "") + problems[i];
  if (problems.size() > shown) sentence += "; and " + std::to_string(problems.size() - shown) + " more";
  return sentence + ". Whoever needs one has to register again";
}

}  // namespace

std::string reservation_file(ConfigTree& tree, const std::string& serial) {
  return read_value(tree, "dbroot") + "/pr/aptpl_" + serial;
}

std::string restore_reservations(ConfigTree& tree, const RestoredDevice& device, Restored which) {
  const std::string path = reservation_file(tree, device.serial);
  auto [registrations, problems] = read_file(path);
  if (!registrations.empty()) {
    const Registration nexus = of_nexus(tree, device);
    follow_to(nexus, registrations);
    if (which == Restored::this_nexus_only) {
      std::erase_if(registrations, [&](const Registration& one) { return !one.same_nexus(nexus); });
    }
  }
  for (const Registration& registration : registrations) {
    try {
      tree.write(device.backstore + "/pr/res_aptpl_metadata", registration.metadata());
    } catch (const Failure& failure) {
      problems.emplace_back(failure.what());
    }
  }
  return problems.empty() ? "" : told(path, problems);
}

void forget_reservations(ConfigTree& tree, const std::string& serial) {
  const std::string path = reservation_file(tree, serial);
  if (::unlink(path.c_str()) != 0 && errno != ENOENT && errno != ENOTDIR) {
    throw_errno("cannot remove the persistent reservations " + quoted(path));
  }
}

std::string reservations_trouble(const std::string& directory) {
  if (::access(directory.c_str(), W_OK) == 0) return {};
  return Failure(errno, "the kernel cannot keep persistent reservations in " + quoted(directory),
                 "Disks work, but registering for a reservation fails until that is a directory that can be "
                 "written")
      .what();
}

}  // namespace tcmufs::lio
