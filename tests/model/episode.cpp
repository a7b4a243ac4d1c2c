#include "episode.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "formats.h"

namespace tcmufs::model {

namespace {

using Operation = SparseStore::Operation;

/// What an error of the store means to the initiator.
Problem problem_of(const SparseStore::Event& event) {
  const bool reading = event.operation == Operation::read || event.operation == Operation::extent;
  switch (event.error) {
    case EIO:
      return reading ? problem::read_error : problem::write_error;
    case ENOSPC:
    case EDQUOT:
      return problem::no_space;
    case EROFS:
      return problem::write_protected;
    default:
      return problem::internal_failure;
  }
}

bool changes(const SparseStore::Event& event) {
  return event.operation == Operation::write || event.operation == Operation::discard ||
         event.operation == Operation::zero;
}

/// What the unit says of its limits: the model takes them from there.
Limits limits_of(scsi::LogicalUnit& unit) {
  Bytes page(64);
  const Bytes cdb = {0x12, 1, 0xb0, 0, 64, 0};
  const iovec buffer{page.data(), page.size()};
  (void)unit.start({cdb, {&buffer, 1}});
  return Limits::of_page(page);
}

scsi::Format unit_format(const Format& format) {
  return {.block_size_bytes = format.block_bytes,
          .physical_block_size_bytes = format.physical_bytes,
          .size_bytes = format.blocks * format.block_bytes};
}

u64 total(const std::vector<Expectation::Range>& ranges) {
  u64 sum = 0;
  for (const auto& range : ranges) sum += range.blocks;
  return sum;
}

}  // namespace

Episode::Episode(u64 seed, Coverage& coverage)
    : seed_(seed),
      coverage_(coverage),
      random_(seed),
      format_(random_.one_of(formats)),
      faulty_(random_.one_in(2)),
      store_(format_.blocks * format_.block_bytes, format_.granule_bytes, format_.block_bytes),
      unit_({}, unit_format(format_)),
      disk_(format_, limits_of(unit_)),
      generator_(random_, disk_) {
  coverage_.note_format(format_);
  prepare_medium();
}

/// An image that holds something already, also in parts of blocks.
void Episode::prepare_medium() {
  const u64 size = std::min<u64>(store_.size_bytes(), u64{600} << 10);
  for (u64 count = random_.below(8); count > 0; --count) {
    const u64 granule = random_.below((size + format_.granule_bytes - 1) / format_.granule_bytes);
    const u64 offset = granule * format_.granule_bytes;
    store_.poke(offset, Bytes(std::min(format_.granule_bytes, store_.size_bytes() - offset), random_.byte()));
    disk_.medium().assume_granule(granule, true);
  }
  for (const u64 offset : store_.used_offsets()) {
    const u64 first = offset / format_.block_bytes;
    const u64 behind =
        std::min((offset + format_.granule_bytes - 1) / format_.block_bytes + 1, format_.blocks);
    for (u64 lba = first; lba < behind; ++lba) {
      disk_.medium().assume_block(lba, store_.peek(lba * format_.block_bytes, format_.block_bytes));
    }
  }
}

std::optional<Episode::Finding> Episode::run(unsigned commands) {
  for (unsigned i = 0; i < commands; ++i) {
    if (random_.one_in(80)) change_from_outside();
    Complaints complaints = step();
    if (complaints.empty() && i + 1 == commands) complaints = check_all();
    if (complaints.empty()) continue;
    std::string text =
        "on " + std::string(format_.name) + ", " + disk_.state() + ", command " + std::to_string(i);
    text += "; what came before, the last line is the command:\n";
    for (const std::string& line : last_) text += "  " + line + "\n";
    for (const std::string& complaint : complaints) text += "  * " + complaint + "\n";
    return Finding{i, text};
  }
  return std::nullopt;
}

void Episode::remember(const std::string& line) {
  if (trace_ != nullptr) *trace_ << line << "\n";
  last_.push_back(line);
  if (last_.size() > 12) last_.pop_front();
}

void Episode::change_from_outside() {
  if (random_.one_in(2)) {
    const bool read_only = random_.one_in(8);
    unit_.set_read_only(read_only);
    disk_.set_read_only(read_only);
    remember(read_only ? "-- read-only from here on" : "-- writable from here on");
    return;
  }
  const bool huge = format_.blocks > 100000;
  const u64 blocks = huge ? format_.blocks - random_.below(2000) : random_.between(1, format_.blocks * 3 / 2);
  (void)store_.resize(blocks * format_.block_bytes);
  unit_.resize(blocks * format_.block_bytes);
  disk_.resize(blocks);
  remember("-- " + std::to_string(blocks) + " blocks from here on");
}

std::optional<SparseStore::Fault> Episode::some_fault() {
  // The medium as it was is kept for them: not if it is large.
  if (!faulty_ || !random_.one_in(8) || disk_.medium().contents().size() > 5000) return std::nullopt;
  constexpr std::array operations = {Operation::read,   Operation::read,    Operation::write,
                                     Operation::write,  Operation::discard, Operation::zero,
                                     Operation::extent, Operation::flush};
  constexpr std::array errors = {EIO, EIO, ENOSPC, EROFS, EDQUOT, ENOMEM};
  return SparseStore::Fault{random_.one_of(operations), random_.one_of(errors),
                            static_cast<unsigned>(random_.one_in(2) ? 0 : random_.below(3))};
}

Episode::Complaints Episode::step() {
  const Shot shot = generator_.next();
  const auto way = some_way(shot, random_);
  const auto fault = some_fault();
  std::optional<Medium> before;
  const Entry* entry = entry_of(shot.cdb);
  if (fault && entry != nullptr && entry->gate == Gate::protection) before = disk_.medium();
  const Bytes& area = way->area();
  Expectation expected = disk_.expect(shot.cdb, area);
  remember(hex(shot.cdb) + " | " + way->name() + ", buffer: " + hex(area, 24) +
           (fault ? " | a fault is armed" : ""));
  // What is too much to be compared block by block does not fail.
  if (fault && total(expected.changes) <= 4096) store_.arm(*fault);
  const u64 changes_before = unit_.medium_changes();
  way->send(unit_, store_);
  coverage_.note_way(way->name());
  return compare(*way, shot, std::move(expected), before ? &*before : nullptr, changes_before);
}

Episode::Complaints Episode::compare(const Way& way, const Shot& shot, Expectation expected,
                                     const Medium* before, u64 changes) {
  const auto events = store_.take_events();
  const auto failed =
      std::find_if(events.begin(), events.end(), [](const auto& event) { return event.error != 0; });
  Complaints complaints = check_store(expected, events);
  const Entry* entry = entry_of(shot.cdb);
  const bool writes = entry != nullptr && entry->gate == Gate::protection;
  const bool changed = unit_.medium_changes() != changes;
  if (!writes && changed) complaints.emplace_back("it counts as a change of the medium");
  if (!changed && std::any_of(events.begin(), events.end(), model::changes)) {
    complaints.emplace_back("it does not count as a change of the medium");
  }
  if (failed != events.end()) {
    coverage_.note_fault(failed->operation, failed->error);
    if (failed->operation == Operation::flush) disk_.note_failed_flush(shot.cdb);
    const auto more = before != nullptr ? settle(expected, *before) : Complaints();
    complaints.insert(complaints.end(), more.begin(), more.end());
    expected = refusal(problem_of(*failed));
  } else {
    for (const auto& range : expected.changes) {
      const auto more = check_range(range);
      complaints.insert(complaints.end(), more.begin(), more.end());
    }
  }
  const Bytes sense = expected.problem ? disk_.sense(*expected.problem) : Bytes();
  const auto more = way.differences(expected, sense);
  complaints.insert(complaints.end(), more.begin(), more.end());
  coverage_.note(shot, expected);
  if (trace_ != nullptr) *trace_ << "    " << (expected.problem ? hex(sense) : std::string("GOOD")) << "\n";
  return complaints;
}

Episode::Complaints Episode::settle(const Expectation& expected, const Medium& before) {
  Complaints complaints;
  Medium& medium = disk_.medium();
  const u64 block = format_.block_bytes, granule = format_.granule_bytes;
  for (const auto& range : expected.changes) {
    for (u64 lba = range.lba; lba < range.lba + range.blocks; ++lba) {
      const Bytes found = store_.peek(lba * block, block);
      if (found != before.block(lba) && found != medium.block(lba)) {
        complaints.push_back("block " + std::to_string(lba) + " is neither as before nor as it should be");
      }
      medium.assume_block(lba, found);
    }
    for (u64 at = range.lba * block / granule; at <= ((range.lba + range.blocks) * block - 1) / granule;
         ++at) {
      const bool found = store_.mapped(at * granule);
      if (found != before.granule_mapped(at) && found != medium.granule_mapped(at)) {
        complaints.push_back("granule " + std::to_string(at) + " has been " +
                             (found ? "mapped" : "unmapped"));
      }
      medium.assume_granule(at, found);
    }
  }
  return complaints;
}

Episode::Complaints Episode::check_store(const Expectation& expected,
                                         const std::vector<SparseStore::Event>& events) const {
  Complaints complaints;
  std::size_t flushes = 0;
  bool failed = false;
  const u64 block = format_.block_bytes;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& event = events[i];
    if (failed) complaints.emplace_back("it goes on after an error of the store");
    failed = failed || event.error != 0;
    if (event.offset > store_.size_bytes() || event.length > store_.size_bytes() - event.offset) {
      complaints.emplace_back("it asks the store for what it does not have");
    }
    if (event.operation == Operation::flush) {
      ++flushes;
      const bool right = expected.flush == Expectation::Flush::before ? i == 0 : i + 1 == events.size();
      if (!right) complaints.emplace_back("it flushes at the wrong moment");
    }
    if (!changes(event) || event.length == 0) continue;
    const bool inside = std::any_of(expected.changes.begin(), expected.changes.end(), [&](const auto& range) {
      return event.offset >= range.lba * block &&
             event.offset + event.length <= (range.lba + range.blocks) * block;
    });
    if (!inside) {
      complaints.push_back("it changes bytes " + std::to_string(event.offset) + " to " +
                           std::to_string(event.offset + event.length) + ", which it must not");
    }
  }
  const std::size_t wanted = expected.flush == Expectation::Flush::none || expected.problem ? 0 : 1;
  if (flushes != wanted && !failed) {
    complaints.push_back("it flushes " + std::to_string(flushes) + " times, expected " +
                         std::to_string(wanted));
  }
  return complaints;
}

