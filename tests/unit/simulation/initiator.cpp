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

bool Initiator::writers_on(u32 block) const {
  const auto writes = [block](const Command& command) {
    return command.writes() && command.lba <= block && block < command.lba + command.count;
  };
  return std::any_of(waiting_.begin(), waiting_.end(),
                     [&](const auto& each) { return writes(each.second); }) ||
         std::any_of(again_.begin(), again_.end(), writes);
}

// A COMPARE AND WRITE has its block for itself: only then it is known what it must say.
Initiator::Command Initiator::random_command() {
  Command command;
  command.kind = static_cast<Kind>(pick(6));
  command.count = 1 + pick(8);
  command.lba = pick(blocks - command.count + 1);
  command.fua = pick(4) == 0;
  if (command.kind == Kind::compare_and_write) {
    command.count = 1;
    if (now_[command.lba].size() != 1 || writers_on(command.lba)) {
      command.kind = Kind::read;
    } else {
      command.matches = pick(4) != 0;
      command.expected = now_[command.lba].begin()->first + (command.matches ? 0 : 1'000'000);
    }
  } else if (command.writes()) {
    const auto compared = [&](const auto& each) {
      return each.kind == Kind::compare_and_write && command.lba <= each.lba &&
             each.lba < command.lba + command.count;
    };
    const bool taken = std::any_of(waiting_.begin(), waiting_.end(),
                                   [&](const auto& each) { return compared(each.second); }) ||
                       std::any_of(again_.begin(), again_.end(), compared);
    if (taken) command.kind = Kind::read;
  }
  return command;
}

void Initiator::queue_one(test::FakeKernelRing& kernel) {
  if (!again_.empty()) {
    if (queue(kernel, again_.back())) again_.pop_back();
    return;
  }
  Command command = random_command();
  if (command.changes() && command.kind != Kind::unmap) command.stamp = ++last_stamp_;
  if (command.writes() && !command.changes()) command.stamp = 2'000'000;  // must never be seen
  command.issued = ++clock_;
  if (!queue(kernel, command)) return;
  auto& waiting = std::find_if(waiting_.begin(), waiting_.end(), [&](const auto& each) {
                    return each.second.issued == command.issued;
                  })->second;
  begin(waiting);
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
  if (id) waiting_.emplace(*id, std::move(command));
  return id.has_value();
}

void Initiator::begin(Command& command) {
  if (command.kind == Kind::read) {
    command.seen.assign(now_.begin() + command.lba, now_.begin() + command.lba + command.count);
  } else if (command.kind == Kind::flush) {
    command.seen.assign(now_.begin(), now_.end());
  }
  if (!command.changes()) return;
  const Stamp stamp{command.issued};
  const auto sees = [&](Command& other, u32 block) {
    const u32 first = other.kind == Kind::flush ? 0 : other.lba;
    if (first <= block && block - first < other.seen.size())
      other.seen[block - first].insert_or_assign(command.stamp, stamp);
  };
  for (u32 block = command.lba; block < command.lba + command.count; ++block) {
    // 0 comes from every UNMAP; the last one counts.
    now_[block].insert_or_assign(command.stamp, stamp);
    durable_[block].insert_or_assign(command.stamp, stamp);
    for (auto& [id, other] : waiting_) sees(other, block);
    for (Command& other : again_) sees(other, block);
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
      EXPECT_TRUE(command.matches) << "a compare that must fail did not";
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
  if (!command.matches && key == miscompare) return;
  // A store's error after the write whose report was lost, with a daemon: repeated, it compares with itself.
  if (faults_ && command.repeated && key == miscompare) return end(command, false);
  EXPECT_TRUE(faults_) << "failed with sense key " << int{key} << " though nothing had gone wrong";
  EXPECT_TRUE(key == medium_error || (command.writes() && key == data_protect)) << int{key};
  end(command, false);
}

void Initiator::check_data(const Command& command, const std::vector<u8>& data) const {
  ASSERT_EQ(data.size(), std::size_t{command.count} * block_bytes);
  for (u32 i = 0; i < command.count; ++i) {
    const u64 stamp = stamp_of(&data[std::size_t{i} * block_bytes]);
    EXPECT_TRUE(command.seen[i].contains(stamp))
        << "block " << command.lba + i << " reads as " << stamp << ", which is not possible";
  }
}

void Initiator::check_image(const std::vector<u8>& image) const {
  for (u32 block = 0; block < blocks; ++block) {
    const u64 stamp = stamp_of(&image[std::size_t{block} * block_bytes]);
    EXPECT_TRUE(now_[block].contains(stamp))
        << "block " << block << " holds " << stamp << ", which is not possible";
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
