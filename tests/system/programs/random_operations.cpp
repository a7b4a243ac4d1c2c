// Several users of a mount at once, each of whom makes calls at random and knows what must come of them: see
// tests/support/random_user.h.

#include <CLI/CLI.hpp>
#include <iostream>
#include <mutex>
#include <random>
#include <thread>
#include <vector>

#include "support/random_user.h"

namespace {

/// False if one of them has seen something else than what must be; it has been printed then.
bool all_do(std::vector<tcmufs::test::RandomUser>& users, unsigned operations) {
  std::mutex mutex;
  bool good = true;  // guarded by mutex
  std::vector<std::thread> threads;
  threads.reserve(users.size());
  for (auto& user : users) {
    threads.emplace_back([&] {
      try {
        for (unsigned i = 0; i < operations; ++i) user.step();
        user.remove_all();
      } catch (const std::exception& error) {
        const std::lock_guard lock(mutex);
        std::cout << error.what() << "\n";
        good = false;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  return good;
}

}  // namespace

int main(int argc, char** argv) {
  std::string mount;
  unsigned threads = 8;
  unsigned operations = 10000;
  tcmufs::u64 seed = std::random_device{}();
  CLI::App app("Works in the mount MNT at random, checks every result, and removes what it has made.",
               "random_operations");
  app.add_option("MNT", mount)->required();
  app.add_option("--threads", threads, "how many at once")->capture_default_str()->check(CLI::PositiveNumber);
  app.add_option("--operations", operations, "of all together")->capture_default_str();
  app.add_option("--seed", seed, "to do the same again; threads still meet in another way");
  CLI11_PARSE(app, argc, argv);
  std::cout << "--seed " << seed << "\n";
  std::vector<tcmufs::test::RandomUser> users;
  users.reserve(threads);
  for (unsigned i = 0; i < threads; ++i) users.emplace_back(mount, "u" + std::to_string(i), seed + i);
  return all_do(users, operations / threads) ? 0 : 1;
}
