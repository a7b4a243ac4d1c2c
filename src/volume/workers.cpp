#include "volume/workers.h"

#include <cerrno>
#include <future>
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
  auto task = std::make_shared<std::packaged_task<void()>>(std::move(work));
  auto result = task->get_future();
  start([task = std::move(task)] { (*task)(); });
  if (result.wait_for(limit) != std::future_status::ready) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(limit).count();
    throw Failure(ETIMEDOUT, what + " takes longer than " + std::to_string(seconds) + " s",
                  "It goes on in the background; 'state' shows how it ends");
  }
  result.get();
}

bool Workers::wait_idle(const Deadline& deadline) {
  std::unique_lock lock(count_->mutex);
  return count_->changed.wait_until(lock, deadline.point(), [this] { return count_->running == 0; });
}

}  // namespace tcmufs::volume
