#pragma once

/// What the library shows. All its names are in the inline namespace of its interface's version, which is
/// also that of the shared library (libtcmufs.so.0): programs of two versions cannot be mixed by accident.
#define TCMUFS_API [[gnu::visibility("default")]]
#define TCMUFS_BEGIN \
  namespace tcmufs { \
  inline namespace v0 {
#define TCMUFS_END \
  }                \
  }
