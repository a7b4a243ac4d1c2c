#pragma once

#include <optional>
#include <utility>

#include "disk.h"
#include "random.h"

namespace tcmufs::model {

/// A command as an initiator could send it.
struct Shot {
  Bytes cdb;
  Bytes buffer;  // data-out, or the memory for data-in
  /// The bit that its entry does not allow: byte and bit of the CDB, where just one was set.
  std::optional<std::pair<unsigned, unsigned>> forbidden = {};
};

/// Commands of every kind for a disk, most of them with something at an edge, and some broken.
class Generator {
 public:
  Generator(Random& random, const Disk& disk) : random_(random), disk_(disk) {}

  Shot next();

 private:
  const Entry& choose();
  Shot sensible(const Entry& entry);
  void break_it(const Entry& entry, Shot& shot);

  // Fields
  u64 lba();
  u64 blocks(u64 lba, u64 limit);
  u64 allocation();
  u8 any_of(const Bytes& usual) { return random_.one_in(5) ? random_.byte() : random_.one_of(usual); }
  u8 known_opcode() { return random_.one_of(entries()).opcode; }
  u64 block_bytes() const { return disk_.medium().block_bytes(); }

  // What verbs need: the CDB has its opcode and service action.
  void fill_plain(const Entry& entry, Bytes& cdb);
  void fill_report(const Entry& entry, Bytes& cdb);
  void fill_medium(const Entry& entry, Shot& shot);
  void fill_compare(Shot& shot);
  void fill_unmap(Shot& shot);
  void fill_mode_select(Shot& shot);
  Bytes mode_list(bool ten);
  Bytes block_descriptor(bool wide);

  // Buffers
  /// `length`, or less, or more.
  u64 not_quite(u64 length);
  Bytes data(u64 length);
  Bytes data_out(u64 needed);
  Bytes there(u64 lba, u64 count);
  Bytes room(u64 wanted);

  Random& random_;
  const Disk& disk_;
};

}  // namespace tcmufs::model
