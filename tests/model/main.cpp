// Random commands against the model of a disk, as many as wanted: see tests/model/run.
#include <atomic>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>

#include "episode.h"

extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(void (*callback)());

namespace {

using namespace tcmufs;
using namespace tcmufs::model;

constexpr const char* usage =
    "usage: scsi_model [COMMANDS] [--seed SEED] [--jobs JOBS]\n"
    "       scsi_model --replay SEED [COMMANDS]\n"
    "Sends COMMANDS (1000000) random commands to disks and to the model of a disk. Ends with an error if an "
    "answer\n"
    "differs, or if the commands have not had something of everything. --replay tells of every command of "
    "one disk.\n";

struct Options {
  u64 commands = 1000000;
  u64 seed = std::random_device()();
  unsigned jobs = std::max(1u, std::thread::hardware_concurrency());
  bool replay = false;
};

thread_local u64 current_seed = 0;

/// A sanitizer has found something and is about to end the program.
void tell_seed() {
  std::cerr << "scsi_model: it was the disk of " << current_seed << ": scsi_model --replay " << current_seed
            << " tells of its commands up to here" << std::endl;
}

std::optional<Options> options_of(int count, char** arguments) {
  Options options;
  for (int i = 1; i < count; ++i) {
    const std::string argument = arguments[i];
    const bool named = argument.starts_with("--");
    if (named && i + 1 == count) return std::nullopt;
    char* end = nullptr;
    const char* text = named ? arguments[++i] : arguments[i];
    const u64 value = std::strtoull(text, &end, 0);
    if (*text == '\0' || *end != '\0') return std::nullopt;
    if (argument == "--replay") options.replay = true;
    if (argument == "--seed" || argument == "--replay") {
      options.seed = value;
    } else if (argument == "--jobs") {
      options.jobs = static_cast<unsigned>(std::max<u64>(1, value));
    } else if (!named) {
      options.commands = value;
    } else {
      return std::nullopt;
    }
  }
  return options;
}

int replay(const Options& options) {
  Coverage coverage;
  Episode episode(options.seed, coverage);
  episode.trace(&std::cout);
  current_seed = options.seed;
  const u64 most = std::min<u64>(options.commands, Episode::usual_length);
  const auto finding = episode.run(static_cast<unsigned>(most));
  if (finding) std::cout << finding->text;
  return finding ? 1 : 0;
}

/// Disks one after the other, in several threads, until there were enough commands or something is wrong.
class Run {
 public:
  explicit Run(const Options& options) : options_(options) {}

  int run() {
    std::cout << "scsi_model " << options_.commands << " --seed " << options_.seed << " --jobs "
              << options_.jobs << std::endl;
    const auto start = std::chrono::steady_clock::now();
    std::vector<std::thread> threads;
    for (unsigned i = 0; i < options_.jobs; ++i) threads.emplace_back([this] { work(); });
    for (std::thread& thread : threads) thread.join();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    coverage_.print(std::cout);
    const auto rate = static_cast<double>(coverage_.commands()) / seconds.count();
    std::cout << coverage_.commands() << " commands in " << seconds.count() << " s, " << rate
              << " per second\n";
    if (found_) return 1;
    // A tenth of what is to be expected.
    const auto missing = coverage_.missing(options_.commands / 20000, options_.commands / 1000000);
    for (const std::string& what : missing) std::cout << "too rare: " << what << "\n";
    std::cout << (missing.empty() ? "nothing is wrong\n" : "the generator leaves something out\n");
    return missing.empty() ? 0 : 1;
  }

 private:
  void work() {
    constexpr u64 length = Episode::usual_length;
    Coverage coverage;
    for (u64 i = next_++; i * length < options_.commands && !found_; i = next_++) {
      current_seed = Random(options_.seed + i).next();
      const auto finding = Episode(current_seed, coverage).run();
      if (finding) report(*finding);
      tell_progress((i + 1) * length);
    }
    const std::lock_guard held(mutex_);
    coverage_.add(coverage);
  }
  void tell_progress(u64 commands) {
    const u64 step = std::max<u64>(options_.commands / 10 / Episode::usual_length * Episode::usual_length,
                                   Episode::usual_length);
    const std::lock_guard held(mutex_);
    if (commands % step == 0) std::cout << "about " << commands << " commands" << std::endl;
  }
  void report(const Episode::Finding& finding) {
    const std::lock_guard held(mutex_);
    found_ = true;
    std::cout << "FOUND by --replay " << current_seed << " " << finding.command + 1 << "\n" << finding.text;
  }

  const Options options_;
  std::atomic<u64> next_ = 0;
  std::atomic<bool> found_ = false;
  std::mutex mutex_;
  Coverage coverage_;  // guarded by mutex_
};

}  // namespace

int main(int count, char** arguments) {
  const auto options = options_of(count, arguments);
  if (!options) {
    std::cerr << usage;
    return 2;
  }
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(tell_seed);
  return options->replay ? replay(*options) : Run(*options).run();
}
