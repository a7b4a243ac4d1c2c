// The registry's beginning and end: all disks up, all disks down.

#include <algorithm>
#include <atomic>

#include "sys/error.h"
#include "volume/device_link.h"
#include "volume/registry.h"

namespace tcmufs::volume {

namespace {

// So many disks come up or go at once: more would only wait for the kernel's locks.
constexpr std::size_t at_once = 8;

}  // namespace

Registry::~Registry() {
  workers_.wait_idle(Deadline::after(context_.transition_limit));
}

void Registry::for_all(Volumes volumes, std::function<void(FileVolume&)> work) {
  struct Queue {
    Volumes volumes;
    std::function<void(FileVolume&)> work;
    std::atomic<std::size_t> next = 0;
  };
  const auto queue = std::make_shared<Queue>();
  queue->volumes = std::move(volumes);
  queue->work = std::move(work);
  for (std::size_t i = 0; i < std::min(at_once, queue->volumes.size()); ++i) {
    workers_.start([queue, log = options_.log] {
      for (std::size_t at = queue->next++; at < queue->volumes.size(); at = queue->next++) {
        try {
          queue->work(*queue->volumes[at]);
        } catch (const std::exception& error) {
          log(error.what());
        }
      }
    });
  }
}

// Whatever its name is by now, a volume whose disk a dead daemon has left may be in use.
bool Registry::comes_up(const Facts& facts, const std::vector<Uuid>& left) const {
  if (facts.size_bytes == 0 && facts.target.empty()) return false;
  if (facts.state == State::failed || facts.state == State::draft) return false;
  return options_.attaches_by_itself(facts.path) ||
         std::find(left.begin(), left.end(), facts.uuid) != left.end();
}

void Registry::bring_up() {
  const std::vector<Uuid> left = kernel_.leftovers();
  settle_leftovers(left);
  for_all(all_volumes(), [this, left](FileVolume& volume) {
    if (comes_up(volume.facts(), left)) volume.attach();
  });
  const auto rounds = static_cast<long>(all_volumes().size() / at_once + 1);
  workers_.wait_idle(Deadline::after(context_.transition_limit * rounds));
}

void Registry::settle_leftovers(const std::vector<Uuid>& left) {
  std::vector<Uuid> known;
  std::vector<Uuid> wanted;
  for (const Facts& facts : all_facts()) {
    known.push_back(facts.uuid);
    if (comes_up(facts, left)) wanted.push_back(facts.uuid);
  }
  for (const Uuid& uuid : left) {
    if (std::find(wanted.begin(), wanted.end(), uuid) != wanted.end()) continue;
    if (!all_known_) {
      options_.log("the disk " + uuid.text() +
                   ", which a daemon that died has left behind, is kept: it may belong to an image " +
                   "that could not be used. Mend that and mount the store anew");
      continue;
    }
    const std::string what =
        "removing the disk " + uuid.text() + ", which a daemon that died has left behind";
    options_.log(what);
    try {
      workers_.run(what, context_.transition_limit, [this, uuid] { kernel_.remove_leftover(uuid); });
      if (std::find(known.begin(), known.end(), uuid) == known.end()) forget(uuid);
    } catch (const std::exception& error) {
      options_.log(error.what());
    }
  }
  remove_dangling_links(options_.link_root);
}

void Registry::stopping() noexcept {
  const std::lock_guard lock(mutex_);
  if (!stopping_) events_.record(nullptr, "", "stopping");
  stopping_ = true;
}

bool Registry::take_down(const Deadline& deadline) {
  stopping();
  for_all(all_volumes(), [](FileVolume& volume) { volume.take_down(); });
  return workers_.wait_idle(deadline);
}

}  // namespace tcmufs::volume
