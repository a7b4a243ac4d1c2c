#include "coverage.h"

#include <cstring>
#include <iomanip>

#include "formats.h"
#include "policy.h"

namespace tcmufs::model {

namespace {

const std::vector<Problem>& all_problems() {
  using namespace problem;
  static const std::vector<Problem> all = {
      not_started,   write_error,      read_error,      internal_failure,
      list_length,   opcode,           out_of_range,    field_in_cdb,
      field_in_list, saving,           modes_changed,   inquiry_changed,
      aborted,       capacity_changed, write_protected, software_write_protected,
      no_space,      miscompare,
  };
  return all;
}

std::string two(unsigned value) {
  constexpr const char* digits = "0123456789abcdef";
  return {digits[value >> 4 & 15], digits[value & 15]};
}

std::string name_of(const Entry& entry) {
  return two(entry.opcode) + (entry.action >= 0 ? "/" + two(static_cast<unsigned>(entry.action)) : "") + " " +
         entry.name;
}

const std::array operation_names = {"read", "write", "flush", "discard", "zero", "extent", "space"};

}  // namespace

Coverage::Coverage() : entries_(entries().size()), forbidden_(entries().size()) {}

void Coverage::note(const Shot& shot, const Expectation& expectation) {
  ++commands_;
  if (!shot.cdb.empty()) ++opcodes_[shot.cdb[0]];
  const bool good = !expectation.problem;
  if (!good) {
    ++senses_[{expectation.problem->key, expectation.problem->code, expectation.problem->qualifier}];
  }
  const Entry* entry = entry_of(shot.cdb);
  if (entry == nullptr) return;
  const auto index = static_cast<std::size_t>(entry - entries().data());
  ++(good ? entries_[index].good : entries_[index].refused);
  if (shot.forbidden) ++forbidden_[index][shot.forbidden->first * 8 + shot.forbidden->second];
  if (!good) return;
  if (entry->verb == Verb::inquiry && (shot.cdb[1] & 1) != 0) ++pages_[{entry->verb, shot.cdb[2]}];
  if (entry->verb == Verb::mode_sense || entry->verb == Verb::log_sense) {
    ++pages_[{entry->verb, static_cast<u8>(shot.cdb[2] & 0x3f)}];
  }
}

void Coverage::add(const Coverage& other) {
  const auto add_map = [](auto& to, const auto& from) {
    for (const auto& [key, count] : from) to[key] += count;
  };
  commands_ += other.commands_;
  for (std::size_t i = 0; i < opcodes_.size(); ++i) opcodes_[i] += other.opcodes_[i];
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    entries_[i].good += other.entries_[i].good;
    entries_[i].refused += other.entries_[i].refused;
    for (std::size_t bit = 0; bit < 128; ++bit) forbidden_[i][bit] += other.forbidden_[i][bit];
  }
  add_map(senses_, other.senses_);
  add_map(pages_, other.pages_);
  add_map(faults_, other.faults_);
  add_map(formats_, other.formats_);
  add_map(ways_, other.ways_);
}

void Coverage::print(std::ostream& out) const {
  out << "      GOOD   refused  command\n";
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    out << std::setw(10) << entries_[i].good << std::setw(10) << entries_[i].refused << "  "
        << name_of(entries()[i]) << "\n";
  }
  out << "     times  sense key, code, qualifier\n";
  for (const auto& [code, count] : senses_) {
    const auto [key, asc, ascq] = code;
    out << std::setw(10) << count << "  " << two(key) << "/" << two(asc) << "/" << two(ascq) << "\n";
  }
  out << "     times  of the store, errors\n";
  for (const auto& [fault, count] : faults_) {
    out << std::setw(10) << count << "  " << operation_names[static_cast<std::size_t>(fault.first)] << ": "
        << std::strerror(fault.second) << "\n";
  }
  out << "     times  runs on\n";
  for (const auto& [name, count] : formats_) out << std::setw(10) << count << "  " << name << "\n";
  out << "     times  sent\n";
  for (const auto& [name, count] : ways_) out << std::setw(10) << count << "  " << name << "\n";
}

std::vector<std::string> Coverage::missing(u64 least, u64 least_bits) const {
  std::vector<std::string> rare;
  const auto demand_some = [&rare](u64 count, u64 wanted, const std::string& what) {
    if (count < wanted)
      rare.push_back(what + ": " + std::to_string(count) + " of at least " + std::to_string(wanted));
  };
  const auto demand = [&](u64 count, const std::string& what) { demand_some(count, least, what); };
  const auto demand_key = [&demand](const auto& map, const auto& key, const std::string& what) {
    const auto found = map.find(key);
    demand(found == map.end() ? 0 : found->second, what);
  };
  for (unsigned i = 0; i < 256; ++i) demand(opcodes_[i], "opcode " + two(i));
  for (std::size_t i = 0; i < entries_.size(); ++i) {
    const Entry& entry = entries()[i];
    if (entry.verb != Verb::kernel) demand(entries_[i].good, name_of(entry) + ", GOOD");
    demand(entries_[i].refused, name_of(entry) + ", refused");
    for (unsigned at = 8; at < entry.allowed.size() * 8; ++at) {
      const unsigned byte = at / 8, bit = at % 8;
      if ((entry.allowed[byte] >> bit & 1) != 0 || (byte == 1 && entry.action >= 0 && bit < 5)) continue;
      demand_some(forbidden_[i][at], least_bits,
                  name_of(entry) + ", byte " + std::to_string(byte) + " bit " + std::to_string(bit));
    }
  }
  for (const Problem& each : all_problems()) {
    demand_key(senses_, Code{each.key, each.code, each.qualifier},
               "sense " + two(each.key) + "/" + two(each.code) + "/" + two(each.qualifier));
  }
  for (const u8 page : policy::vpd_pages)
    demand_key(pages_, std::pair(Verb::inquiry, page), "VPD page " + two(page));
  for (const u8 page : policy::mode_pages) {
    demand_key(pages_, std::pair(Verb::mode_sense, page), "mode page " + two(page));
  }
  for (const u8 page : policy::log_pages) {
    demand_key(pages_, std::pair(Verb::log_sense, page), "log page " + two(page));
  }
  // Faults have to meet a command that does the operation: they are rare.
  std::map<SparseStore::Operation, u64> faults;
  for (const auto& [fault, count] : faults_) faults[fault.first] += count;
  for (std::size_t i = 0; i < operation_names.size(); ++i) {
    demand_some(faults[static_cast<SparseStore::Operation>(i)], least_bits,
                std::string("faults of ") + operation_names[i]);
  }
  return rare;
}

}  // namespace tcmufs::model
