// The registry's beginning and end: all disks up, all disks down.

#include <algorithm>
#include <atomic>
#include <set>

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

void Registry::for_all(std::function<void(FileVolume&)> work) {
  struct Queue {
    std::vector<std::shared_ptr<FileVolume>> volumes;
    std::function<void(FileVolume&)> work;
    std::atomic<std::size_t> next = 0;
  };
  const auto queue = std::make_shared<Queue>();
  queue->volumes = all_volumes();
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

bool Registry::comes_up(const Facts& facts) const {
  return facts.size_bytes > 0 && facts.state != State::failed && options_.attaches_by_itself(facts.path);
}

void Registry::bring_up() {
  settle_leftovers();
  for_all([this](FileVolume& volume) {
    if (comes_up(volume.facts())) volume.attach();
  });
  const auto rounds = static_cast<long>(all_volumes().size() / at_once + 1);
  workers_.wait_idle(Deadline::after(context_.transition_limit * rounds));
}

void Registry::settle_leftovers() {
  std::set<std::string> wanted;
  for (const Facts& facts : all_facts()) {
    if (comes_up(facts)) wanted.insert(facts.uuid.text());
  }
  for (const Uuid& uuid : kernel_.leftovers()) {
    if (wanted.contains(uuid.text())) continue;
    const std::string what =
        "removing the disk " + uuid.text() + ", which a daemon that died has left behind";
    options_.log(what);
    try {
      workers_.run(what, context_.transition_limit, [this, uuid] { kernel_.remove_leftover(uuid); });
    } catch (const std::exception& error) {
      options_.log(error.what());
    }
  }
  remove_dangling_links(options_.link_root);
}

bool Registry::take_down(const Deadline& deadline) {
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  for_all([](FileVolume& volume) { volume.take_down(); });
  return workers_.wait_idle(deadline);
}

}  // namespace tcmufs::volume
