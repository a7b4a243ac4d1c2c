#include "unit/simulation/initiator.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstring>

namespace tcmufs::simulation {

namespace {

constexpr u8 check_condition = 0x02;

void put(std::vector<u8>& bytes, std::size_t at, u64 value, unsigned width) {
  for (unsigned i = width; i-- > 0; value >>= 8) bytes[at + i] = static_cast<u8>(value);
}

std::vector<u8> filled(u64 stamp, u32 count) {
  std::vector<u8> bytes(std::size_t{count} * block_bytes);
  for (std::size_t at = 0; at < bytes.size(); at += sizeof stamp)
    std::memcpy(&bytes[at], &stamp, sizeof stamp);
  return bytes;
}

/// The stamp that fills a block; a failure of the test if it is not one alone.
u64 stamp_of(const u8* block) {
  u64 stamp = 0;
  std::memcpy(&stamp, block, sizeof stamp);
  const auto expected = filled(stamp, 1);
  EXPECT_TRUE(std::equal(expected.begin(), expected.end(), block)) << "a block is torn";
  return stamp;
}

}  // namespace

template <typename Visit>
void Initiator::for_each_unanswered(Visit visit) {
  for (auto& [id, command] : waiting_) visit(command);
  for (Command& command : again_) visit(command);
}

Initiator::Command Initiator::random_command() {
  Command command;
  command.kind = static_cast<Kind>(pick(6));
  command.count = command.compares() ? 1 : 1 + pick(8);
  command.lba = pick(blocks - command.count + 1);
  command.fua = pick(4) == 0;
  if (command.compares()) {
    command.lba = pick(4);  // where others are
    const Stamps& now = now_[command.lba];
    command.expected = std::next(now.begin(), pick(static_cast<u32>(now.size())))->first;
    command.hopeless = pick(4) == 0;
    if (command.hopeless) command.expected += 1'000'000;
  }
  return command;
}

void Initiator::queue_one(test::FakeKernelRing& kernel) {
  if (!again_.empty()) {
    const Command command = again_.back();
    if (queue(kernel, command)) again_.pop_back();
    return;
  }
  Command command = random_command();
  if (command.writes() && command.kind != Kind::unmap) command.stamp = ++last_stamp_;
  command.issued = ++clock_;
  queue(kernel, std::move(command));
}

bool Initiator::queue(test::FakeKernelRing& kernel, Command command) {
  std::vector<u8> cdb(10);
  std::vector<u8> out;
  std::size_t in = 0;
  const u8 fua = command.fua ? 0x08 : 0;
  switch (command.kind) {
    case Kind::read:
      cdb = {0x28, 0, 0, 0, 0, static_cast<u8>(command.lba), 0, 0, static_cast<u8>(command.count), 0};
      in = std::size_t{command.count} * block_bytes;
      break;
    case Kind::write:
      cdb = {0x2a, fua, 0, 0, 0, static_cast<u8>(command.lba), 0, 0, static_cast<u8>(command.count), 0};
      out = filled(command.stamp, command.count);
      break;
    case Kind::flush:
      cdb[0] = 0x35;
      break;
    case Kind::unmap:
      cdb = {0x42, 0, 0, 0, 0, 0, 0, 0, 24, 0};
      out.resize(24);
      put(out, 0, 22, 2);
      put(out, 2, 16, 2);
      put(out, 8, command.lba, 8);
      put(out, 16, command.count, 4);
      break;
    case Kind::write_same:
      cdb.assign(16, 0);
      cdb[0] = 0x93;
      put(cdb, 2, command.lba, 8);
      put(cdb, 10, command.count, 4);
      out = filled(command.stamp, 1);
      break;
    case Kind::compare_and_write:
      cdb.assign(16, 0);
      cdb[0] = 0x89;
      cdb[1] = fua;
      put(cdb, 2, command.lba, 8);
      cdb[13] = 1;
      out = filled(command.expected, 1);
      for (const u8 byte : filled(command.stamp, 1)) out.push_back(byte);
      break;
  }
  const auto id = kernel.queue(cdb, out, in);
  if (id) begin(waiting_.emplace(*id, std::move(command)).first->second);
  return id.has_value();
}

void Initiator::begin(Command& command) {
  if (command.kind == Kind::read || command.compares()) {
    command.seen.assign(now_.begin() + command.lba, now_.begin() + command.lba + command.count);
  } else if (command.kind == Kind::flush) {
    command.seen.assign(now_.begin(), now_.end());
  }
  if (!command.changes()) return;
  const Stamp stamp{command.issued};
  for (u32 block = command.lba; block < command.lba + command.count; ++block) {
    // 0 comes from every UNMAP; the last one counts.
    now_[block].insert_or_assign(command.stamp, stamp);
    durable_[block].insert_or_assign(command.stamp, stamp);
    for_each_unanswered([&](Command& other) {
      const u32 first = other.kind == Kind::flush ? 0 : other.lba;
      if (&other != &command && first <= block && block - first < other.seen.size())
        other.seen[block - first].insert_or_assign(command.stamp, stamp);
    });
  }
}

void Initiator::end(const Command& command, bool good) {
  ++clock_;
  if (command.kind == Kind::flush && good)
    std::copy(command.seen.begin(), command.seen.end(), durable_.begin());
  if (!command.changes()) return;
  const auto older = [&](const auto& stamp) { return stamp.second.ended < command.issued; };
  for (u32 block = command.lba; block < command.lba + command.count; ++block) {
    for (Stamps* stamps : {&now_[block], &durable_[block]}) {
      const auto own = stamps->find(command.stamp);
      if (own != stamps->end() && own->second.issued == command.issued) own->second.ended = clock_;
    }
    if (!good) continue;
    std::erase_if(now_[block], older);
    if (command.fua && command.kind != Kind::unmap && command.kind != Kind::write_same)
      std::erase_if(durable_[block], older);
  }
}

// What it has found is gone, if one write alone can have put it there: nobody finds it, unless that one has
// been sent again.
void Initiator::has_matched(const Command& command) {
  EXPECT_FALSE(command.hopeless) << "a compare that must fail did not";
  EXPECT_TRUE(command.seen.at(0).contains(command.expected))
      << "block " << command.lba << " has been found to hold " << command.expected
      << ", which is not possible";
  found_.insert(command.stamp);
  const auto is_sent_again = [&](const auto& each) {
    return each.second.repeated && each.second.stamp == command.expected;
  };
  if (command.expected == 0 || std::any_of(waiting_.begin(), waiting_.end(), is_sent_again)) return;
  now_[command.lba].erase(command.expected);
  for_each_unanswered([&](Command& other) {
    if (other.compares() && other.lba == command.lba) other.seen.at(0).erase(command.expected);
  });
}

// It has written nothing: nobody has found its stamp, and nobody will.
void Initiator::has_not_matched(const Command& command) {
  EXPECT_FALSE(command.seen.at(0).size() == 1 && command.seen[0].contains(command.expected))
      << "block " << command.lba << " has been found not to hold " << command.expected << ", which it must";
  EXPECT_FALSE(found_.contains(command.stamp)) << "a compare that failed has written";
  now_[command.lba].erase(command.stamp);
  durable_[command.lba].erase(command.stamp);
  for_each_unanswered([&](Command& other) {
    const u32 first = other.kind == Kind::flush ? 0 : other.lba;
    if (first <= command.lba && command.lba - first < other.seen.size())
      other.seen[command.lba - first].erase(command.stamp);
  });
}

void Initiator::check(test::FakeKernelRing& kernel) {
  ASSERT_EQ(kernel.complaint(), "");
  for (const auto& completion : kernel.completions()) {
    ASSERT_TRUE(waiting_.contains(completion.id)) << "answered twice";
    auto node = waiting_.extract(completion.id);
    Command& command = node.mapped();
    const u8 key = completion.status == check_condition ? completion.sense.at(2) & 0x0f : 0;
    constexpr u8 unit_attention = 0x06;
    constexpr u8 aborted = 0x0b;
    constexpr u8 busy = 0x08;
    if (completion.status == busy || key == aborted || key == unit_attention) {
      command.repeated = true;
      again_.push_back(std::move(command));
      continue;
    }
    ++answered_;
    if (completion.status == check_condition) {
      check_sense(command, completion.sense);
    } else {
      ASSERT_EQ(completion.status, 0);
      if (command.compares()) has_matched(command);
      if (command.kind == Kind::read) check_data(command, completion.data_in);
      end(command, true);
    }
  }
}

void Initiator::check_sense(const Command& command, const std::vector<u8>& sense) {
  constexpr u8 medium_error = 0x03;
  constexpr u8 data_protect = 0x07;
  constexpr u8 miscompare = 0x0e;
  const u8 key = sense.at(2) & 0x0f;
  // A store's error after the write whose report was lost, with a daemon: repeated, it compares with itself.
  if (key == miscompare && faults_ && command.repeated) return end(command, false);
  if (key == miscompare && command.compares()) return has_not_matched(command);
  EXPECT_TRUE(faults_) << "failed with sense key " << int{key} << " though nothing had gone wrong";
  // No room: a write waits for it, and what is more than a write is told.
  const bool told_of_room = command.writes() && command.kind != Kind::write;
  EXPECT_TRUE(key == medium_error || (told_of_room && key == data_protect)) << int{key};
  end(command, false);
}

void Initiator::check_data(const Command& command, const std::vector<u8>& data) {
  ASSERT_EQ(data.size(), std::size_t{command.count} * block_bytes);
  for (u32 i = 0; i < command.count; ++i) {
    const u64 stamp = stamp_of(&data[std::size_t{i} * block_bytes]);
    EXPECT_TRUE(command.seen[i].contains(stamp))
        << "block " << command.lba + i << " reads as " << stamp << ", which is not possible";
    found_.insert(stamp);
  }
}

void Initiator::check_image(const std::vector<u8>& image) {
  for (u32 block = 0; block < blocks; ++block) {
    const u64 stamp = stamp_of(&image[std::size_t{block} * block_bytes]);
    EXPECT_TRUE(now_[block].contains(stamp))
        << "block " << block << " holds " << stamp << ", which is not possible";
    found_.insert(stamp);
  }
}

void Initiator::check_after_power_cut(const std::vector<u8>& image) const {
  if (!durability_known_) return;
  for (u32 block = 0; block < blocks; ++block) {
    const u64 stamp = stamp_of(&image[std::size_t{block} * block_bytes]);
    EXPECT_TRUE(durable_[block].contains(stamp))
        << "after a power cut block " << block << " holds " << stamp << ", which is not possible";
  }
}

}  // namespace tcmufs::simulation