Episode::Complaints Episode::check_range(const Expectation::Range& range) const {
  constexpr u64 most_bytes = u64{4} << 20;
  const u64 block = format_.block_bytes, granule = format_.granule_bytes;
  const u64 blocks = std::min(range.blocks, most_bytes / block);
  Complaints complaints;
  for (const u64 lba : {range.lba, range.lba + range.blocks - blocks}) {
    if (store_.peek(lba * block, blocks * block) != disk_.medium().read(lba, blocks)) {
      complaints.push_back("the medium is wrong from block " + std::to_string(lba) + " on");
    }
    for (u64 at = lba * block / granule; at <= ((lba + blocks) * block - 1) / granule; ++at) {
      if (store_.mapped(at * granule) == disk_.medium().granule_mapped(at)) continue;
      complaints.push_back("granule " + std::to_string(at) + " should " +
                           (disk_.medium().granule_mapped(at) ? "have space" : "have given back its space"));
    }
    if (blocks == range.blocks) break;
  }
  return complaints;
}

Episode::Complaints Episode::check_all() const {
  const Medium& medium = disk_.medium();
  const u64 block = format_.block_bytes;
  for (const auto& [lba, data] : medium.contents()) {
    if (store_.peek(lba * block, block) != data)
      return {"block " + std::to_string(lba) + " is wrong at the end"};
  }
  for (const u64 offset : store_.used_offsets()) {
    const u64 lba = offset / block;
    const u64 behind = std::min((offset + format_.granule_bytes - 1) / block + 1, medium.blocks());
    if (store_.peek(lba * block, (behind - lba) * block) != medium.read(lba, behind - lba)) {
      return {"block " + std::to_string(lba) + " or one that follows is wrong at the end"};
    }
    if (!medium.granule_mapped(offset / format_.granule_bytes)) return {"space is taken that should not be"};
  }
  return {};
}

}  // namespace tcmufs::model
