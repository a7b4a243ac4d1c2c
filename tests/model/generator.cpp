#include "generator.h"

#include <algorithm>

namespace tcmufs::model {

namespace {

constexpr u64 largest_usual = u64{700} << 10;
constexpr u64 largest_ever = u64{64} << 20;

bool service_action_bit(const Entry& entry, unsigned byte, unsigned bit) {
  return byte == 1 && entry.action >= 0 && bit < 5;
}

}  // namespace

Shot Generator::next() {
  if (random_.one_in(25)) {
    Shot shot{Bytes(random_.one_of(Bytes{6, 10, 12, 16, 32})), room(random_.below(600))};
    for (u8& byte : shot.cdb) byte = random_.one_in(3) ? random_.byte() : u8{0};
    shot.cdb[0] = random_.byte();
    return shot;
  }
  const Entry& entry = choose();
  Shot shot = sensible(entry);
  break_it(entry, shot);
  return shot;
}

const Entry& Generator::choose() {
  for (;;) {
    const Entry& entry = entries()[random_.below(entries().size())];
    if (disk_.stopped() && entry.verb != Verb::start_stop && random_.one_in(5)) continue;
    if (entry.verb != Verb::kernel || random_.one_in(2)) return entry;
  }
}

Shot Generator::sensible(const Entry& entry) {
  Shot shot;
  shot.cdb.resize(entry.allowed.size());
  shot.cdb[0] = entry.opcode;
  if (entry.action >= 0) shot.cdb[1] = static_cast<u8>(entry.action);
  switch (entry.verb) {
    case Verb::read:
    case Verb::write:
    case Verb::write_and_verify:
    case Verb::verify:
    case Verb::orwrite:
    case Verb::pre_fetch:
    case Verb::synchronize:
    case Verb::write_same:
      fill_medium(entry, shot);
      return shot;
    case Verb::compare_and_write:
      fill_compare(shot);
      return shot;
    case Verb::unmap:
      fill_unmap(shot);
      return shot;
    case Verb::mode_select:
      fill_mode_select(shot);
      return shot;
    case Verb::read_capacity_16:
    case Verb::lba_status:
    case Verb::report_luns:
    case Verb::report_opcodes:
    case Verb::report_tmfs:
    case Verb::read_defects_12:
      fill_report(entry, shot.cdb);
      break;
    default:
      fill_plain(entry, shot.cdb);
  }
  shot.buffer = room(random_.below(301));
  if (random_.one_in(8)) shot.buffer = room(1200);
  return shot;
}

void Generator::break_it(const Entry& entry, Shot& shot) {
  if (random_.one_in(10)) {
    std::vector<std::pair<unsigned, unsigned>> bits;
    for (unsigned byte = 1; byte < shot.cdb.size(); ++byte) {
      for (unsigned bit = 0; bit < 8; ++bit) {
        const bool allowed = (entry.allowed[byte] >> bit & 1) != 0;
        if (!allowed && !service_action_bit(entry, byte, bit)) bits.emplace_back(byte, bit);
      }
    }
    shot.forbidden = random_.one_of(bits);
    shot.cdb[shot.forbidden->first] |= static_cast<u8>(1 << shot.forbidden->second);
  } else if (random_.one_in(30)) {
    shot.cdb[random_.below(shot.cdb.size())] ^= static_cast<u8>(1 << random_.below(8));
  } else if (random_.one_in(40)) {
    shot.cdb.resize(random_.below(shot.cdb.size() + 1));
  } else if (random_.one_in(40)) {
    for (u64 more = random_.between(1, 16); more > 0; --more) shot.cdb.push_back(random_.byte());
  }
}

u64 Generator::lba() {
  const u64 blocks = disk_.medium().blocks();
  switch (random_.below(16)) {
    case 0:
      return blocks + 1 - random_.below(4);
    case 1:
      return ~u64{0} - random_.below(3);
    case 2:
      return (u64{1} << random_.below(64)) - random_.below(2);
    case 3:
      return (u64{1} << 32) + 2 - random_.below(5);
    case 4:
      return random_.below(3);
    case 5:
      return blocks - std::min(blocks, random_.below(20));
    default:
      return random_.below(std::min<u64>(blocks, 2000));
  }
}

/// A length for a command whose limit is `limit`.
u64 Generator::blocks(u64 lba, u64 limit) {
  const u64 end = disk_.medium().blocks();
  const u64 left = lba < end ? end - lba : 0;
  switch (random_.below(20)) {
    case 0:
      return 0;
    case 1:
      return random_.next() >> random_.below(64);
    case 2:
      return 0xffffffff - random_.below(2);
    case 3:
      return limit + 1 - random_.below(3);
    case 4:
      return left < 40 || random_.one_in(8) ? left : 1;
    case 5:
      return left < 40 || random_.one_in(8) ? left + 1 : 2;
    case 6:  // more than is done in one go
      return random_.one_in(4) ? (u64{256} << 10) / block_bytes() + random_.below(5) : 3;
    default:
      return random_.between(1, 8);
  }
}

u64 Generator::allocation() {
  switch (random_.below(8)) {
    case 0:
      return random_.one_of(Bytes{0, 4, 8, 18, 24, 32, 36, 64, 96, 255});
    case 1:
      return 0xffff;
    case 2:
      return 0xffffffff - random_.below(2);
    default:
      return random_.below(301);
  }
}

Bytes Generator::data(u64 length) {
  Bytes bytes(length);
  if (random_.one_in(4)) return bytes;
  u8 value = random_.byte();
  for (u64 at = 0; at < length; at += block_bytes(), ++value) {
    const u64 behind = std::min(length, at + block_bytes());
    std::fill(bytes.begin() + static_cast<std::ptrdiff_t>(at),
              bytes.begin() + static_cast<std::ptrdiff_t>(behind), value);
    bytes[random_.between(at, behind - 1)] = random_.byte();
  }
  return bytes;
}

u64 Generator::not_quite(u64 length) {
  switch (random_.below(24)) {
    case 0:
      return random_.below(length + 1);
    case 1:
      return length > 0 ? length - 1 : 0;
    case 2:
      return length + 1 + random_.below(3);
    case 3:
      return length + random_.below(1000);
    case 4:
      return random_.below(301);
    default:
      return length;
  }
}

/// Data for a command that needs so much, or not quite.
Bytes Generator::data_out(u64 needed) {
  if (needed > largest_ever || (needed > largest_usual && !random_.one_in(500)))
    return data(random_.below(5000));
  return data(not_quite(needed));
}

/// What is on the medium, or as much of other data where that is not there.
Bytes Generator::there(u64 lba, u64 count) {
  const u64 end = disk_.medium().blocks();
  if (lba > end || count > end - lba || count * block_bytes() > largest_usual)
    return data_out(count * block_bytes());
  Bytes bytes = disk_.medium().read(lba, count);
  if (!bytes.empty() && random_.one_in(3))
    bytes[random_.one_in(2) ? random_.below(bytes.size())
                            : bytes.size() - 1 - random_.below(block_bytes())] ^=
        static_cast<u8>(1 << random_.below(8));
  return bytes;
}

/// Memory for data-in.
Bytes Generator::room(u64 wanted) {
  return Bytes(not_quite(wanted), random_.byte());
}

}  // namespace tcmufs::model
