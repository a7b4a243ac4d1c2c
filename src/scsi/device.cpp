#include "scsi/device.h"

#include <array>
#include <bit>
#include <cerrno>
#include <string>
#include <utility>

#include "sys/error.h"

namespace tcmufs::scsi {

namespace {

constexpr u32 physical_limit_bytes = 1u << 20;

const Format& checked(const Format& format) {
  const u32 block = format.block_size_bytes;
  const u32 physical = format.physical_block_size_bytes;
  if (block < 512 || block > 4096 || !std::has_single_bit(block)) {
    throw Failure(EINVAL, "a disk cannot have blocks of " + std::to_string(block) + " bytes",
                  "Use 512, 1024, 2048 or 4096");
  }
  if (physical < block || physical > physical_limit_bytes || !std::has_single_bit(physical)) {
    throw Failure(EINVAL, "a disk cannot have physical blocks of " + std::to_string(physical) + " bytes",
                  "Use a power of two, from the block size to " + std::to_string(physical_limit_bytes));
  }
  const u32 unit = format.allocation_unit_bytes;
  if (unit > physical_limit_bytes || !std::has_single_bit(unit)) {
    throw Failure(EINVAL, "a disk cannot have an allocation unit of " + std::to_string(unit) + " bytes",
                  "Use a power of two, at most " + std::to_string(physical_limit_bytes));
  }
  if (format.size_bytes % block != 0) {
    throw Failure(EINVAL, "a disk cannot have " + std::to_string(format.size_bytes) + " bytes",
                  "Use a multiple of its block size, " + std::to_string(block));
  }
  return format;
}

Geometry geometry_of(const Format& format) {
  const u32 block = format.block_size_bytes;
  return {block, static_cast<u8>(std::countr_zero(format.physical_block_size_bytes / block)),
          format.size_bytes};
}

}  // namespace

Device::Device(Identity identity, const Format& format)
    : limits_(Limits::of(checked(format))),
      block_size_bytes_(format.block_size_bytes),
      thin_(format.thin),
      default_modes_{.write_cache = format.write_cache},
      identity_(std::move(identity)) {
  state_.geometry = geometry_of(format);
  state_.read_only = format.read_only;
  state_.modes = default_modes_;
}

Identity Device::identity() const {
  const std::lock_guard held(mutex_);
  return identity_;
}

UnitState Device::state() const noexcept {
  const std::lock_guard held(mutex_);
  return state_;
}

SenseFormat Device::sense_format() const noexcept {
  return state().modes.descriptor_sense ? SenseFormat::descriptor : SenseFormat::fixed;
}

void Device::set_modes(const Modes& modes) noexcept {
  const std::lock_guard held(mutex_);
  state_.modes = modes;
}

void Device::set_stopped(bool stopped) noexcept {
  const std::lock_guard held(mutex_);
  state_.stopped = stopped;
}

void Device::set_identity(Identity identity) {
  {
    const std::lock_guard held(mutex_);
    identity.uuid = identity_.uuid;
    identity.serial = identity_.serial;
    identity.naa = identity_.naa;
    if (identity == identity_) return;
    identity_ = std::move(identity);
  }
  if (inquired_.load(std::memory_order_relaxed)) attentions_.fetch_or(inquiry_changed);
}

void Device::resize(u64 size_bytes) noexcept {
  {
    const std::lock_guard held(mutex_);
    const Geometry before = state_.geometry;
    state_.geometry = {before.block_size_bytes(), before.physical_exponent(), size_bytes};
    if (state_.geometry.blocks() == before.blocks()) return;
  }
  raise(capacity_changed);
}

void Device::set_read_only(bool read_only) noexcept {
  {
    const std::lock_guard held(mutex_);
    if (std::exchange(state_.read_only, read_only) == read_only) return;
  }
  raise(modes_changed);
}

void Device::set_write_cache(bool write_cache) noexcept {
  {
    const std::lock_guard held(mutex_);
    if (std::exchange(state_.modes.write_cache, write_cache) == write_cache) return;
  }
  raise(modes_changed);
}

void Device::raise(Attention attention) noexcept {
  if (visited_.load(std::memory_order_relaxed)) attentions_.fetch_or(attention);
}

std::optional<Sense> Device::take_unit_attention() noexcept {
  struct News {
    Attention attention;
    const Sense& sense;
  };
  static constexpr std::array in_order = {News{inquiry_changed, sense::inquiry_data_has_changed},
                                          News{capacity_changed, sense::capacity_data_has_changed},
                                          News{modes_changed, sense::mode_parameters_changed}};
  for (const News& news : in_order) {
    if ((attentions_.load() & news.attention) == 0) continue;
    const auto others = static_cast<u8>(~news.attention);
    if ((attentions_.fetch_and(others) & news.attention) != 0) return news.sense;
  }
  return std::nullopt;
}

std::error_code Device::flush(store::BlockStore& store) noexcept {
  if (flush_failed()) return {EIO, std::generic_category()};
  const std::error_code error = store.flush();
  if (error) note_failed_flush();
  return error;
}

}  // namespace tcmufs::scsi
