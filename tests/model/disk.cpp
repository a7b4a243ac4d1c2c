#include "disk.h"

#include <algorithm>
#include <bit>
#include <utility>

namespace tcmufs::model {

Limits Limits::of_page(const Bytes& page) {
  return {number(page, 8, 4), number(page, 5, 1), number(page, 20, 4), number(page, 24, 4),
          number(page, 36, 8)};
}

Expectation reply(const Bytes& data, u64 allocation_length) {
  Expectation result;
  result.data_in = part(data, 0, std::min<u64>(data.size(), allocation_length));
  return result;
}

Expectation refusal(const Problem& problem) {
  Expectation result;
  result.problem = problem;
  result.data_in = Bytes();
  return result;
}

Disk::Disk(const Format& format, const Limits& limits)
    : physical_blocks_(format.physical_bytes / format.block_bytes),
      granularity_blocks_(std::max<u64>(format.physical_bytes, format.granule_bytes) / format.block_bytes),
      limits_(limits),
      medium_(format.block_bytes, format.blocks, format.granule_bytes) {}

void Disk::resize(u64 blocks) {
  if (blocks == this->blocks()) return;
  medium_.resize(blocks);
  capacity_attention_ = capacity_attention_ || visited_;
}

void Disk::set_read_only(bool read_only) {
  if (read_only == read_only_) return;
  read_only_ = read_only;
  modes_attention_ = modes_attention_ || visited_;
}

void Disk::set_names(const Names& names) {
  if (names == names_) return;
  names_ = names;
  inquiry_attention_ = inquiry_attention_ || inquired_;
}

void Disk::note_failed_flush(const Bytes& cdb) {
  flush_failed_ = true;
  const Entry* entry = entry_of(cdb);
  if (entry != nullptr && entry->verb == Verb::start_stop) stopped_ = false;
}

std::string Disk::state() const {
  std::string text = std::to_string(blocks()) + " blocks of " + std::to_string(block_bytes());
  const auto add = [&text](bool so, const char* what) { text += so ? std::string(", ") + what : ""; };
  add(!modes_.write_cache, "WCE=0");
  add(modes_.descriptor_sense, "D_SENSE=1");
  add(modes_.software_write_protect, "SWP=1");
  add(read_only_, "read-only");
  add(stopped_, "stopped");
  add(inquiry_attention_, "names changed");
  add(capacity_attention_, "capacity changed");
  add(modes_attention_, "modes changed");
  add(flush_failed_, "a flush has failed");
  return text;
}

std::optional<Problem> Disk::take_attention() {
  if (std::exchange(inquiry_attention_, false)) return problem::inquiry_changed;
  if (std::exchange(capacity_attention_, false)) return problem::capacity_changed;
  if (std::exchange(modes_attention_, false)) return problem::modes_changed;
  return std::nullopt;
}

std::optional<Problem> Disk::objection(const Entry* entry, const Bytes& cdb) {
  if (entry == nullptr || entry->verb == Verb::kernel) return problem::opcode;
  if (cdb.size() < entry->allowed.size()) return problem::cdb(static_cast<unsigned>(cdb.size()));
  for (unsigned i = 1; i < entry->allowed.size(); ++i) {
    const bool action = i == 1 && entry->action >= 0;
    const unsigned wrong = cdb[i] & ~unsigned{entry->allowed[i]} & (action ? 0xe0u : 0xffu);
    if (wrong != 0) return problem::cdb(i, static_cast<int>(std::bit_width(wrong)) - 1);
  }
  if (entry->gate == Gate::nothing) return std::nullopt;
  if (const auto attention = take_attention()) return attention;
  visited_ = true;
  if (entry->gate == Gate::attention) return std::nullopt;
  if (stopped_) return problem::not_started;
  if (entry->gate == Gate::stopped) return std::nullopt;
  if (read_only_) return problem::write_protected;
  if (modes_.software_write_protect) return problem::software_write_protected;
  return std::nullopt;
}

Expectation Disk::expect(const Bytes& cdb, const Bytes& buffer) {
  const Entry* entry = entry_of(cdb);
  if (const auto wrong = objection(entry, cdb)) return refusal(*wrong);
  Expectation result = answer(*entry, cdb, buffer);
  if (result.problem) return result;
  if (hopeless(result)) return refusal(problem::write_error);
  if (!result.changes.empty() && !modes_.write_cache) result.flush = Expectation::Flush::after;
  if (result.data_in && result.data_in->size() > buffer.size()) result.data_in->resize(buffer.size());
  return result;
}

bool Disk::hopeless(const Expectation& wanted) const {
  const bool stable =
      wanted.flush != Expectation::Flush::none || (!wanted.changes.empty() && !modes_.write_cache);
  return stable && flush_failed_;
}

Expectation Disk::answer(const Entry& entry, const Bytes& cdb, const Bytes& buffer) {
  constexpr auto after = Expectation::Flush::after;
  switch (entry.verb) {
    case Verb::request_sense: {
      const Problem other = stopped_ ? problem::not_started : problem::nothing;
      return reply(encoded(take_attention().value_or(other), (cdb[1] & 1) != 0), cdb[4]);
    }
    case Verb::inquiry:
      return inquiry(cdb);
    case Verb::mode_sense:
      return mode_sense(cdb);
    case Verb::mode_select:
      return mode_select(cdb, buffer);
    case Verb::start_stop: {
      constexpr u16 known = 1 << 0x0 | 1 << 0x1 | 1 << 0x2 | 1 << 0x3 | 1 << 0x7 | 1 << 0xa | 1 << 0xb;
      const unsigned condition = cdb[4] >> 4;  // POWER CONDITION
      if ((known >> condition & 1) == 0) return refusal(problem::cdb(4, 7));
      Expectation result = reply({}, 0);
      if (condition != 0) return result;
      const bool stop = (cdb[4] & 0x01) == 0, no_flush = (cdb[4] & 0x04) != 0;
      if (stop && !stopped_ && !no_flush) result.flush = after;
      if (!hopeless(result)) stopped_ = stop;
      return result;
    }
    case Verb::read_capacity_10:
      return read_capacity_10(cdb);
    case Verb::read_capacity_16:
      return read_capacity_16(cdb);
    case Verb::read_defects_10:
      return reply({0, cdb[2], 0, 0}, number(cdb, 7, 2));
    case Verb::read_defects_12:
      return reply({0, cdb[1], 0, 0, 0, 0, 0, 0}, number(cdb, 6, 4));
    case Verb::log_sense:
      return log_sense(cdb);
    case Verb::unmap:
      return unmap(cdb, buffer);
    case Verb::lba_status:
      return lba_status(cdb);
    case Verb::report_luns:
      if (cdb[2] > 2) return refusal(problem::cdb(2, 7));  // SELECT REPORT
      return reply(cdb[2] == 1 ? Bytes(8) : join({field(8, 4), Bytes(12)}), number(cdb, 6, 4));
    case Verb::report_opcodes:
      return report_opcodes(cdb);
    case Verb::report_tmfs:  // ABORT TASK, LOGICAL UNIT RESET
      return reply((cdb[2] & 0x80) != 0 ? join({{0x88, 0, 0, 12}, Bytes(12)}) : Bytes{0x88, 0, 0, 0},
                   number(cdb, 6, 4));
    case Verb::test_unit_ready:
    case Verb::prevent_removal:
    case Verb::kernel:
      return reply({}, 0);
    default:
      return to_medium(entry, cdb, buffer);
  }
}

}  // namespace tcmufs::model
