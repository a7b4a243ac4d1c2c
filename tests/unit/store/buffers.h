#pragma once

#include <gtest/gtest.h>
#include <sys/uio.h>

#include <string>
#include <system_error>
#include <vector>

#include "store/block_store.h"

namespace tcmufs::test {

/// `text` as a list of buffers of at most `piece` bytes each.
inline std::vector<iovec> buffers_of(std::string& text, std::size_t piece = std::string::npos) {
  std::vector<iovec> buffers;
  for (std::size_t at = 0; at < text.size(); at += std::min(piece, text.size() - at)) {
    buffers.push_back({text.data() + at, std::min(piece, text.size() - at)});
  }
  return buffers;
}

inline std::error_code write_text_at(store::BlockStore& store, u64 offset, std::string text,
                                     std::size_t piece = std::string::npos) {
  return store.write(offset, buffers_of(text, piece));
}

/// The bytes there, or "error N".
inline std::string text_at(store::BlockStore& store, u64 offset, std::size_t length,
                           std::size_t piece = std::string::npos) {
  std::string text(length, '?');
  const std::error_code error = store.read(offset, buffers_of(text, piece));
  return error ? "error " + std::to_string(error.value()) : text;
}

inline std::string zero_bytes(std::size_t count) {
  return std::string(count, '\0');
}

}  // namespace tcmufs::test
