#include "episode.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "formats.h"

namespace tcmufs::model {

namespace {

using Operation = SparseStore::Operation;

bool moves(const SparseStore::Event& event) {
  return event.operation == Operation::read || event.operation == Operation::write;
}

bool changes(const SparseStore::Event& event) {
  return event.operation == Operation::write || event.operation == Operation::discard ||
         event.operation == Operation::zero;
}

/// What an error of the store means to the initiator.
Problem problem_of(const SparseStore::Event& event, std::optional<u64> damaged, u64 block_bytes) {
  const bool writing = event.operation == Operation::write || event.operation == Operation::flush ||
                       event.operation == Operation::discard || event.operation == Operation::zero;
  const Problem medium_error = writing ? problem::write_error : problem::read_error;
  switch (event.error) {
    case EIO:  // of a block that is damaged it is told which one it is
      return damaged && moves(event) ? medium_error.with(*damaged / block_bytes) : medium_error;
    case ENOSPC:
    case EDQUOT:
      return problem::no_space;
    case EROFS:
      return problem::write_protected;
    case ENOMEM:
    case EAGAIN:
      return problem::aborted;
    default:
      return problem::internal_failure;
  }
}

scsi::Format unit_format(const Format& format) {
  return {.block_size_bytes = format.block_bytes,
          .physical_block_size_bytes = format.physical_bytes,
          .size_bytes = format.blocks * format.block_bytes,
          .allocation_unit_bytes = static_cast<u32>(format.granule_bytes)};
}

/// What such a unit says of its limits: the model takes them from there.
Limits limits_of(const Format& format) {
  scsi::LogicalUnit unit({}, unit_format(format));
  Bytes page(64);
  const Bytes cdb = {0x12, 1, 0xb0, 0, 64, 0};
  const iovec buffer{page.data(), page.size()};
  (void)unit.start({cdb, {&buffer, 1}});
  return Limits::of_page(page);
}

u64 total(const std::vector<Expectation::Range>& ranges) {
  u64 sum = 0;
  for (const auto& range : ranges) sum += range.blocks;
  return sum;
}

}  // namespace

Episode::Episode(u64 seed, Coverage& coverage)
    : coverage_(coverage),
      random_(seed),
      format_(random_.one_of(formats)),
      faulty_(random_.one_in(2)),
      store_(format_.blocks * format_.block_bytes, format_.granule_bytes, format_.block_bytes),
      unit_({}, unit_format(format_)),
      disk_(format_, limits_of(format_)),
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
  if (random_.one_in(4)) {
    scsi::Identity identity;
    identity.uuid.bytes[0] = random_.byte();  // which is no news to the disk
    identity.revision = random_.one_of(std::array{"0001", "2", "3.14"});
    if (random_.one_in(2)) identity.vendor = "OTHER";
    unit_.set_identity(identity);
    disk_.set_names({identity.vendor, identity.product, identity.revision});
    remember("-- now of " + identity.vendor + ", revision " + identity.revision);
    return;
  }
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
  if (disk_.medium().contents().size() > 5000) return std::nullopt;
  constexpr std::array operations = {Operation::read,   Operation::read,    Operation::write,
                                     Operation::write,  Operation::discard, Operation::zero,
                                     Operation::extent, Operation::flush,   Operation::space};
  constexpr std::array errors = {EIO, EIO, ENOSPC, EROFS, EDQUOT, ENOMEM, EAGAIN, EFAULT};
  return SparseStore::Fault{random_.one_of(operations), random_.one_of(errors),
                            static_cast<unsigned>(random_.one_in(2) ? 0 : random_.below(3))};
}

