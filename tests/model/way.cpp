#include "way.h"

#include <algorithm>

#include "conformance/sg_device.h"

namespace tcmufs::model {

namespace {

/// Memory in pieces, each an allocation of its own so that a byte too far is seen by AddressSanitizer.
class Pieces {
 public:
  Pieces(const Bytes& bytes, Random& random) {
    for (std::size_t at = 0; at < bytes.size();) {
      if (random.one_in(8)) pieces_.emplace_back();
      const bool last = pieces_.size() > 3 || random.one_in(2);
      const std::size_t length = last ? bytes.size() - at : random.between(1, bytes.size() - at);
      pieces_.push_back(part(bytes, at, length));
      at += length;
    }
    if (random.one_in(8)) pieces_.emplace_back();
  }
  template <typename Vector>
  std::vector<Vector> vectors() {
    std::vector<Vector> result;
    for (Bytes& piece : pieces_) result.push_back({piece.data(), piece.size()});
    return result;
  }
  Bytes whole() const {
    Bytes bytes;
    for (const Bytes& piece : pieces_) bytes.insert(bytes.end(), piece.begin(), piece.end());
    return bytes;
  }

 private:
  std::vector<Bytes> pieces_;
};

class Complaints {
 public:
  void unless(bool right, const std::string& what) {
    if (!right) all_.push_back(what);
  }
  void bytes(const Bytes& found, const Bytes& expected, const std::string& what) {
    if (found == expected) return;
    const auto length = std::min(found.size(), expected.size());
    const auto end = found.begin() + static_cast<std::ptrdiff_t>(length);
    const auto at =
        static_cast<std::size_t>(std::mismatch(found.begin(), end, expected.begin()).first - found.begin());
    const std::size_t from = at < 16 ? 0 : at - 16;
    all_.push_back(what + " (" + std::to_string(found.size()) + " bytes, expected " +
                   std::to_string(expected.size()) + ") differs at byte " + std::to_string(at) +
                   ":\n      found    " + hex(std::span(found).subspan(from), 64) + "\n      expected " +
                   hex(std::span(expected).subspan(from), 64));
  }
  void status(unsigned found, const Expectation& expected) {
    const unsigned wanted = expected.problem ? 2 : 0;
    unless(found == wanted,
           "the status is " + std::to_string(found) + ", expected " + std::to_string(wanted));
  }
  std::vector<std::string> take() { return std::move(all_); }

 private:
  std::vector<std::string> all_;
};

std::string shown(std::optional<std::size_t> bytes) {
  return bytes ? std::to_string(*bytes) + " bytes" : "no data-in";
}

/// `area` after the command.
Bytes answered(Bytes area, const Expectation& expected) {
  const Bytes data = expected.data_in.value_or(Bytes());
  std::copy(data.begin(), data.end(), area.begin());
  return area;
}

/// Calls the unit itself.
class Direct final : public Way {
 public:
  Direct(const Shot& shot, Random& random)
      : cdb_(shot.cdb), before_(shot.buffer), memory_(shot.buffer, random) {}

  std::string name() const override { return "to the unit itself"; }
  const Bytes& area() const override { return before_; }
  void send(scsi::LogicalUnit& unit, store::BlockStore& store) override {
    const auto vectors = memory_.vectors<iovec>();
    const scsi::Command command{cdb_, vectors};
    auto outcome = unit.start(command);
    auto* response = std::get_if<scsi::Response>(&outcome);
    response_ = response != nullptr ? *response : unit.execute(std::get<scsi::Plan>(outcome), command, store);
  }
  std::vector<std::string> differences(const Expectation& expected, const Bytes& sense) const override {
    Complaints complaints;
    complaints.status(static_cast<unsigned>(response_.status), expected);
    const auto given = response_.sense.span();
    complaints.bytes({given.begin(), given.end()}, sense, "the sense data");
    std::optional<std::size_t> valid;
    if (expected.data_in) valid = expected.data_in->size();
    complaints.unless(response_.data_in_bytes == valid,
                      "data-in is " + shown(response_.data_in_bytes) + ", expected " + shown(valid));
    complaints.bytes(memory_.whole(), answered(before_, expected), "the buffer");
    return complaints.take();
  }

