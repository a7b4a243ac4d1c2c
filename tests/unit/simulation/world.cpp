#include "unit/simulation/world.h"

#include <gtest/gtest.h>

#include <cerrno>
#include <cstring>
#include <deque>

#include "sys/fd.h"
#include "unit/simulation/daemon.h"

namespace tcmufs::simulation {

namespace {

std::error_code error_of(int error) {
  return {error, std::generic_category()};
}

}  // namespace

World::World(const Options& options, Deaths& deaths)
    : deaths_(deaths),
      faults_(options.faults),
      memory_(shape.map_bytes()),
      kernel_(memory_.span(), shape),
      initiator_(options.seed),
      image_(std::size_t{blocks} * block_bytes),
      stable_(image_),
      dirty_(blocks) {}

World::World(const World& other)
    : store::BlockStore(),
      tcmu::StoreObserver(),
      deaths_(other.deaths_),
      faults_(other.faults_),
      generation_(other.generation_ + 1),
      memory_(other.memory_),
      kernel_(other.kernel_.over(memory_.span())),
      initiator_(other.initiator_),
      image_(other.image_),
      stable_(other.stable_),
      dirty_(other.dirty_) {
  if (other.flush_failed_) initiator_.forget_flushes();
}

void World::live(unsigned steps) {
  look_at_ring();
  Daemon daemon(memory_.span(), *this, *this, initiator_);
  for (unsigned i = 0; i < steps && !testing::Test::HasFailure(); ++i) {
    switch (pick(9)) {
      case 0:
      case 1:
      case 2:
      case 3:
        queue_one();
        break;
      case 4:
        daemon.take();
        may_die("taken");
        break;
      case 5:
        daemon.io().step(initiator_);
        break;
      case 6:
        cut_power();
        break;
      case 7:
        daemon.finish();
        break;
      default:
        give_back(daemon);
        break;
    }
  }
  finish(daemon);
}

void World::queue_one() {
  initiator_.queue_one(kernel_);
  look_at_ring();
}

void World::look_at_ring() {
  last_ring_.assign(ring_bytes().begin(), ring_bytes().end());
}

void World::give_back(Daemon& daemon) {
  if (!daemon.commit()) return;
  may_die("not notified");
  kernel_.notify();
  initiator_.check(kernel_);
}

// Whatever has to be repeated is repeated.
void World::finish(Daemon& daemon) {
  for (unsigned round = 0; !testing::Test::HasFailure(); ++round) {
    ASSERT_LT(round, 1000U) << "commands are never answered";
    daemon.take();
    while (daemon.io().busy()) daemon.io().step(initiator_);
    daemon.finish();
    give_back(daemon);
    if (initiator_.content()) break;
    if (kernel_.pending() == 0) queue_one();
  }
  ASSERT_EQ(daemon.fault(), "");
  initiator_.check_image(image_);
}

std::span<std::byte> World::ring_bytes() {
  return memory_.span().first(128 + shape.cmdr_bytes);
}

bool World::fault(u32 one_in) {
  if (!faults_ || pick(one_in) != 0) return false;
  initiator_.fault_happened();
  return true;
}

std::error_code World::read(u64 offset, std::span<const iovec> buffers) noexcept {
  may_die("before read");
  if (fault()) return error_of(EIO);
  for (const iovec& buffer : buffers) {
    if (offset + buffer.iov_len > image_.size()) return error_of(EIO);
    std::memcpy(buffer.iov_base, image_.data() + offset, buffer.iov_len);
    offset += buffer.iov_len;
  }
  may_die("after read");
  return {};
}

std::error_code World::write(u64 offset, std::span<const iovec> buffers) noexcept {
  std::vector<u8> bytes;
  for (const iovec& buffer : buffers) {
    const auto* from = static_cast<const u8*>(buffer.iov_base);
    bytes.insert(bytes.end(), from, from + buffer.iov_len);
  }
  if (offset + bytes.size() > image_.size()) return error_of(EIO);
  may_die("before write");
  const u32 count = static_cast<u32>(bytes.size() / block_bytes);
  const bool fails = fault();
  const u32 stop = pick(count + 1);
  for (u32 i = 0; i < count; ++i) {
    if (i == stop) {
      if (fails) return error_of(pick(2) == 0 ? EIO : ENOSPC);
      may_die("in the middle of write");
    }
    const std::size_t at = std::size_t{i} * block_bytes;
    std::memcpy(image_.data() + offset + at, bytes.data() + at, block_bytes);
    dirty_[offset / block_bytes + i] = true;
  }
  if (fails) return error_of(EIO);
  may_die("after write");
  return {};
}

// One that fails takes what it should have written for written: the next one says nothing of it.
std::error_code World::flush() noexcept {
  may_die("before flush");
  const bool fails = fault(10);
  for (u32 block = 0; block < blocks; ++block) {
    const std::size_t at = std::size_t{block} * block_bytes;
    if (dirty_[block] && !fails) std::memcpy(stable_.data() + at, image_.data() + at, block_bytes);
    dirty_[block] = false;
  }
  if (fails) {
    flush_failed_ = true;
    return error_of(EIO);
  }
  may_die("after flush");
  return {};
}

std::error_code World::fill(const char* what, u64 offset, u64 length) {
  if (offset + length > image_.size()) return error_of(EIO);
  may_die(std::string("before ") + what);
  if (fault()) return error_of(EIO);
  std::memset(image_.data() + offset, 0, length);
  for (u64 block = offset / block_bytes; block < (offset + length) / block_bytes; ++block)
    dirty_[block] = true;
  may_die(std::string("after ") + what);
  return {};
}

std::error_code World::discard(u64 offset, u64 length) noexcept {
  return fill("discard", offset, length);
}

std::error_code World::zero(u64 offset, u64 length) noexcept {
  return fill("zero", offset, length);
}

std::error_code World::resize(u64) noexcept {
  return error_of(EOPNOTSUPP);
}

std::error_code World::extent(u64 offset, Extent& result) noexcept {
  result = {true, image_.size() - offset};
  return {};
}

void World::stored(tcmu::Store what, std::span<std::byte>) noexcept {
  if (what == tcmu::Store::response) die_in_a_response();
  may_die(what == tcmu::Store::mark ? "mark" : what == tcmu::Store::tail ? "tail" : "response");
  look_at_ring();
}

void World::may_die(const std::string& where) {
  if (testing::Test::HasFailure() || generation_ == generations) return;
  if (pick(generation_ == 0 ? 2 : 12) != 0) return;
  World next(*this);
  next.take_over(where);
}

// Any part of its bytes has been stored.
void World::die_in_a_response() {
  if (testing::Test::HasFailure() || generation_ == generations) return;
  if (pick(generation_ == 0 ? 2 : 12) != 0) return;
  World next(*this);
  const u32 share = 1 + pick(9);
  for (std::size_t i = 0; i < last_ring_.size(); ++i) {
    if (pick(10) >= share) next.ring_bytes()[i] = last_ring_[i];
  }
  next.take_over("in the middle of response");
}

void World::take_over(const std::string& where) {
  ++deaths_[where];
  SCOPED_TRACE("a daemon has died: " + where);
  live(pick(20));
}

// The kernel may have written any of what is dirty.
void World::cut_power() {
  std::vector<u8> left = stable_;
  for (u32 block = 0; block < blocks; ++block) {
    const std::size_t at = std::size_t{block} * block_bytes;
    if (dirty_[block] && pick(2) == 0) std::memcpy(left.data() + at, image_.data() + at, block_bytes);
  }
  initiator_.check_after_power_cut(left);
}

}  // namespace tcmufs::simulation
