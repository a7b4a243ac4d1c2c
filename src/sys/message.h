#pragma once

#include <optional>
#include <string>

#include "sys/fd.h"
#include "sys/integers.h"

namespace tcmufs {

/// What goes between two processes over a stream socket of theirs.
struct Message {
  u64 word = 0;
  std::string body;
  Fd file;  // if there is one
};

/// Sends all of it; of `file` a copy. Throws Failure (EPIPE when the other end is gone).
void send_message(const Fd& socket, u64 word, const std::string& body, const Fd& file);

/// Waits for the next one; nothing when the other end is gone, in the midst of one too.
std::optional<Message> receive_message(const Fd& socket);

}  // namespace tcmufs
