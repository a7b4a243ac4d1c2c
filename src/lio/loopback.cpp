#include "lio/loopback.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <optional>

#include "lio/config_text.h"
#include "sys/deadline.h"
#include "sys/error.h"

namespace tcmufs::lio {

namespace {

constexpr u32 largest_lun = 16383;  // SAM-5 4.7: flat space addressing
constexpr std::size_t wwn_digits = 16;
constexpr auto fabric_limit = std::chrono::seconds(30);  // its module may have to be loaded

struct LinkOfLun {
  std::string path;
  std::string backstore;
};

// What a LUN directory leads to, if anything: the kernel allows one link in it.
std::optional<LinkOfLun> link_of(ConfigTree& tree, const std::string& lun_directory) {
  std::vector<std::string> names;
  tolerating({ENOENT}, [&] { names = tree.list(lun_directory); });  // another thread may be removing it
  for (const std::string& name : names) {
    const std::string path = below(lun_directory, name);
    if (auto backstore = tree.link_target(path)) return LinkOfLun{path, *backstore};
  }
  return std::nullopt;
}

std::string naa_directory(ConfigTree& tree, const std::string& wwn) {
  if (!is_naa(wwn)) {
    throw Failure(EINVAL,
                  "the name " + quoted(wwn) + " of a target must be 'naa.' and 16 hexadecimal digits");
  }
  const std::string fabric = "loopback";
  if (!tree.exists(fabric)) tolerating({EEXIST}, [&] { tree.make_directory(fabric); });
  // While somebody else is making it, it is there and nothing in it can be found or made.
  poll_until(Deadline::after(fabric_limit), [&] { return tree.exists(fabric + "/version"); });
  return fabric + "/" + wwn;
}

std::string address_of(ConfigTree& tree, const std::string& tpgt) {
  std::string address = read_value(tree, tpgt + "/address");
  if (std::count(address.begin(), address.end(), ':') != 2) {
    throw Failure(EIO,
                  "the address " + quoted(address) + " of the target " + quoted(tpgt) + " is none of SCSI");
  }
  return address;
}

// The kernel finishes a command on the processor that finished it for us, and several that were finished
// together with one switch of threads. Its default is the processor that has sent the command: an interrupt
// there, and a thread, for each.
void complete_where_finished(ConfigTree& tree, const std::string& naa) {
  constexpr auto current_processor = "-2";  // SE_COMPL_AFFINITY_CURR_CPU
  tolerating({ENOENT, EINVAL}, [&] {        // before Linux 5.13
    tree.write(naa + "/param/cmd_completion_affinity", current_processor);
  });
}

bool has_nexus(ConfigTree& tree, const std::string& tpgt) {
  return tolerating({ENODEV}, [&] { tree.read(tpgt + "/nexus"); });
}

// Refuses, before anything is changed, if a LUN is linked; removes the LUN directories that lead nowhere.
void remove_empty_luns(ConfigTree& tree, const std::string& tpgt) {
  const std::string directory = tpgt + "/lun";
  std::vector<std::string> luns;
  tolerating({ENOENT}, [&] { luns = tree.list(directory); });
  for (const std::string& lun : luns) {
    if (const auto link = link_of(tree, below(directory, lun))) {
      throw Failure(EBUSY, "cannot remove the target " + quoted(tpgt) + ": " + lun + " still leads to " +
                               quoted(link->backstore));
    }
  }
  for (const std::string& lun : luns) {
    tolerating({ENOENT}, [&] { tree.remove_directory(below(directory, lun)); });
  }
}

}  // namespace

bool is_naa(const std::string& wwn) {
  return wwn.size() == 4 + wwn_digits && wwn.starts_with("naa.") &&
         std::all_of(wwn.begin() + 4, wwn.end(), [](unsigned char c) { return std::isxdigit(c); });
}

// The name of the target with the top bit of its last digit turned over.
std::string initiator_of(const std::string& wwn) {
  const std::string digits = "0123456789abcdef";
  const auto last = static_cast<char>(std::tolower(static_cast<unsigned char>(wwn.back())));
  std::string name = wwn;
  name.back() = digits[digits.find(last) ^ 8];
  return name;
}

void remove_target(ConfigTree& tree, const std::string& naa) {
  const std::string tpgt = naa + "/tpgt_1";
  remove_empty_luns(tree, tpgt);
  // EPERM: the kernel counts LUNs whose scan failed as still there, for ever; removing the tpgt goes
  // nevertheless.
  tolerating({EPERM, ENODEV, ENOENT}, [&] { tree.write(tpgt + "/nexus", "NULL"); });
  tolerating({ENOENT}, [&] { tree.remove_directory(tpgt); });
  tolerating({ENOENT, ENOTEMPTY}, [&] { tree.remove_directory(naa); });
}

LoopbackTarget::LoopbackTarget(ConfigTree& tree, const std::string& wwn)
    : tree_(tree),
      naa_(tree, naa_directory(tree, wwn), ConfigDirectory::Sharing::shared),
      tpgt_(tree, naa_.path() + "/tpgt_1"),
      address_(address_of(tree, path())) {
  if (naa_.made()) complete_where_finished(tree, naa_.path());
  if (!has_nexus(tree, path())) {
    tolerating({EEXIST}, [&] { tree.write(path() + "/nexus", initiator_of(wwn)); });
  }
  naa_.abandon();
  tpgt_.abandon();
  owned_ = true;
}

LoopbackTarget::~LoopbackTarget() {
  undo(tree_, [this] { remove(); });
}

void LoopbackTarget::remove() {
  if (!owned_) return;
  remove_target(tree_, naa_.path());
  owned_ = false;
}

void LoopbackTarget::abandon() noexcept {
  owned_ = false;
}

namespace {

std::string lun_directory(const LoopbackTarget& target, u32 lun) {
  if (lun > largest_lun) {
    throw Failure(EINVAL, "the logical unit number " + std::to_string(lun) + " is above " +
                              std::to_string(largest_lun));
  }
  return target.path() + "/lun/lun_" + std::to_string(lun);
}

}  // namespace

Lun::Lun(LoopbackTarget& target, u32 lun, const Backstore& backstore)
    : target_(target),
      lun_(lun),
      backstore_(backstore.path()),
      serial_(backstore.serial()),
      directory_(target.tree(), lun_directory(target, lun)) {
  ConfigTree& tree = target_.tree();
  const std::lock_guard lock(target_.link_mutex_);
  if (const auto link = link_of(tree, directory_.path())) {
    if (link->backstore != backstore_) {
      throw Failure(EBUSY, "cannot link " + quoted(backstore_) + ": " + quoted(directory_.path()) +
                               " leads to " + quoted(link->backstore) + " already");
    }
    link_ = link->path;
    taken_over_ = true;
  } else {
    link_ = directory_.path() + backstore_.substr(backstore_.rfind('/'));
    make_link(Restored::everything);
  }
  directory_.take_over();
  owned_ = true;
}

Lun::~Lun() {
  undo(target_.tree(), [this] { remove(); });
  abandon();
}

void Lun::remove() {
  if (!owned_) return;
  {
    const std::lock_guard lock(target_.link_mutex_);
    tolerating({ENOENT}, [this] { target_.tree().unlink(link_); });
  }
  directory_.remove();
  owned_ = false;
}

void Lun::relink() {
  const std::lock_guard lock(target_.link_mutex_);
  ConfigTree& tree = target_.tree();
  tolerating({ENOENT}, [&] { tree.unlink(link_); });
  make_link(Restored::this_nexus_only);
}

// With the target's link_mutex_ held. Between the two the kernel knows of reservations and gives nobody
// access.
void Lun::make_link(Restored which) {
  ConfigTree& tree = target_.tree();
  lost_reservations_ = restore_reservations(tree, {backstore_, serial_, target_.path(), lun_}, which);
  tree.link(backstore_, link_);
}

void Lun::abandon() noexcept {
  directory_.abandon();
  owned_ = false;
}

std::string Lun::address() const {
  return target_.address() + ":" + std::to_string(lun_);
}

}  // namespace tcmufs::lio
