#include "unit/tcmu/initiator.h"

#include <gtest/gtest.h>

namespace tcmufs::test {

bool Initiator::queue_one(FakeKernelRing& kernel) {
  const u32 serial = ++serial_;
  const auto kind = static_cast<Kind>(pick(4));
  const std::size_t bytes = pick(4) == 0 ? 0 : 1 + pick(4 * 4096);
  const std::array<u8, 10> cdb = {0x2a,
                                  static_cast<u8>(kind),
                                  static_cast<u8>(serial >> 24),
                                  static_cast<u8>(serial >> 16),
                                  static_cast<u8>(serial >> 8),
                                  static_cast<u8>(serial)};
  const bool out = kind == Kind::data_out;
  const auto id = kernel.queue(cdb, out ? pattern(bytes, serial) : std::vector<u8>(), out ? 0 : bytes);
  if (!id) return false;
  order_.push_back(*id);
  waiting_[*id] = {serial, kind, bytes};
  return true;
}

u32 Initiator::serial(const tcmu::RingCommand& command) {
  return u32{command.cdb[2]} << 24 | u32{command.cdb[3]} << 16 | u32{command.cdb[4]} << 8 | command.cdb[5];
}

void Initiator::execute(tcmu::Ring& ring, tcmu::RingCommand& command) const {
  ASSERT_TRUE(waiting_.contains(command.id));
  const Expected& expected = waiting_.at(command.id);
  ASSERT_EQ(command.cdb_length, 10);
  ASSERT_EQ(serial(command), expected.serial);
  ASSERT_EQ(gather(command).size(), expected.bytes);
  switch (expected.kind) {
    case Kind::data_out:
      ASSERT_EQ(gather(command), pattern(expected.bytes, expected.serial));
      ring.finish(command, {});
      return;
    case Kind::failing:
      ring.finish(command, {0x02, pattern(18, expected.serial), {}});
      return;
    case Kind::data_in:
    case Kind::short_data_in:
      scatter(command, pattern(expected.valid_in(), expected.serial));
      ring.finish(command, {0, {}, expected.valid_in()});
  }
}

void Initiator::check(FakeKernelRing& kernel, const std::set<u32>& torn) {
  ASSERT_EQ(kernel.complaint(), "");
  for (const auto& completion : kernel.completions()) {
    ASSERT_EQ(completion.id, order_.front());
    order_.pop_front();
    const Expected expected = waiting_.at(completion.id);
    waiting_.erase(completion.id);
    ++answered_;
    check_one(completion, expected, torn.contains(expected.serial));
  }
}

void Initiator::check_one(const FakeKernelRing::Completion& completion, const Expected& expected, bool torn) {
  if (torn && expected.more_than_good()) {
    ASSERT_EQ(completion.status, 0x02);
    ASSERT_EQ(completion.sense.at(0), 0x70);
    ASSERT_EQ(completion.sense.at(2), 0x0b) << "ABORTED COMMAND";
    ASSERT_TRUE(completion.data_in.empty());
  } else if (expected.kind == Kind::failing) {
    auto sense = pattern(18, expected.serial);
    sense.resize(96, 0);
    ASSERT_EQ(completion.status, 0x02);
    ASSERT_EQ(completion.sense, sense);
  } else {
    ASSERT_EQ(completion.status, 0x00);
    auto data = pattern(expected.valid_in(), expected.serial);
    if (data.empty() && expected.kind != Kind::data_out) data.resize(expected.bytes, 0);
    ASSERT_EQ(completion.data_in, data);
  }
}

}  // namespace tcmufs::test
