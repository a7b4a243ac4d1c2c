#pragma once

#include <deque>
#include <ostream>

#include "coverage.h"
#include "scsi/logical_unit.h"
#include "sparse_store.h"
#include "way.h"

namespace tcmufs::model {

/// A disk from its beginning on: random commands, resizes, write protection and faults of the store, each
/// answer compared with that of the model. All of it follows from the seed.
class Episode {
 public:
  struct Finding {
    unsigned command;  // which one: the first is 0
    std::string text;
  };

  static constexpr unsigned usual_length = 2000;

  Episode(u64 seed, Coverage& coverage);

  /// Until something is wrong.
  std::optional<Finding> run(unsigned commands = usual_length);
  /// Where to tell of every command; null: nowhere.
  void trace(std::ostream* out) { trace_ = out; }

 private:
  using Complaints = std::vector<std::string>;
  /// One command, and how things were before it.
  struct Try {
    const Shot& shot;
    const Way& way;
    std::optional<Medium> before;  // if it may fail half way
    std::optional<u64> damaged;    // the offset of a block
    u64 changes_before;
  };

  void prepare_medium();
  void change_from_outside();
  std::optional<SparseStore::Fault> some_fault();
  std::optional<u64> some_damage(const Shot& shot);
  Complaints step();
  Complaints compare(const Try& attempt, Expectation expected);
  /// The part of a failed command that has been done, if it is as before or as it should be.
  Complaints settle(const Expectation& expected, const Medium& before);
  Complaints check_store(const Expectation& expected, const std::vector<SparseStore::Event>& events) const;
  Complaints check_range(const Expectation::Range& range) const;
  Complaints check_all() const;
  void remember(const std::string& line);

  Coverage& coverage_;
  Random random_;
  const Format format_;
  const bool faulty_;
  SparseStore store_;
  scsi::LogicalUnit unit_;
  Disk disk_;
  Generator generator_;
  std::deque<std::string> last_;  // what has been done, the newest last
  std::ostream* trace_ = nullptr;
};

}  // namespace tcmufs::model
