#include "device/handled_command.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <array>
#include <functional>
#include <stdexcept>

#include "device/user_store.h"

namespace tcmufs::device {
namespace {

constexpr u64 unit_bytes = 1 << 20;

class Asking final : public CommandHandler {
 public:
  Outcome handle(Command& command) override { return answer(command); }
  std::function<Outcome(Command&)> answer;
};

class HandledCommandTest : public testing::Test {
 protected:
  const scsi::Response& ask(std::vector<u8> cdb, std::function<Outcome(Command&)> answer) {
    std::copy(cdb.begin(), cdb.end(), command_.cdb.begin());
    command_.cdb_length = static_cast<u16>(cdb.size());
    command_.buffer = {{data_.data(), 3}, {data_.data() + 3, data_.size() - 3}};
    job_.command = &command_;
    handler_.answer = std::move(answer);
    handle(job_, unit_, handler_);
    return job_.response;
  }
  static std::array<u8, 3> sense(const scsi::Response& response) {
    EXPECT_EQ(response.status, scsi::Status::check_condition);
    return {static_cast<u8>(response.sense.bytes[2] & 0x0f), response.sense.bytes[12],
            response.sense.bytes[13]};
  }

  std::array<u8, 8> data_{};
  tcmu::RingCommand command_;
  volume::Job job_;
  scsi::LogicalUnit logical_unit_{scsi::Identity{}, scsi::Format{.size_bytes = unit_bytes}};
  UserStore store_{nullptr, unit_bytes, true};
  Unit unit_{logical_unit_, store_, "disk", 512};
  Asking handler_;
};

TEST_F(HandledCommandTest, WhatIsPutGoesBackAndItsLengthToo) {
  const std::array<std::byte, 5> bytes{std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}, std::byte{5}};
  const auto& response = ask({0xc1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, [&](Command& command) {
    EXPECT_EQ(command.put(std::span(bytes).first(2)), 2u);
    EXPECT_EQ(command.put(std::span(bytes).last(3)), 3u);
    return Outcome::good();
  });
  EXPECT_EQ(response.status, scsi::Status::good);
  EXPECT_EQ(response.data_in_bytes, 5u);
  EXPECT_EQ(data_, (std::array<u8, 8>{1, 2, 3, 4, 5, 0, 0, 0}));
}

TEST_F(HandledCommandTest, NoMoreIsPutThanThereIsRoomFor) {
  const auto& response = ask({0xc1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, [&](Command& command) {
    EXPECT_EQ(command.buffer_length(), 8u);
    EXPECT_EQ(command.put(std::array<std::byte, 20>{}), 8u);
    EXPECT_EQ(command.put(std::array<std::byte, 1>{}), 0u);
    return Outcome::good();
  });
  EXPECT_EQ(response.data_in_bytes, 8u);
}

TEST_F(HandledCommandTest, DataOutIsTakenInItsOrder) {
  data_ = {1, 2, 3, 4, 5, 6, 7, 8};
  ask({0xc1, 0, 0, 0, 0, 0, 0, 0, 0, 0}, [&](Command& command) {
    std::array<std::byte, 5> first{};
    std::array<std::byte, 5> rest{};
    EXPECT_EQ(command.take(first), 5u);
    EXPECT_EQ(command.take(rest), 3u);
    EXPECT_EQ(first[4], std::byte{5});
    EXPECT_EQ(rest[0], std::byte{6});
    return Outcome::good();
  });
}

TEST_F(HandledCommandTest, AddressAndLengthAreThoseOfEveryGroup) {
  const auto fields = [this](std::vector<u8> cdb) {
    std::pair<u64, u64> result;
    ask(std::move(cdb), [&](Command& command) {
      result = {command.lba(), command.transfer_length()};
      return Outcome::good();
    });
    return result;
  };
  EXPECT_EQ(fields({0x08, 0x1f, 0xff, 0xff, 0, 0}), std::pair(u64{0x1fffff}, u64{256}));
  EXPECT_EQ(fields({0x08, 0xe0, 0, 5, 1, 0}), std::pair(u64{5}, u64{1}));
  EXPECT_EQ(fields({0x28, 0, 1, 2, 3, 4, 0, 5, 6, 0}), std::pair(u64{0x01020304}, u64{0x0506}));
  EXPECT_EQ(fields({0xa8, 0, 1, 2, 3, 4, 5, 6, 7, 8, 0, 0}), std::pair(u64{0x01020304}, u64{0x05060708}));
  EXPECT_EQ(fields({0x88, 0, 0, 0, 0, 1, 2, 3, 4, 5, 0, 0, 0, 7, 0, 0}),
            std::pair(u64{0x0102030405}, u64{7}));
  EXPECT_EQ(fields({0xc1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}), std::pair(u64{0}, u64{0}));
  EXPECT_EQ(fields({0x28, 0, 1}), std::pair(u64{0}, u64{0})) << "cut off";
}

TEST_F(HandledCommandTest, EveryOutcomeHasItsStatusAndSense) {
  const std::vector<u8> cdb{0xc1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  using Triple = std::array<u8, 3>;
  EXPECT_EQ(sense(ask(cdb, [](Command&) { return Outcome::not_handled(); })), (Triple{5, 0x20, 0}));
  EXPECT_EQ(sense(ask(cdb, [](Command&) { return Outcome::check_condition(sense::medium_error); })),
            (Triple{3, 0x11, 0}));
  EXPECT_EQ(ask(cdb, [](Command&) { return Outcome::busy(); }).status, scsi::Status::busy);
  EXPECT_EQ(ask(cdb, [](Command&) { return Outcome::status(0x28); }).status, scsi::Status::task_set_full);
  const std::array<std::byte, 2> raw{std::byte{0x70}, std::byte{0x99}};
  const auto& response = ask(cdb, [&](Command&) { return Outcome::check_condition(raw); });
  EXPECT_EQ(response.sense.length, 2);
  EXPECT_EQ(response.sense.bytes[1], 0x99);
}

TEST_F(HandledCommandTest, AHandlerThatThrowsEndsItsCommandOnly) {
  const std::vector<u8> cdb{0xc1, 0, 0, 0, 0, 0, 0, 0, 0, 0};
  using Triple = std::array<u8, 3>;
  EXPECT_EQ(sense(ask(cdb, [](Command&) -> Outcome { throw std::runtime_error("x"); })),
            (Triple{3, 0x11, 0}));
  EXPECT_EQ(sense(ask(cdb, [](Command&) -> Outcome { throw 42; })), (Triple{3, 0x11, 0}));
  EXPECT_EQ(
      sense(ask(cdb, [](Command&) -> Outcome { throw std::system_error(EAGAIN, std::generic_category()); })),
      (Triple{0xb, 0, 0}));
  const auto cannot = [](Command&) -> Outcome { throw std::system_error(EIO, std::generic_category()); };
  EXPECT_EQ(sense(ask({0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0}, cannot)), (Triple{3, 0x11, 0}));
  EXPECT_EQ(sense(ask({0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0}, cannot)), (Triple{3, 0x0c, 0}));
}

TEST_F(HandledCommandTest, BuiltInCommandsAnswerToTheirOwnOpcodesOnly) {
  EXPECT_EQ(ask({0x12, 0, 0, 0, 8, 0}, emulate_inquiry).status, scsi::Status::good);
  EXPECT_EQ(data_[2], 6);
  EXPECT_EQ(sense(ask({0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0}, emulate_inquiry))[1], 0x20);
  EXPECT_EQ(sense(ask({0x28, 0, 0, 0, 0, 0, 0, 0, 1, 0}, emulate_read))[1], 0x11) << "there is no medium";
  EXPECT_EQ(ask({0x25, 0, 0, 0, 0, 0, 0, 0, 0, 0}, emulate_read_capacity).data_in_bytes, 8u);
  EXPECT_EQ(sense(ask({0x9e, 0x12, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0}, emulate_read_capacity))[1],
            0x20);
  EXPECT_EQ(ask({0x9e, 0x10, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 0, 0}, emulate_read_capacity).status,
            scsi::Status::good);
}

}  // namespace
}  // namespace tcmufs::device
