// Sequences of SCSI commands with any CDB and any buffer, on a small disk whose store may fail.
#include <algorithm>
#include <memory>

#include "fuzz/input.h"
#include "scsi/logical_unit.h"
#include "support/memory_store.h"

namespace {

using namespace tcmufs;

constexpr u64 size_bytes = 64 << 10;

/// Every buffer is an allocation of its own, so that the sanitizer sees a byte too many.
void send(scsi::LogicalUnit& unit, test::MemoryStore& store, fuzz::Input& input) {
  const std::vector<u8> cdb = input.bytes(input.byte() % 33);
  if (cdb.empty()) return;
  const std::size_t length = input.number() % 3000;
  const std::size_t first = length == 0 ? 0 : input.number() % (length + 1);
  const std::vector<u8> out = input.bytes(std::min<std::size_t>(length, input.byte()));
  const auto one = std::make_unique<u8[]>(first);
  const auto two = std::make_unique<u8[]>(length - first);
  for (std::size_t i = 0; i < out.size(); ++i) (i < first ? one[i] : two[i - first]) = out[i];
  const std::array<iovec, 2> buffer{{{one.get(), first}, {two.get(), length - first}}};

  const scsi::Command command{cdb, length == 0 ? std::span<const iovec>() : std::span<const iovec>(buffer)};
  auto outcome = unit.start(command);
  const scsi::Response response = std::holds_alternative<scsi::Response>(outcome)
                                      ? std::get<scsi::Response>(outcome)
                                      : unit.execute(std::get<scsi::Plan>(outcome), command, store);
  fuzz::require(response.data_in_bytes.value_or(0) <= length, "more data-in than the buffer has");
  const bool failed = response.status == scsi::Status::check_condition;
  fuzz::require(failed == (response.sense.length > 0), "sense goes with CHECK CONDITION, and only with it");
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  test::MemoryStore store(size_bytes);
  scsi::Format format;
  const u8 shape = input.byte();
  format.block_size_bytes = (shape & 1) != 0 ? 4096 : 512;
  format.physical_block_size_bytes = 4096;
  format.size_bytes = size_bytes;
  format.read_only = (shape & 2) != 0;
  format.write_cache = (shape & 4) == 0;
  format.thin = (shape & 8) == 0;
  scsi::LogicalUnit unit(scsi::Identity{.uuid = Uuid()}, format);
  if ((shape & 16) != 0) store.fail(static_cast<test::Operation>(shape >> 5), EIO, input.byte() % 4, 1);
  while (!input.empty()) send(unit, store, input);
  return 0;
}