/// A block among those that the command goes to.
std::optional<u64> Episode::some_damage(const Shot& shot) {
  const Entry* entry = entry_of(shot.cdb);
  if (entry == nullptr || shot.cdb.size() < entry->allowed.size()) return std::nullopt;
  const bool addressed =
      entry->verb == Verb::compare_and_write || entry->allowed == usual(entry->opcode, entry->allowed[1]);
  if (!addressed) return std::nullopt;
  const Target target = target_of(*entry, shot.cdb);
  const u64 blocks = disk_.medium().blocks();
  if (target.lba >= blocks) return std::nullopt;
  const u64 many = std::min<u64>({std::max<u64>(target.blocks, 1), blocks - target.lba, 2000});
  return (target.lba + random_.below(many)) * format_.block_bytes;
}

Episode::Complaints Episode::step() {
  const Shot shot = generator_.next();
  const auto way = some_way(shot, random_);
  Try attempt{shot, *way, {}, {}, unit_.medium_changes()};
  std::optional<SparseStore::Fault> fault;
  const bool large = shot.buffer.size() > (256u << 10);
  if (faulty_ && random_.one_in(large ? 2 : 8)) {
    fault = some_fault();
    if (fault && random_.one_in(large ? 1 : 3)) attempt.damaged = some_damage(shot);
    if (attempt.damaged) fault.reset();
  }
  const Entry* entry = entry_of(shot.cdb);
  const bool changes = entry != nullptr && entry->gate == Gate::protection;
  if ((fault || attempt.damaged) && changes) attempt.before = disk_.medium();
  Expectation expected = disk_.expect(shot.cdb, way->area());
  remember(hex(shot.cdb) + " | " + way->name() + ", buffer: " + hex(way->area(), 24) +
           (fault             ? " | the store may fail"
            : attempt.damaged ? " | a block is damaged"
                              : ""));
  // What is too much to be compared block by block does not fail.
  const bool small = total(expected.changes) <= 4096;
  if (fault && small) store_.arm(*fault);
  if (attempt.damaged && small) store_.damage(*attempt.damaged);
  way->send(unit_, store_);
  coverage_.note_way(way->name());
  return compare(attempt, std::move(expected));
}

Episode::Complaints Episode::compare(const Try& attempt, Expectation expected) {
  const auto events = store_.take_events();
  const auto failed =
      std::find_if(events.begin(), events.end(), [](const auto& event) { return event.error != 0; });
  Complaints complaints = check_store(expected, events);
  const auto append = [&complaints](const Complaints& more) {
    complaints.insert(complaints.end(), more.begin(), more.end());
  };
  const Entry* entry = entry_of(attempt.shot.cdb);
  const bool writes = entry != nullptr && entry->gate == Gate::protection;
  const bool counted = unit_.medium_changes() != attempt.changes_before;
  if (!writes && counted) append({"it counts as a change of the medium"});
  if (!counted && std::any_of(events.begin(), events.end(), changes)) {
    append({"it does not count as a change of the medium"});
  }
  if (failed != events.end()) {
    coverage_.note_fault(failed->operation, failed->error);
    if (failed->operation == Operation::flush) disk_.note_failed_flush(attempt.shot.cdb);
    if (attempt.before) append(settle(expected, *attempt.before));
    expected = refusal(problem_of(*failed, attempt.damaged, format_.block_bytes));
  } else {
    for (const auto& range : expected.changes) append(check_range(range));
  }
  const Bytes sense = expected.problem ? disk_.sense(*expected.problem) : Bytes();
  append(attempt.way.differences(expected, sense));
  coverage_.note(attempt.shot, expected);
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
  const SparseStore::Event* failed = nullptr;  // the first that has
  const u64 block = format_.block_bytes;
  for (std::size_t i = 0; i < events.size(); ++i) {
    const auto& event = events[i];
    // After an error of the medium it may be tried again, to find the block.
    const bool again = failed != nullptr && failed->error == EIO && moves(event) &&
                       event.operation == failed->operation && event.offset >= failed->offset &&
                       event.offset + event.length <= failed->offset + failed->length;
    if (failed != nullptr && !again) complaints.emplace_back("it goes on after an error of the store");
    if (failed == nullptr && event.error != 0) failed = &event;
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
  if (flushes != wanted && failed == nullptr) {
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
