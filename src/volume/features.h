#pragma once

#include <string>
#include <vector>

namespace tcmufs::volume {

/// Something that is used where it can be had.
struct Feature {
  std::string name;   // "engine"
  std::string value;  // one word: "io_uring"
  std::string why;    // in words
};

/// What the machine and the file system of `directory`, a descriptor, let us use: found out by trying it, in
/// the calling thread, with a file there that has no name.
std::vector<Feature> find_features(int directory);

/// The file .ctl/features: a line each, the words after the second are the reason.
std::string features_text(const std::vector<Feature>& features);

}  // namespace tcmufs::volume
