#include "lio/leftovers.h"

#include <cerrno>

#include "lio/config_directory.h"
#include "lio/config_text.h"
#include "lio/hba.h"
#include "lio/loopback.h"
#include "lio/ring_resets.h"
#include "sys/error.h"

namespace tcmufs::lio {

namespace {

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
  const std::string tag = "tcmufs/" + store_uuid + "/";
  std::vector<std::string> found;
  for (const std::string& hba : user_hbas(tree)) {
    for (const std::string& name : devices_of(tree, hba)) {
      const std::string backstore = below(hba, name);
      std::string dev_config;
      tolerating({ENOENT}, [&] { dev_config = dev_config_of(tree, backstore); });
      if (dev_config.starts_with(tag)) found.push_back(backstore);
    }
  }
  return found;
}

std::vector<LoopbackLink> loopback_links_of(ConfigTree& tree, const std::string& backstore) {
  std::vector<LoopbackLink> links;
  for (const std::string& wwn : list_if_there(tree, "loopback")) {
    const std::string naa = below("loopback", wwn);
    for (const std::string& tpgt : list_if_there(tree, naa)) {
      if (!tpgt.starts_with("tpgt_")) continue;
      const std::string luns = below(below(naa, tpgt), "lun");
      for (const std::string& lun : list_if_there(tree, luns)) {
        for (const std::string& name : list_if_there(tree, below(luns, lun))) {
          LoopbackLink link{below(below(luns, lun), name)};
          if (tree.link_target(link.path) == backstore) links.push_back(std::move(link));
        }
      }
    }
  }
  return links;
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
      tolerating({ENOENT}, [&] { tree.unlink(link.path); });
      tolerating({ENOENT}, [&] { tree.remove_directory(link.lun_directory()); });
      if (name_of(link.tpgt()) == "tpgt_1") remove_idle_target(tree, name_of(parent_of(link.tpgt())));
    }
    if (!wwn.empty()) remove_idle_target(tree, wwn);
  }
  tolerating({ENOENT}, [&] { tree.remove_directory(backstore); });
  tolerating({ENOENT, ENOTEMPTY}, [&] { tree.remove_directory(parent_of(backstore)); });
}

void remove_empty_hbas(ConfigTree& tree) {
  for (const std::string& hba : user_hbas(tree)) {
    if (*user_hba_number(name_of(hba)) < first_hba_number || !devices_of(tree, hba).empty()) continue;
    tolerating({ENOENT, ENOTEMPTY}, [&] { tree.remove_directory(hba); });
  }
}

}  // namespace tcmufs::lio
