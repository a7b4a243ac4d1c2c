#include "device/handled_command.h"

#include <algorithm>
#include <cstring>

#include "device/errors.h"
#include "scsi/buffer.h"
#include "scsi/cdb.h"

TCMUFS_BEGIN

struct Command::Context {
  scsi::Command command;
  const device::Unit& unit;
  std::size_t put_bytes = 0;
  std::size_t taken_bytes = 0;
};

namespace {

// The fields of the groups that have them.
std::optional<scsi::Addressed> fields_of(std::span<const u8> cdb) noexcept {
  constexpr std::array<std::size_t, 8> lengths{6, 10, 10, 0, 16, 12, 0, 0};
  if (cdb.empty()) return std::nullopt;
  const std::size_t length = lengths[cdb[0] >> 5];
  if (length == 0 || cdb.size() < length) return std::nullopt;
  scsi::Addressed fields = scsi::addressed(cdb);
  if (length == 6) fields.lba &= 0x1fffff;
  return fields;
}

}  // namespace

/// The way from the scsi floor's answers to a handler's, and back.
struct OutcomeParts {
  static Outcome of(const scsi::Response& response) {
    Outcome outcome;
    outcome.status_ = static_cast<u8>(response.status);
    outcome.final_ = true;
    outcome.data_in_bytes_ = response.data_in_bytes;
    const auto sense = std::as_bytes(response.sense.span());
    outcome.sense_data_.assign(sense.begin(), sense.end());
    return outcome;
  }

  static scsi::Response response(const Outcome& outcome, std::size_t put_bytes,
                                 const scsi::LogicalUnit& unit) {
    if (!outcome.handled_) return unit.refuse(scsi::sense::invalid_operation_code);
    if (outcome.sense_)
      return unit.refuse({outcome.sense_->key, outcome.sense_->code, outcome.sense_->qualifier, {}, {}});
    scsi::Response response;
    response.status = static_cast<scsi::Status>(outcome.status_);
    response.data_in_bytes = outcome.final_ ? outcome.data_in_bytes_ : put_bytes;
    const std::size_t length = std::min(outcome.sense_data_.size(), response.sense.bytes.size());
    std::transform(outcome.sense_data_.begin(),
                   outcome.sense_data_.begin() + static_cast<std::ptrdiff_t>(length),
                   response.sense.bytes.begin(), [](std::byte byte) { return std::to_integer<u8>(byte); });
    response.sense.length = static_cast<u8>(length);
    return response;
  }
};

struct CommandParts {
  static scsi::Response response(volume::Job& job, const device::Unit& unit, CommandHandler& handler) {
    Command::Context context{job.scsi_command(), unit};
    Command command(context);
    const Outcome outcome = handler.handle(command);
    return OutcomeParts::response(outcome, context.put_bytes, unit.unit);
  }
};

Outcome Outcome::good() {
  return {};
}
Outcome Outcome::check_condition(const Sense& sense) {
  Outcome outcome = status(static_cast<u8>(scsi::Status::check_condition));
  outcome.sense_ = sense;
  return outcome;
}
Outcome Outcome::check_condition(std::span<const std::byte> sense_data) {
  Outcome outcome = status(static_cast<u8>(scsi::Status::check_condition));
  outcome.sense_data_.assign(sense_data.begin(), sense_data.end());
  return outcome;
}
Outcome Outcome::busy() {
  return status(static_cast<u8>(scsi::Status::busy));
}
Outcome Outcome::status(std::uint8_t status) {
  Outcome outcome;
  outcome.status_ = status;
  return outcome;
}
Outcome Outcome::not_handled() {
  Outcome outcome = status(static_cast<u8>(scsi::Status::check_condition));
  outcome.handled_ = false;
  return outcome;
}

std::uint8_t Command::opcode() const noexcept {
  return context_.command.cdb.empty() ? 0 : context_.command.cdb.front();
}
std::span<const std::byte> Command::cdb() const noexcept {
  return std::as_bytes(context_.command.cdb);
}
std::uint64_t Command::lba() const noexcept {
  const auto fields = fields_of(context_.command.cdb);
  return fields ? fields->lba : 0;
}
std::uint64_t Command::transfer_length() const noexcept {
  const auto fields = fields_of(context_.command.cdb);
  return fields ? fields->length_blocks : 0;
}

std::size_t Command::buffer_length() const noexcept {
  return scsi::length_bytes(context_.command.buffer);
}

std::size_t Command::put(std::span<const std::byte> data) noexcept {
  std::size_t done = 0;
  std::size_t skip = context_.put_bytes;
  for (const iovec& piece : context_.command.buffer) {
    const std::size_t skipped = std::min(skip, piece.iov_len);
    skip -= skipped;
    const std::size_t length = std::min(piece.iov_len - skipped, data.size() - done);
    if (length > 0)
      std::memcpy(static_cast<std::byte*>(piece.iov_base) + skipped, data.data() + done, length);
    done += length;
  }
  context_.put_bytes += done;
  return done;
}

std::size_t Command::take(std::span<std::byte> data) noexcept {
  const std::size_t done = scsi::copy_from(context_.command.buffer, context_.taken_bytes,
                                           {reinterpret_cast<u8*>(data.data()), data.size()});
  context_.taken_bytes += done;
  return done;
}

DeviceInfo Command::device() const {
  const device::Unit& unit = context_.unit;
  return {.name = unit.name, .size = unit.store.size_bytes(), .block_size = unit.block_size_bytes};
}

Outcome Command::emulate() {
  const scsi::Command& command = context_.command;
  auto started = context_.unit.unit.start(command);
  if (const auto* response = std::get_if<scsi::Response>(&started)) return OutcomeParts::of(*response);
  return OutcomeParts::of(
      context_.unit.unit.execute(std::get<scsi::Plan>(started), command, context_.unit.store));
}

CommandHandler::~CommandHandler() = default;

Outcome CommandHandler::handle(Command& command) {
  return command.emulate();
}

TCMUFS_END

namespace tcmufs::device {

void handle(volume::Job& job, const Unit& unit, CommandHandler& handler) noexcept {
  try {
    job.response = CommandParts::response(job, unit, handler);
  } catch (...) {
    const volume::Operation kind = volume::operation_of(job.scsi_command().cdb);
    const bool reads = kind == volume::Operation::read || kind == volume::Operation::other;
    job.response = unit.unit.refuse(
        scsi::sense_of(thrown_error(), reads ? scsi::Direction::reading : scsi::Direction::writing));
  }
}

}  // namespace tcmufs::device
