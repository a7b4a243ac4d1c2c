#include "tcmufs/wwn.h"

#include <algorithm>
#include <cctype>

#include "device/errors.h"
#include "device/hash.h"

TCMUFS_BEGIN

namespace {

constexpr std::size_t oui_digits = 6;
constexpr std::size_t vendor_digits = 9;
constexpr std::size_t extension_digits = 16;

std::string digits_of(std::string_view text, std::size_t length, const std::string& what) {
  const bool good = text.size() == length && std::all_of(text.begin(), text.end(), [](unsigned char c) {
                      return std::isxdigit(c) != 0;
                    });
  return device::as_error([&] {
    if (!good) {
      throw Failure(EINVAL, what + " of a world wide name cannot be " + quoted(std::string(text)),
                    "Use " + std::to_string(length) + " hexadecimal digits");
    }
    std::string digits(text);
    for (char& c : digits) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    return digits;
  });
}

std::string number_of(std::string_view oui, std::string_view vendor_id) {
  const std::string number =
      vendor_id.size() + 1 == vendor_digits ? "0" + std::string(vendor_id) : std::string(vendor_id);
  return digits_of(oui, oui_digits, "the OUI") + digits_of(number, vendor_digits, "the vendor's number");
}

}  // namespace

Wwn Wwn::naa5(std::string_view oui, std::string_view vendor_id) {
  return Wwn("5" + number_of(oui, vendor_id));
}

Wwn Wwn::naa6(std::string_view oui, std::string_view vendor_id, std::string_view extension) {
  return Wwn("6" + number_of(oui, vendor_id) + digits_of(extension, extension_digits, "the extension"));
}

Wwn Wwn::of_serial(std::string_view serial) {
  return Wwn("6001405" + device::hash_digits(serial).substr(0, vendor_digits + extension_digits));
}

Wwn Wwn::parse(std::string_view text) {
  const std::string_view digits = text.substr(std::min<std::size_t>(text.size(), 4));
  const std::size_t length = digits.starts_with('6') ? 32 : 16;
  const bool good = text.starts_with("naa.") && (digits.starts_with('5') || digits.starts_with('6'));
  return Wwn(digits_of(good ? digits : text, length, "the text"));
}

std::string generate_serial(std::string_view text) {
  return device::hash_digits(text).substr(0, vendor_digits);
}

TCMUFS_END
