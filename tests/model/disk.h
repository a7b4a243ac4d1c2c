#pragma once

#include <optional>

#include "commands.h"
#include "medium.h"
#include "problem.h"

namespace tcmufs::model {

/// What the Block Limits VPD page says. Units are blocks.
struct Limits {
  u64 transfer = 0;
  u64 compare_and_write = 0;
  u64 unmap = 0;
  u64 unmap_descriptors = 0;
  u64 write_same = 0;

  static Limits of_page(const Bytes& page);
};

struct Format {
  const char* name;
  u32 block_bytes;
  u32 physical_bytes;
  u64 blocks;
  u64 granule_bytes;  // of the store below
};

/// What INQUIRY says, and may change.
struct Names {
  std::string vendor = "TCMUFS";
  std::string product = "Virtual Disk";
  std::string revision = "0001";
  bool operator==(const Names&) const = default;
};

/// What has to come of one command, if the store below does as it is told.
struct Expectation {
  enum class Flush : u8 { none, before, after };
  struct Range {
    u64 lba;
    u64 blocks;
  };

  std::optional<Problem> problem;  // nothing: GOOD
  std::optional<Bytes> data_in;    // nothing: the buffer is data-out
  std::vector<Range> changes;      // of the medium; nothing else may be touched
  Flush flush = Flush::none;       // before all that is read, or after all that is written
};

/// A disk as the standards and docs/scsi.md have it, as simply as can be said: one command at a time, the
/// whole medium in memory, nothing ever goes wrong below.
class Disk {
 public:
  Disk(const Format& format, const Limits& limits);

  /// What comes of the command, which is done here at once. `buffer` is data-out, or what is there before
  /// data-in.
  Expectation expect(const Bytes& cdb, const Bytes& buffer);

  void resize(u64 blocks);
  void set_read_only(bool read_only);
  void set_names(const Names& names);
  /// The store has failed to flush for this command: whatever has to be stable fails from now on.
  void note_failed_flush(const Bytes& cdb);

  Medium& medium() { return medium_; }
  const Medium& medium() const { return medium_; }
  const Limits& limits() const { return limits_; }
  /// In the format that the control mode page asks for.
  Bytes sense(const Problem& problem) const { return encoded(problem, modes_.descriptor_sense); }
  bool stopped() const { return stopped_; }
  std::string state() const;

 private:
  struct Modes {
    bool write_cache = true;
    bool descriptor_sense = false;
    bool software_write_protect = false;
  };

  std::optional<Problem> objection(const Entry* entry, const Bytes& cdb);
  std::optional<Problem> take_attention();
  /// Whether it has to be stable, which nothing can be any more.
  bool hopeless(const Expectation& wanted) const;
  Expectation answer(const Entry& entry, const Bytes& cdb, const Bytes& buffer);
  std::optional<Problem> range_problem(u64 lba, Wide blocks, u64 limit, unsigned length_byte) const;

  // disk_medium.cpp
  Expectation to_medium(const Entry& entry, const Bytes& cdb, const Bytes& buffer);
  Expectation read(const Target& target, const Bytes& buffer) const;
  Expectation written(Verb verb, const Target& target, const Bytes& buffer);
  Expectation verify(const Target& target, const Bytes& buffer) const;
  Expectation compare_and_write(const Target& target, const Bytes& buffer);
  Expectation write_same(Target target, const Bytes& buffer);
  // disk_unmap.cpp
  Expectation unmap(const Bytes& cdb, const Bytes& buffer);
  Expectation lba_status(const Bytes& cdb) const;
  // disk_inquiry.cpp
  Expectation inquiry(const Bytes& cdb);
  Bytes block_limits() const;
  // disk_modes.cpp
  Bytes mode_page(u8 code, const Modes& modes) const;
  Expectation mode_sense(const Bytes& cdb) const;
  Expectation mode_select(const Bytes& cdb, const Bytes& buffer);
  std::optional<Problem> take_modes(const Bytes& list, bool ten, Modes& modes) const;
  // disk_reports.cpp
  Expectation read_capacity_10(const Bytes& cdb) const;
  Expectation read_capacity_16(const Bytes& cdb) const;
  Expectation log_sense(const Bytes& cdb) const;
  Expectation report_opcodes(const Bytes& cdb) const;

  u64 block_bytes() const { return medium_.block_bytes(); }
  u64 blocks() const { return medium_.blocks(); }

  u32 physical_blocks_;     // logical blocks of a physical one
  u64 granularity_blocks_;  // less of it may give no space back
  Limits limits_;
  Medium medium_;
  Modes modes_;
  Names names_;
  bool read_only_ = false;
  bool stopped_ = false;
  bool visited_ = false;   // somebody could have learned what a unit attention would be about
  bool inquired_ = false;  // the same of INQUIRY data
  bool inquiry_attention_ = false;
  bool capacity_attention_ = false;
  bool modes_attention_ = false;
  bool flush_failed_ = false;
};

/// GOOD with the front of `data`, as much as was asked for.
Expectation reply(const Bytes& data, u64 allocation_length);
Expectation refusal(const Problem& problem);

}  // namespace tcmufs::model
