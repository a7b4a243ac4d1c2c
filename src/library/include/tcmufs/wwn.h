#pragma once

#include <tcmufs/export.h>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

TCMUFS_BEGIN

/// A world wide name as the Network Address Authority makes them (SPC-4, NAA designator), as
/// "naa.6001405...".
class TCMUFS_API Wwn {
 public:
  /// NAA 5, 8 bytes: the vendor's OUI (6 hexadecimal digits), then its own number of the device (9, or 8 with
  /// a 0 before them). Throws Error (EINVAL) for anything else, like the other ones.
  static Wwn naa5(std::string_view oui, std::string_view vendor_id);
  /// NAA 6, 16 bytes: the same, then the extension of that number (16 hexadecimal digits).
  static Wwn naa6(std::string_view oui, std::string_view vendor_id, std::string_view extension);
  /// NAA 6 with the OUI of Linux' own targets, 001405, and 25 digits that follow from `serial`: the same for
  /// the same text, on every machine.
  static Wwn of_serial(std::string_view serial);
  /// From text().
  static Wwn parse(std::string_view text);

  /// "naa." and 16 or 32 hexadecimal digits, lower case.
  std::string text() const { return "naa." + digits_; }
  /// 5 or 6.
  int authority() const { return digits_.front() - '0'; }

  bool operator==(const Wwn&) const = default;

 private:
  explicit Wwn(std::string digits) : digits_(std::move(digits)) {}

  std::string digits_;
};

/// Nine hexadecimal digits that follow from a text: a vendor's number for those who count by names.
TCMUFS_API std::string generate_serial(std::string_view text);

TCMUFS_END
