#pragma once

#include <string>

namespace tcmufs::volume {

/// What can be written to a file `ctl`.
enum class Verb { attach, detach };

/// Throws Failure (EINVAL) that lists the verbs; `file` is where it was written: ".ctl/vol/db0/ctl".
Verb verb_of(const std::string& text, const std::string& file);

/// All of them, a line each: what reading such a file gives.
std::string verbs_text();

}  // namespace tcmufs::volume
