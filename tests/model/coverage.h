#pragma once

#include <array>
#include <map>
#include <ostream>
#include <string>
#include <tuple>

#include "generator.h"
#include "sparse_store.h"

namespace tcmufs::model {

/// What has been sent and what came of it: so that the generator cannot stop generating something unseen.
class Coverage {
 public:
  Coverage();

  void note_format(const Format& format) { ++formats_[format.name]; }
  void note_way(const std::string& way) { ++ways_[way]; }
  void note_fault(SparseStore::Operation operation, int error) { ++faults_[{operation, error}]; }
  void note(const Shot& shot, const Expectation& expectation);
  void add(const Coverage& other);

  u64 commands() const { return commands_; }
  void print(std::ostream& out) const;
  /// What was seen too rarely: opcodes, commands (GOOD and refused), sense codes and pages less than `least`
  /// times, single forbidden bits less than `least_bits` times.
  std::vector<std::string> missing(u64 least, u64 least_bits) const;

 private:
  using Code = std::tuple<u8, u8, u8>;
  struct Count {
    u64 good = 0;
    u64 refused = 0;
  };

  u64 commands_ = 0;
  std::array<u64, 256> opcodes_{};
  std::vector<Count> entries_;                   // as entries()
  std::vector<std::array<u64, 128>> forbidden_;  // by entry, then by byte and bit
  std::map<Code, u64> senses_;
  std::map<std::pair<Verb, u8>, u64> pages_;                      // that could be had
  std::map<std::pair<SparseStore::Operation, int>, u64> faults_;  // that happened
  std::map<std::string, u64> formats_;
  std::map<std::string, u64> ways_;
};

}  // namespace tcmufs::model
