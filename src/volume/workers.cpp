#include "volume/workers.h"

#include <cerrno>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <thread>

#include "sys/error.h"

namespace tcmufs::volume {

Workers::Workers() : count_(std::make_shared<Count>()) {}

void Workers::start(std::function<void()> work) {
  {
    const std::lock_guard lock(count_->mutex);
    ++count_->running;
  }
  const auto ended = [count = count_] {
    const std::lock_guard lock(count->mutex);
    --count->running;
    count->changed.notify_all();
  };
  try {
    std::thread([work = std::move(work), ended]() mutable {
      work();
      work = nullptr;  // what it holds goes before the end is told
      ended();
    }).detach();
  } catch (const std::system_error& error) {
    ended();
    throw Failure(error.code().value(), "cannot start a thread");
  }
}

void Workers::run(const std::string& what, Deadline::Clock::duration limit, std::function<void()> work) {
  struct Outcome {
    std::mutex mutex;
    std::condition_variable changed;
    bool known = false;        // guarded by mutex, like what follows
    std::exception_ptr error;  // has one owner at a time: whoever throws it on also destroys it
  };
  const auto outcome = std::make_shared<Outcome>();
  start([outcome, work = std::move(work)] {
    std::exception_ptr error;
    try {
      work();
    } catch (...) {
      error = std::current_exception();
    }
    const std::lock_guard lock(outcome->mutex);
    outcome->error = std::move(error);
    outcome->known = true;
    outcome->changed.notify_all();
  });
  std::unique_lock lock(outcome->mutex);
  if (!outcome->changed.wait_for(lock, limit, [&] { return outcome->known; })) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
    throw Failure(ETIMEDOUT, what + " takes longer than " + std::to_string(seconds) + " s",
                  "It goes on in the background; 'state' shows how it ends");
  }
  if (outcome->error) std::rethrow_exception(std::move(outcome->error));
}

bool Workers::wait_idle(const Deadline& deadline) {
  std::unique_lock lock(count_->mutex);
  return count_->changed.wait_until(lock, deadline.point(), [this] { return count_->running == 0; });
}

}  // namespace tcmufs::volume
