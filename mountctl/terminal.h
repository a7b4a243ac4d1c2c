#pragma once

#include <cstddef>
#include <string>

namespace tcmufs::mountctl {

/// Whether `descriptor` is a terminal that obeys control sequences (TERM).
bool can_move_cursor(int descriptor);

/// Whether what is written to `descriptor` is to have colours: it is a terminal that has some (TERM), and
/// NO_COLOR is unset or empty.
bool colours_on(int descriptor);
bool colours_on_output();

/// The first `columns` characters; control sequences take no room, and those behind the cut are kept, so that
/// no colour is left on.
std::string cut_to(const std::string& line, std::size_t columns);

/// `text` as it is, or between the control sequences of a colour, if `word` is a state (ready, failed,
/// attaching ...) or a finding (OK, WARN, FIX).
std::string painted(const std::string& word, const std::string& text);

}  // namespace tcmufs::mountctl
