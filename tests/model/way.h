#pragma once

#include <scsi/sg.h>

#include <memory>

#include "generator.h"
#include "scsi/logical_unit.h"

namespace tcmufs::model {

/// A command on its way to the unit and back: how memory is cut up, and what the initiator sees of the
/// answer.
class Way {
 public:
  Way() = default;
  Way(const Way&) = delete;
  Way& operator=(const Way&) = delete;
  virtual ~Way() = default;

  virtual std::string name() const = 0;
  /// What the unit finds in the buffer.
  virtual const Bytes& area() const = 0;
  virtual void send(scsi::LogicalUnit& unit, store::BlockStore& store) = 0;
  /// Sentences about what is not as expected; `sense` is the sense data, if there is to be any.
  virtual std::vector<std::string> differences(const Expectation& expected, const Bytes& sense) const = 0;
};

/// Any of the ways, with memory in pieces of any size.
std::unique_ptr<Way> some_way(const Shot& shot, Random& random);

}  // namespace tcmufs::model
