#pragma once

#include <cstddef>
#include <initializer_list>
#include <span>
#include <string>
#include <vector>

#include "sys/integers.h"

namespace tcmufs::model {

using Bytes = std::vector<u8>;

/// Wide enough for every sum of an address and a length.
__extension__ using Wide = unsigned __int128;

/// `width` big-endian bytes from `offset` on; bytes that are not there count as zero.
u64 number(std::span<const u8> bytes, std::size_t offset, unsigned width);
/// Overwrites `width` bytes from `offset` on with `value`, big-endian.
void place(Bytes& bytes, std::size_t offset, u64 value, unsigned width);
/// `value` in `width` big-endian bytes.
Bytes field(u64 value, unsigned width);
Bytes join(std::initializer_list<Bytes> parts);
Bytes part(std::span<const u8> bytes, std::size_t offset, std::size_t length);
/// `text`, filled up with spaces.
Bytes padded(const std::string& text, std::size_t width);
/// "28 00 ...", at most `limit` bytes of it.
std::string hex(std::span<const u8> bytes, std::size_t limit = 64);

}  // namespace tcmufs::model
