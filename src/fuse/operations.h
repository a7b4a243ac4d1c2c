#pragma once

struct fuse_lowlevel_ops;

namespace tcmufs::ctlfs {
class Tree;
}

namespace tcmufs::fuse {

class StreamReads;

/// What requests are served by.
struct Served {
  ctlfs::Tree& tree;
  StreamReads& streams;
};

/// FUSE's requests, served by the Served that is the session's user data.
const fuse_lowlevel_ops& operations();

}  // namespace tcmufs::fuse
