#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

namespace tcmufs::ctlfs {

/// The names that operations under way are about to make, move or remove. The backend is called without the
/// tree's mutex; while it works, the name is claimed, and whoever wants the same name, something below it or
/// something above it waits. Different names do not wait for each other.
class Claims {
 public:
  explicit Claims(std::mutex& mutex) : mutex_(mutex) {}

  /// The claims of one operation, given up at its end. Must be destroyed with the mutex unlocked: declare it
  /// before the lock.
  class Held {
   public:
    explicit Held(Claims& claims) : claims_(claims) {}
    ~Held();
    Held(const Held&) = delete;
    Held& operator=(const Held&) = delete;

    /// Claims all that `paths` returns, waiting (the mutex unlocked) until they are free. `paths` is called
    /// with the mutex locked, again after every wait, since names may have changed; it may throw.
    void take(std::unique_lock<std::mutex>& lock, const std::function<std::vector<std::string>()>& paths);

   private:
    Claims& claims_;
    std::vector<std::string> paths_;
  };

 private:
  bool free(const std::vector<std::string>& paths) const;

  std::mutex& mutex_;
  std::condition_variable changed_;
  std::vector<std::string> claimed_;  // guarded by mutex_
};

}  // namespace tcmufs::ctlfs
