#pragma once

#include <string>

namespace tcmufs::mountctl {

/// Whether what is written to `descriptor` is to have colours: it is a terminal that has some (TERM), and
/// NO_COLOR is unset or empty.
bool colours_on(int descriptor);
bool colours_on_output();

/// `text` as it is, or between the control sequences of a colour, if `word` is a state (ready, failed,
/// attaching ...) or a finding (OK, WARN, FIX).
std::string painted(const std::string& word, const std::string& text);

}  // namespace tcmufs::mountctl
