#include "volume/verbs.h"

#include <cerrno>
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>

#include "sys/error.h"
#include "volume/registry.h"

namespace tcmufs::volume {

namespace {

const char* name_of(Verb verb) {
  return verb == Verb::attach ? "attach" : "detach";
}

/// What has become of a verb for several volumes.
struct Outcome {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t under_way = 0;              // guarded by mutex
  std::map<std::string, Failure> failed;  // by path; guarded by mutex
};

}  // namespace

Verb verb_of(const std::string& text, const std::string& file) {
  if (text == "attach") return Verb::attach;
  if (text == "detach") return Verb::detach;
  throw Failure(EINVAL, quoted(file) + " does not take " + quoted(text), "It takes: attach, detach");
}

std::string verbs_text() {
  return "attach\ndetach\n";
}

void Registry::carry_out(Verb verb) {
  refuse_while_stopping();
  auto volumes = all_volumes();
  std::erase_if(volumes, [&](const auto& volume) {
    const Facts facts = volume->facts();
    return verb == Verb::attach && ((facts.size_bytes == 0 && facts.target.empty()) ||
                                    facts.state == State::draft || !options_.attaches_by_itself(facts.path));
  });
  const std::size_t all = volumes.size();
  const auto outcome = std::make_shared<Outcome>();
  outcome->under_way = all;
  for_all(std::move(volumes), [outcome, verb](FileVolume& volume) {
    std::optional<Failure> failure;
    try {
      volume.carry_out(verb);
    } catch (const Failure& refusal) {
      failure = refusal;
    } catch (const std::exception& error) {
      failure.emplace(EIO, error.what());
    }
    const std::lock_guard lock(outcome->mutex);
    if (failure) outcome->failed.emplace(volume.facts().path, *failure);
    --outcome->under_way;
    outcome->changed.notify_all();
  });
  std::unique_lock lock(outcome->mutex);
  // Each has a limit of its own.
  outcome->changed.wait(lock, [&] { return outcome->under_way == 0; });
  if (outcome->failed.empty()) return;
  const Failure& first = outcome->failed.begin()->second;
  throw Failure(first.error(), std::to_string(outcome->failed.size()) + " of " + std::to_string(all) +
                                   " volumes could not be " + name_of(verb) +
                                   "ed; the first: " + first.what());
}

}  // namespace tcmufs::volume
