#pragma once

#include <optional>

#include "test_disk.h"

namespace tcmufs::scsi::test {

/// Wide enough for every sum of an address and a length.
__extension__ using Wide = unsigned __int128;

/// What a disk has to answer to the commands that go to the medium, said anew and as simply as can be: with a
/// vector of bytes.
struct MediumModel {
  u32 block_size;
  Bytes medium;
  bool stopped = false;
  bool write_protected = false;

  struct Prediction {
    SenseCode sense;            // nothing: GOOD
    std::optional<Bytes> data;  // data-in, where there is some
  };

  /// What the disk will answer; nothing for the commands that are not for the medium. Changes the medium as
  /// the command would.
  std::optional<Prediction> predict(const Bytes& cdb, const Bytes& buffer);

  u64 blocks() const { return medium.size() / block_size; }

 private:
  struct Decoded {
    Wide lba;
    Wide count;
    u8 flags;
  };
  static Decoded decode(const Bytes& cdb);
  Prediction transfer(const Bytes& cdb, const Bytes& buffer);
  SenseCode unmap(const Bytes& cdb, const Bytes& buffer);
  bool inside(Wide lba, Wide count) const;
};

}  // namespace tcmufs::scsi::test
