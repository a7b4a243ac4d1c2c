// What the generator puts into the commands.
#include <algorithm>

#include "generator.h"
#include "policy.h"

namespace tcmufs::model {

void Generator::fill_plain(const Entry& entry, Bytes& cdb) {
  const auto flags = [&](u8 allowed) { return static_cast<u8>(random_.byte() & allowed); };
  switch (entry.verb) {
    case Verb::request_sense:
      cdb[1] = flags(1);
      cdb[4] = static_cast<u8>(allocation());
      return;
    case Verb::inquiry:
      cdb[1] = random_.one_in(3) ? 0 : 1;
      if (cdb[1] != 0 || random_.one_in(4)) cdb[2] = any_of(join({policy::vpd_pages, {0x01}}));
      place(cdb, 3, allocation(), 2);
      return;
    case Verb::mode_sense:
      cdb[1] = flags(entry.allowed[1]);
      cdb[2] = static_cast<u8>(random_.below(4) << 6 | (any_of(join({policy::mode_pages, {0x3f}})) & 0x3f));
      if (random_.one_in(4)) cdb[3] = random_.one_in(2) ? u8{0xff} : random_.byte();
      entry.allowed.size() == 6 ? place(cdb, 4, allocation(), 1) : place(cdb, 7, allocation(), 2);
      return;
    case Verb::start_stop:
      cdb[1] = flags(1);
      cdb[3] = random_.one_in(3) ? flags(0x0f) : u8{0};
      cdb[4] = static_cast<u8>(random_.one_in(4) ? flags(0xf5) : flags(0x04) | (random_.one_in(8) ? 0 : 1));
      return;
    case Verb::prevent_removal:
      cdb[4] = flags(3);
      return;
    case Verb::read_capacity_10:
      if (random_.one_in(3)) place(cdb, 2, lba(), 4);
      cdb[8] = flags(1);
      return;
    case Verb::read_defects_10:
      cdb[2] = flags(0x1f);
      place(cdb, 7, allocation(), 2);
      return;
    case Verb::log_sense:
      cdb[2] = static_cast<u8>(random_.below(4) << 6 | (any_of(policy::log_pages) & 0x3f));
      if (random_.one_in(6)) cdb[3] = random_.one_in(2) ? u8{0xff} : random_.byte();
      if (random_.one_in(3)) place(cdb, 5, random_.below(4), 2);
      place(cdb, 7, allocation(), 2);
      return;
    case Verb::kernel:
      for (std::size_t i = 2; i < cdb.size(); ++i) cdb[i] = flags(entry.allowed[i]);
      return;
    default:
      return;
  }
}

void Generator::fill_report(const Entry& entry, Bytes& cdb) {
  switch (entry.verb) {
    case Verb::lba_status:
      place(cdb, 2, lba(), 8);
      place(cdb, 10, allocation(), 4);
      return;
    case Verb::read_capacity_16:
      place(cdb, 10, allocation(), 4);
      return;
    case Verb::read_defects_12:
      cdb[1] = static_cast<u8>(random_.byte() & 0x1f);
      place(cdb, 2, random_.one_in(2) ? 0 : random_.next(), 4);
      break;
    case Verb::report_luns:
      cdb[2] = random_.one_in(6) ? random_.byte() : static_cast<u8>(random_.below(4));
      break;
    case Verb::report_opcodes: {
      cdb[2] = static_cast<u8>((random_.byte() & 0x80) | random_.below(random_.one_in(6) ? 8 : 4));
      const Entry& about = random_.one_of(entries());
      cdb[3] = random_.one_in(6) ? random_.byte() : about.opcode;
      if (about.action >= 0 || random_.one_in(4)) cdb[5] = static_cast<u8>(about.action & 0xff);
      if (random_.one_in(8)) place(cdb, 4, random_.next(), 2);
      break;
    }
    default:
      cdb[2] = static_cast<u8>(random_.byte() & 0x80);
  }
  place(cdb, 6, allocation(), 4);
}

void Generator::fill_medium(const Entry& entry, Shot& shot) {
  const Limits& limits = disk_.limits();
  const bool same = entry.verb == Verb::write_same;
  Bytes& cdb = shot.cdb;
  const u64 at = lba();
  u64 count = blocks(at, same ? limits.write_same : limits.transfer);
  if (cdb.size() != 6 && random_.one_in(2)) cdb[1] = static_cast<u8>(random_.byte() & entry.allowed[1]);
  if (cdb.size() == 6) {
    place(cdb, 1, at & 0x1fffff, 3);
    cdb[4] = static_cast<u8>(count);
  } else {
    const Target shape = target_of(entry, cdb);
    const unsigned lba_width = cdb.size() == 16 ? 8 : 4, width = cdb.size() == 10 ? 2 : 4;
    place(cdb, 2, at, lba_width);
    place(cdb, shape.length_byte, count, width);
    if (random_.one_in(8)) cdb[cdb.size() == 10 ? 6 : cdb.size() - 2] = static_cast<u8>(random_.below(32));
  }
  const Target target = target_of(entry, cdb);
  const u64 length = target.blocks * block_bytes();  // at most 2^32 blocks
  if (same) {
    shot.buffer = random_.one_in(10) ? data(random_.below(2 * block_bytes() + 2)) : data(block_bytes());
    // Much of one block is written as zeros, and most of that as holes.
    const bool much = target.blocks == 0 || target.blocks > 4096;
    if (much && disk_.medium().blocks() > 4096) {
      std::fill(shot.buffer.begin(), shot.buffer.end(), u8{0});
      if (!random_.one_in(100)) cdb[1] |= 0x08;
    }
    if ((cdb[1] & 1) != 0 && random_.one_in(2)) shot.buffer.clear();
  } else if (entry.verb == Verb::verify) {
    const unsigned check = target.flags >> 1 & 3;
    shot.buffer = check == 3 ? there(target.lba, 1) : there(target.lba, target.blocks);
    if (check == 0 && random_.one_in(2)) shot.buffer.clear();
    if (random_.one_in(16)) shot.buffer.resize(random_.below(shot.buffer.size() + 1));
  } else if (entry.data_out) {
    shot.buffer = data_out(length);
  } else {
    shot.buffer = room(length <= (u64{64} << 10) ? length
                       : !random_.one_in(16)     ? random_.below(5000)
                       : !random_.one_in(16)     ? std::min(length, u64{1} << 20)
                                                 : std::min(length, u64{32} << 20));
  }
}

void Generator::fill_compare(Shot& shot) {
  const u64 at = lba();
  u64 count = blocks(at, disk_.limits().compare_and_write) & 0xff;
  if (random_.one_in(16)) count = random_.between(60, 80);
  if (random_.one_in(2)) shot.cdb[1] = static_cast<u8>(random_.byte() & 0x18);
  place(shot.cdb, 2, at, 8);
  shot.cdb[13] = static_cast<u8>(count);
  if (random_.one_in(8)) shot.cdb[14] = static_cast<u8>(random_.below(32));
  shot.buffer = join({there(at, count), data(count * block_bytes())});
  if (random_.one_in(8)) shot.buffer.resize(not_quite(shot.buffer.size()));
}

void Generator::fill_unmap(Shot& shot) {
  const u64 most = disk_.limits().unmap_descriptors;
  const u64 count = random_.one_in(60) && most < 4000 ? most + 1 - random_.below(3) : random_.below(5);
  const u64 end = disk_.medium().blocks();
  Bytes list(8 + 16 * count);
  place(list, 0, 6 + 16 * count, 2);
  place(list, 2, 16 * count + (random_.one_in(8) ? random_.below(20) : 0), 2);
  for (u64 i = 0; i < count; ++i) {
    const u64 at = random_.one_in(30) ? lba() : random_.below(end + 1);
    const u64 length = random_.one_in(30) ? blocks(at, disk_.limits().unmap)
                                          : std::min(random_.below(30), end - std::min(at, end));
    place(list, 8 + 16 * i, at, 8);
    place(list, 16 + 16 * i, length, 4);
    if (random_.one_in(10)) place(list, 20 + 16 * i, random_.next(), 4);
  }
  const u64 length = random_.one_in(8) ? random_.below(list.size() + 20) : list.size();
  place(shot.cdb, 7, length, 2);
  if (random_.one_in(8)) shot.cdb[6] = static_cast<u8>(random_.below(32));
  if (random_.one_in(12)) list.resize(random_.below(list.size() + 20));
  shot.buffer = std::move(list);
}

Bytes Generator::block_descriptor(bool wide) {
  const u64 end = disk_.medium().blocks();
  const u64 count = random_.one_in(2) ? 0 : random_.one_in(4) ? random_.next() : end;
  const u64 size = random_.one_in(6) ? random_.below(9000) : block_bytes();
  if (wide) return join({field(count, 8), Bytes(4), field(size, 4)});
  return join({field(std::min<u64>(count, 0xffffffff), 4), {0}, field(size, 3)});
}

Bytes Generator::mode_list(bool ten) {
  const bool wide = ten && random_.one_in(3);
  const Bytes described = random_.one_in(2) ? Bytes() : block_descriptor(wide);
  Bytes list(ten ? 8 : 4);
  if (ten) place(list, 6, described.size(), 2);
  if (!ten) list[3] = static_cast<u8>(described.size());
  if (wide) list[4] = 1;
  if (random_.one_in(3)) list[ten ? 3 : 2] = random_.byte();  // the device-specific parameter is ignored
  list = join({list, described});
  const auto bit = [this](u64 n, u8 value) { return random_.one_in(n) ? value : u8{0}; };
  for (u64 pages = random_.below(4); pages > 0; --pages) {
    switch (random_.below(6)) {
      case 0:
        list = join({list, {0x01, 10}, Bytes(10)});
        break;
      case 1:
        list = join({list, {0x1c, 10, 0x08}, Bytes(9)});
        break;
      case 2:
      case 3:
        list = join({list, {0x08, 18, bit(2, 0x04)}, Bytes(17)});
        break;
      default:
        list = join({list,
                     {0x0a, 10, static_cast<u8>(0x02 | bit(2, 0x04)), 0x10, bit(6, 0x08), 0x40, 0, 0, 0xff,
                      0xff, 0, 0}});
    }
  }
  return list;
}

void Generator::fill_mode_select(Shot& shot) {
  const bool ten = shot.cdb.size() == 10;
  Bytes list = mode_list(ten);
  if (!random_.one_in(8)) shot.cdb[1] = 0x10;
  if (random_.one_in(5)) list[random_.below(list.size())] ^= static_cast<u8>(1 << random_.below(8));
  u64 length = list.size();
  if (random_.one_in(8)) length = random_.below(length + 3);
  if (random_.one_in(30)) list.resize(length = random_.between(255, 258));
  ten ? place(shot.cdb, 7, length, 2) : place(shot.cdb, 4, length, 1);
  if (random_.one_in(12)) list.resize(random_.below(list.size() + 20));
  shot.buffer = std::move(list);
}

}  // namespace tcmufs::model
