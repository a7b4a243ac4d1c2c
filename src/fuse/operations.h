#pragma once

struct fuse_lowlevel_ops;

namespace tcmufs::fuse {

/// FUSE's requests, served by the ctlfs::Tree that is the session's user data.
const fuse_lowlevel_ops& operations();

}  // namespace tcmufs::fuse
