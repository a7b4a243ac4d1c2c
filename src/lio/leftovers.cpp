#include "lio/leftovers.h"

#include <algorithm>
#include <cerrno>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

#include "lio/config_directory.h"
#include "lio/config_text.h"
#include "lio/hba.h"
#include "lio/keeper.h"
#include "lio/loopback.h"
#include "lio/ring_resets.h"
#include "sys/error.h"

namespace tcmufs::lio {

namespace {

constexpr std::size_t threads_at_most = 64;
constexpr const char* target_prefix = "naa.5001405";  // NAA 5 with LIO's OUI

std::string parent_of(const std::string& path) {
  return path.substr(0, path.rfind('/'));
}

std::string name_of(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

std::vector<std::string> list_if_there(ConfigTree& tree, const std::string& path) {
  std::vector<std::string> names;
  tolerating({ENOENT, ENOTDIR}, [&] { names = tree.list(path); });
  return names;
}

}  // namespace

std::string LoopbackLink::lun_directory() const {
  return parent_of(path);
}

std::string LoopbackLink::tpgt() const {
  return parent_of(parent_of(lun_directory()));
}

std::string LoopbackLink::wwn() const {
  return name_of(parent_of(tpgt()));
}

u32 LoopbackLink::lun() const {
  const std::string number = name_of(lun_directory()).substr(std::string("lun_").size());
  return static_cast<u32>(std::stoul(number));
}

std::string dev_config_of(ConfigTree& tree, const std::string& backstore) {
  return read_value(tree, backstore + "/attrib/dev_config");
}

std::vector<std::string> backstores_of(ConfigTree& tree, const std::string& store_uuid) {
  std::vector<std::string> found;
  for (const std::string& hba : user_hbas(tree)) {
    for (const std::string& name : devices_of(tree, hba)) {
      const std::string backstore = below(hba, name);
      std::string dev_config;
      tolerating({ENOENT}, [&] { dev_config = dev_config_of(tree, backstore); });
      if (keeper_of(dev_config, name) == store_uuid) found.push_back(backstore);
    }
  }
  return found;
}

namespace {

struct LinkToBackstore {
  LoopbackLink link;
  std::string backstore;
};

std::vector<LinkToBackstore> all_loopback_links(ConfigTree& tree) {
  std::vector<LinkToBackstore> links;
  for (const std::string& wwn : list_if_there(tree, "loopback")) {
    const std::string naa = below("loopback", wwn);
    for (const std::string& tpgt : list_if_there(tree, naa)) {
      if (!tpgt.starts_with("tpgt_")) continue;
      const std::string luns = below(below(naa, tpgt), "lun");
      for (const std::string& lun : list_if_there(tree, luns)) {
        for (const std::string& name : list_if_there(tree, below(luns, lun))) {
          LoopbackLink link{below(below(luns, lun), name)};
          if (auto backstore = tree.link_target(link.path)) links.push_back({std::move(link), *backstore});
        }
      }
    }
  }
  return links;
}

std::vector<LoopbackLink> links_to(const std::string& backstore, std::vector<LinkToBackstore> all) {
  std::vector<LoopbackLink> links;
  for (LinkToBackstore& one : all) {
    if (one.backstore == backstore) links.push_back(std::move(one.link));
  }
  return links;
}

void remove_lun(ConfigTree& tree, const LoopbackLink& link) {
  tolerating({ENOENT}, [&] { tree.unlink(link.path); });
  tolerating({ENOENT}, [&] { tree.remove_directory(link.lun_directory()); });
}

void remove_backstore(ConfigTree& tree, const std::string& backstore) {
  tolerating({ENOENT}, [&] { tree.remove_directory(backstore); });
  tolerating({ENOENT, ENOTEMPTY}, [&] { tree.remove_directory(parent_of(backstore)); });
}

}  // namespace

std::vector<LoopbackLink> loopback_links_of(ConfigTree& tree, const std::string& backstore) {
  return links_to(backstore, all_loopback_links(tree));
}

bool remove_idle_target(ConfigTree& tree, const std::string& wwn) {
  const std::string naa = "loopback/" + wwn;
  return tree.exists(naa) && tolerating({EBUSY}, [&] { remove_target(tree, naa); });
}

void remove_leftover(ConfigTree& tree, const std::string& backstore, const std::string& wwn) {
  {
    // Also for the listing: a LUN's directory is locked as long as a dead daemon's link or unlink waits in
    // it.
    const RingResets resets(tree, backstore);
    for (const LoopbackLink& link : loopback_links_of(tree, backstore)) {
      remove_lun(tree, link);
      if (name_of(link.tpgt()) == "tpgt_1") remove_idle_target(tree, name_of(parent_of(link.tpgt())));
    }
    if (!wwn.empty()) remove_idle_target(tree, wwn);
  }
  remove_backstore(tree, backstore);
}

void remove_leftovers(ConfigTree& tree, const std::vector<Leftover>& leftovers,
                      const std::function<void(std::size_t, const std::string&)>& done) {
  std::vector<std::unique_ptr<RingResets>> resets;
  resets.reserve(leftovers.size());
  for (const Leftover& one : leftovers) resets.push_back(std::make_unique<RingResets>(tree, one.backstore));
  // Looked for once, by one thread: a LUN's directory is locked while its link is being removed, and each
  // thread that looked for its own would wait for all others in turn.
  const auto links = all_loopback_links(tree);
  std::mutex mutex;
  std::size_t next = 0;           // guarded by mutex
  std::set<std::string> targets;  // guarded by mutex
  const auto remove_next = [&] {
    std::unique_lock lock(mutex);
    while (next < leftovers.size()) {
      const std::size_t at = next++;
      lock.unlock();
      std::string problem;
      std::set<std::string> left;
      if (!leftovers[at].wwn.empty()) left.insert(leftovers[at].wwn);
      try {
        for (const LoopbackLink& link : links_to(leftovers[at].backstore, links)) {
          if (name_of(link.tpgt()) == "tpgt_1") left.insert(link.wwn());
          remove_lun(tree, link);
        }
        resets[at].reset();
        remove_backstore(tree, leftovers[at].backstore);
      } catch (const std::exception& failure) {
        problem = failure.what();
      }
      lock.lock();
      targets.merge(left);
      done(at, problem);
    }
  };
  {
    std::vector<std::jthread> threads;
    threads.reserve(std::min(leftovers.size(), threads_at_most));
    while (threads.size() < std::min(leftovers.size(), threads_at_most)) threads.emplace_back(remove_next);
  }
  for (const std::string& wwn : targets) remove_idle_target(tree, wwn);
}

namespace {

bool has_marks_of_ours(ConfigTree& tree, const std::string& wwn) {
  if (!is_naa(wwn) || !wwn.starts_with(target_prefix)) return false;
  const std::string naa = below("loopback", wwn);
  std::string nexus;
  if (tolerating({ENODEV, ENOENT}, [&] { nexus = read_value(tree, naa + "/tpgt_1/nexus"); }))
    return nexus == initiator_of(wwn);
  std::string affinity;
  tolerating({ENOENT}, [&] { affinity = read_value(tree, naa + "/param/cmd_completion_affinity"); });
  return affinity == "-2";
}

}  // namespace

std::vector<std::string> remove_stray_targets(ConfigTree& tree) {
  std::vector<std::string> removed;
  for (std::string& wwn : list_if_there(tree, "loopback")) {
    if (has_marks_of_ours(tree, wwn) && remove_idle_target(tree, wwn)) removed.push_back(std::move(wwn));
  }
  return removed;
}

void remove_empty_hbas(ConfigTree& tree) {
  for (const std::string& hba : user_hbas(tree)) {
    if (*user_hba_number(name_of(hba)) < first_hba_number || !devices_of(tree, hba).empty()) continue;
    tolerating({ENOENT, ENOTEMPTY}, [&] { tree.remove_directory(hba); });
  }
}

}  // namespace tcmufs::lio
