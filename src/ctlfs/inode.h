#pragma once

#include "sys/integers.h"

namespace tcmufs::ctlfs {

/// What of a node an inode number stands for. A node (a volume or a directory) has one number itself and one
/// for every file and directory that exists because of it, so that those need no memory and no lookup counts
/// of their own: the number is 1 + 64 * node + facet, and the root (node 0, facet `self`) is 1, as FUSE wants
/// it.
enum class Facet : u8 {
  self = 0,
  status = 1,    // DIR/status
  mirror = 2,    // .ctl/vol/PATH
  control = 3,   // .ctl (of the root only)
  defaults = 4,  // .ctl/defaults (of the root only)
  // The files in .ctl (of the root) or .ctl/vol/PATH (of a volume), in the order of their table,
  first_file = 8,
  // and those in .ctl/defaults (of the root).
  first_default = 40,
};

struct Inode {
  static constexpr u64 kFacets = 64;

  u64 node = 0;
  Facet facet = Facet::self;

  static Inode from(u64 number);
  u64 number() const;
};

/// The facet of the file at `index` of its table, which begins at `first`.
Facet file_facet(Facet first, unsigned index);
unsigned file_index(Facet first, Facet facet);

}  // namespace tcmufs::ctlfs
