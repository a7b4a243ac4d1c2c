#include "volume/cleanup.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <map>
#include <sstream>

#include "lio/config_directory.h"
#include "lio/config_text.h"
#include "lio/directory.h"
#include "lio/disk_files.h"
#include "lio/hba.h"
#include "lio/leftovers.h"
#include "lio/node_owner.h"
#include "scsi/identity.h"
#include "sys/error.h"
#include "sys/uuid.h"
#include "volume/device_link.h"
#include "volume/targets.h"

namespace tcmufs::volume {

namespace {

namespace fs = std::filesystem;

/// Links in /dev/tcmufs, by the node they lead to.
std::multimap<std::string, std::string> links_by_node(const CleanupPlaces& places) {
  std::multimap<std::string, std::string> links;
  std::error_code error;
  for (fs::recursive_directory_iterator at(places.links, error), end; !error && at != end;
       at.increment(error)) {
    std::error_code none;
    if (const auto target = fs::read_symlink(at->path(), none); !none)
      links.emplace(target.string(), at->path().string());
  }
  return links;
}

/// The disk ("sda") that a block device or a partition of one is.
std::string disk_of_number(const CleanupPlaces& places, unsigned major_number, unsigned minor_number) {
  std::error_code none;
  const std::string device =
      fs::read_symlink(places.kernel.sysfs + "/dev/block/" + std::to_string(major_number) + ":" +
                           std::to_string(minor_number),
                       none)
          .string();
  const std::string marker = "/block/";
  const auto at = device.find(marker);
  if (at == std::string::npos) return {};
  const auto begin = at + marker.size();
  return device.substr(begin, device.find('/', begin) - begin);
}

/// Who has which disk open: one look at all processes, however many disks.
std::multimap<std::string, std::string> processes_by_disk(const CleanupPlaces& places) {
  std::multimap<std::string, std::string> result;
  for (const std::string& process : process_numbers(places.kernel)) {
    const std::string directory = places.kernel.proc + "/" + process + "/fd/";
    std::set<std::string> disks;
    for (const std::string& fd : lio::names_in_if_there(directory)) {
      // Without asking the file system that the file is on, which may be waiting for us.
      struct statx file {};
      if (::statx(AT_FDCWD, (directory + fd).c_str(), AT_STATX_DONT_SYNC, STATX_TYPE, &file) != 0) continue;
      if (S_ISBLK(file.stx_mode))
        disks.insert(disk_of_number(places, file.stx_rdev_major, file.stx_rdev_minor));
    }
    for (const std::string& disk : disks) result.emplace(disk, shown_process(places.kernel, process));
  }
  return result;
}

u64 waiting_writes_of(const CleanupPlaces& places, const lio::ScsiDisk& disk) {
  std::istringstream counts(lio::text_if_there(places.kernel.sysfs + "/block/" + disk.name + "/inflight"));
  u64 reads = 0;
  u64 writes = 0;
  return counts >> reads >> writes ? writes : 0;
}

std::string server_of(const Served& served, const KernelBackstore& backstore) {
  if (const auto at = served.uio_names.find(backstore.uio_name()); at != served.uio_names.end())
    return at->second;
  const auto at = served.stores.find(backstore.store());
  return at == served.stores.end() ? "" : at->second;
}

bool was_never_named(const KernelBackstore& one) {
  const std::string hba = one.path.substr(0, one.path.rfind('/'));
  return one.dev_config.empty() && Uuid::parse(one.volume()) &&
         *lio::user_hba_number(hba.substr(hba.rfind('/') + 1)) >= lio::first_hba_number;
}

void forget(const KernelVolume& volume, const CleanupPlaces& places) {
  if (const auto uuid = Uuid::parse(volume.backstore.volume()))
    lio::forget_node_owner(scsi::naa_name(*uuid), places.nodes);
}

// Of volumes that the kernel does not have; `names` has been read before it was asked.
void forget_owners_of_nothing(lio::ConfigTree& tree, std::vector<std::string> names,
                              const CleanupPlaces& places) {
  for (const KernelBackstore& one : kernel_backstores(tree)) {
    if (const auto uuid = Uuid::parse(one.volume())) std::erase(names, scsi::naa_name(*uuid));
  }
  for (const std::string& name : names) lio::forget_node_owner(name, places.nodes);
}

/// What bears no store's mark: only where no daemon is at work, which makes and removes such things.
void remove_strays(lio::ConfigTree& tree, const CleanupWords& words, const CleanupPlaces& places) {
  auto nodes = lio::names_in_if_there(places.nodes);
  for (const KernelBackstore& one : kernel_backstores(tree)) {
    if (!was_never_named(one)) continue;
    lio::remove_leftover(tree, one.path);
    words.done("removed the half-made device " + quoted(one.path));
  }
  for (const std::string& wwn : lio::remove_stray_targets(tree))
    words.done("removed the target " + quoted(wwn) + ", which had no disk");
  lio::remove_empty_hbas(tree);
  forget_owners_of_nothing(tree, std::move(nodes), places);
}

std::vector<lio::Leftover> leftovers_of(const std::vector<KernelVolume>& volumes) {
  std::vector<lio::Leftover> leftovers;
  leftovers.reserve(volumes.size());
  for (const KernelVolume& volume : volumes) {
    const auto uuid = Uuid::parse(volume.backstore.volume());
    leftovers.push_back({volume.backstore.path, uuid ? target_wwn(*uuid) : ""});
  }
  return leftovers;
}

/// What there is to say of its data.
std::string fate(const KernelVolume& volume, const std::string& lost, const std::string& nobody) {
  const std::string how = volume.what_is_lost();
  if (!how.empty()) return "; " + lost + how;
  // Half-made; or a program's, which has given it a name of its own.
  return volume.disk ? "; " + nobody : "; no disk of it was found";
}

void remove_volumes(lio::ConfigTree& tree, const std::vector<KernelVolume>& volumes,
                    const CleanupWords& words, const CleanupPlaces& places) {
  // While they lead to these disks and not to the next ones of the same names.
  for (const KernelVolume& volume : volumes) {
    for (const std::string& link : volume.links) ::unlink(link.c_str());
  }
  lio::remove_leftovers(tree, leftovers_of(volumes), [&](std::size_t at, const std::string& problem) {
    const KernelVolume& volume = volumes[at];
    if (!problem.empty()) return words.refused("cannot remove " + volume.shown(places) + ": " + problem);
    forget(volume, places);
    words.done("removed " + volume.shown(places) +
               fate(volume, "what was not synced is lost: ", "nobody used it"));
  });
}

void say_what_would_be(const std::vector<KernelVolume>& volumes, const CleanupWords& words,
                       const CleanupPlaces& places) {
  for (const KernelVolume& volume : volumes) {
    words.done("would remove " + volume.shown(places) +
               fate(volume, "what is not synced would be lost: ", "nobody uses it"));
  }
}

}  // namespace

std::string KernelVolume::shown(const CleanupPlaces& places) const {
  const std::string name = links.empty() ? backstore.volume() : links.front().substr(places.links.size() + 1);
  return quoted(name) + (disk ? " (" + disk->node + ")" : "");
}

std::string KernelVolume::what_is_lost() const {
  std::string text = holders.empty() ? "" : lio::describe(holders);
  if (waiting_writes == 0) return text;
  if (!text.empty()) text += "; ";
  return text + std::to_string(waiting_writes) + (waiting_writes == 1 ? " write" : " writes") + " waited";
}

std::vector<KernelVolume> find_volumes(lio::ConfigTree& tree, const std::set<std::string>& stores,
                                       const CleanupPlaces& places) {
  const Served served = find_served(places.kernel);
  const auto links = links_by_node(places);
  const auto openers = processes_by_disk(places);
  std::vector<KernelVolume> volumes;
  for (KernelBackstore& one : kernel_backstores(tree)) {
    if (!one.ours() || (!stores.empty() && !stores.contains(one.store()))) continue;
    KernelVolume volume;
    volume.server = server_of(served, one);
    if (const auto uuid = Uuid::parse(one.volume()))
      volume.disk = lio::find_disk(scsi::naa_name(*uuid), places.kernel.sysfs, places.dev);
    if (volume.disk) {
      for (auto [at, end] = links.equal_range(volume.disk->node); at != end; ++at)
        volume.links.push_back(at->second);
      volume.holders = lio::lasting_holders_of(*volume.disk, places.kernel.sysfs, places.kernel.proc);
      for (auto [at, end] = openers.equal_range(volume.disk->name); at != end; ++at)
        volume.holders.push_back({"process", "pid " + at->second});
      volume.waiting_writes = waiting_writes_of(places, *volume.disk);
    }
    volume.backstore = std::move(one);
    volumes.push_back(std::move(volume));
  }
  return volumes;
}

void clean_up(lio::ConfigTree& tree, const CleanupOptions& options, const CleanupWords& words,
              const CleanupPlaces& places) {
  if (!tree.exists("core")) return remove_dangling_links(places.links);
  auto volumes = find_volumes(tree, options.stores, places);
  const auto served = std::stable_partition(volumes.begin(), volumes.end(),
                                            [](const KernelVolume& volume) { return volume.server.empty(); });
  std::map<std::string, std::string> servers;  // by store
  for (auto at = served; at != volumes.end(); ++at) {
    std::string& names = servers[at->backstore.store() + " is served by " + at->server];
    names += (names.empty() ? "" : ", ") + at->shown(places);
  }
  const auto& say = options.stores.empty() ? words.left : words.refused;
  for (const auto& [store, names] : servers) {
    std::string sentence = "the store ";
    sentence.append(store).append(": left as it is: ").append(names);
    say(sentence.append(". 'mountctl umount' takes that down"));
  }
  volumes.erase(served, volumes.end());
  if (options.dry_run) return say_what_would_be(volumes, words, places);
  remove_volumes(tree, volumes, words, places);
  const Served now = find_served(places.kernel);
  if (options.stores.empty() && now.uio_names.empty() && now.stores.empty())
    remove_strays(tree, words, places);
  remove_dangling_links(places.links);
}

}  // namespace tcmufs::volume