 private:
  const Bytes cdb_;
  const Bytes before_;
  Pieces memory_;
  scsi::Response response_;
};

constexpr u8 untouched = 0xa5;

/// SG_IO, as the rig of tests/conformance does it, in any direction.
class SgIo final : public Way {
 public:
  SgIo(const Shot& shot, Random& random)
      : cdb_(shot.cdb),
        before_(shot.buffer),
        memory_(shot.buffer, random),
        direction_(direction_of(shot, random)),
        area_(area_of(direction_, before_)),
        sense_(random.one_of(std::array{0u, 8u, 18u, 32u, 96u, 255u}), untouched) {}

  std::string name() const override { return "by SG_IO"; }
  const Bytes& area() const override { return area_; }
  void send(scsi::LogicalUnit& unit, store::BlockStore& store) override {
    auto vectors = memory_.vectors<sg_iovec_t>();
    header_.interface_id = 'S';
    header_.dxfer_direction = direction_;
    header_.cmd_len = static_cast<unsigned char>(cdb_.size());
    header_.cmdp = cdb_.data();
    header_.dxfer_len = static_cast<unsigned>(before_.size());
    header_.iovec_count = static_cast<unsigned short>(vectors.size());
    header_.dxferp = vectors.data();
    header_.mx_sb_len = static_cast<unsigned char>(sense_.size());
    header_.sbp = sense_.empty() ? nullptr : sense_.data();
    header_.resid = -1;
    result_ = test::sg_io(unit, store, header_);
  }
  std::vector<std::string> differences(const Expectation& expected, const Bytes& sense) const override {
    Complaints complaints;
    complaints.unless(result_ == 0, "SG_IO says " + std::to_string(result_));
    complaints.status(header_.status, expected);
    const std::size_t given = std::min(sense.size(), sense_.size());
    Bytes wanted(sense_.size(), untouched);
    std::copy_n(sense.begin(), given, wanted.begin());
    complaints.bytes(sense_, wanted, "the memory for sense data");
    complaints.unless(header_.sb_len_wr == given,
                      "the length of the sense data is " + std::to_string(header_.sb_len_wr));
    complaints.unless(header_.driver_status == (given > 0 ? 8 : 0),
                      "driver_status is " + std::to_string(header_.driver_status));
    const bool in = direction_ == SG_DXFER_FROM_DEV || direction_ == SG_DXFER_TO_FROM_DEV;
    const std::size_t valid = !in ? 0 : expected.data_in ? expected.data_in->size() : before_.size();
    const int residual = in ? static_cast<int>(before_.size() - valid) : 0;
    complaints.unless(header_.resid == residual, "the residual is " + std::to_string(header_.resid) +
                                                     ", expected " + std::to_string(residual));
    Bytes memory = before_;
    if (in) {
      const Bytes area = answered(area_, expected);
      std::copy_n(area.begin(), valid, memory.begin());
    }
    complaints.bytes(memory_.whole(), memory, "the memory");
    return complaints.take();
  }

 private:
  static int direction_of(const Shot& shot, Random& random) {
    const Entry* entry = entry_of(shot.cdb);
    if (random.one_in(12)) {
      return random.one_of(
          std::array{SG_DXFER_NONE, SG_DXFER_TO_DEV, SG_DXFER_FROM_DEV, SG_DXFER_TO_FROM_DEV});
    }
    return entry != nullptr && entry->data_out ? SG_DXFER_TO_DEV : SG_DXFER_FROM_DEV;
  }
  static Bytes area_of(int direction, const Bytes& memory) {
    constexpr u8 stale = 0xee;
    if (direction == SG_DXFER_NONE) return {};
    const bool out = direction == SG_DXFER_TO_DEV || direction == SG_DXFER_TO_FROM_DEV;
    return out ? memory : Bytes(memory.size(), stale);
  }

  Bytes cdb_;
  const Bytes before_;
  Pieces memory_;
  const int direction_;
  const Bytes area_;
  Bytes sense_;
  sg_io_hdr header_{};
  int result_ = 0;
};

}  // namespace

std::unique_ptr<Way> some_way(const Shot& shot, Random& random) {
  if (random.one_in(3)) return std::make_unique<SgIo>(shot, random);
  return std::make_unique<Direct>(shot, random);
}

}  // namespace tcmufs::model
