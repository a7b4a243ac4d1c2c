#include "lio/registrations.h"

#include <algorithm>
#include <charconv>
#include <limits>
#include <map>
#include <optional>

#include "sys/error.h"

namespace tcmufs::lio {

namespace {

constexpr std::size_t longest_port_name = 255;  // PR_APTPL_MAX_IPORT_LEN, PR_APTPL_MAX_TPORT_LEN less the NUL
constexpr std::size_t longest_sid = 15;         // PR_REG_ISID_LEN less the NUL
constexpr u64 types[] = {1, 3, 5, 6, 7, 8};
constexpr std::string_view start_of_registration = "PR_REG_START:";
constexpr std::string_view end_of_registration = "PR_REG_END:";
constexpr std::string_view none_at_all = "No Registrations or Reservations";

/// A reason why a registration cannot be used.
struct Unfit {
  std::string reason;
};

/// The lines of one registration, name and value.
class Fields {
 public:
  void add(const std::string& name, const std::string& value) {
    if (!values_.emplace(name, value).second) throw Unfit{"has " + quoted(name) + " twice"};
  }

  // The kernel splits what it is given at commas and newlines, without a way to quote them.
  std::string text(const std::string& name, std::size_t longest) const {
    std::string value = optional(name).value_or("");
    const bool fits = std::all_of(value.begin(), value.end(),
                                  [](unsigned char c) { return c >= 0x20 && c != 0x7f && c != ','; });
    if (value.empty()) throw Unfit{"has no " + quoted(name)};
    if (!fits || value.size() > longest) throw Unfit{"has the " + quoted(name) + " " + quoted(value)};
    return value;
  }
  std::string text_if_there(const std::string& name, std::size_t longest) const {
    return values_.contains(name) ? text(name, longest) : "";
  }

  u64 number(const std::string& name, u64 largest, int base = 10) const {
    const std::string value = optional(name).value_or("");
    u64 number = 0;
    const char* end = value.data() + value.size();
    const auto [rest, error] = std::from_chars(value.data(), end, number, base);
    if (value.empty()) throw Unfit{"has no " + quoted(name)};
    if (error != std::errc() || rest != end || number > largest) {
      throw Unfit{"has the " + quoted(name) + " " + quoted(value)};
    }
    return number;
  }
  u64 number_if_there(const std::string& name, u64 largest, int base = 10) const {
    return values_.contains(name) ? number(name, largest, base) : 0;
  }

 private:
  std::optional<std::string> optional(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::nullopt : std::optional(found->second);
  }

  std::map<std::string, std::string> values_;
};

Registration registration_of(const Fields& fields) {
  constexpr u64 any = std::numeric_limits<u64>::max();
  Registration result;
  result.initiator_fabric = fields.text_if_there("initiator_fabric", longest_port_name);
  result.initiator_node = fields.text("initiator_node", longest_port_name);
  result.initiator_sid = fields.text_if_there("initiator_sid", longest_sid);
  result.key = fields.number("sa_res_key", any);
  result.holder = fields.number_if_there("res_holder", 1) == 1;
  result.type = fields.number_if_there("res_type", 0xf, 16);
  fields.number_if_there("res_scope", 0, 16);  // LU_SCOPE is the only one (SPC-4 6.15.3.3)
  result.all_target_ports = fields.number_if_there("res_all_tg_pt", 1) == 1;
  result.mapped_lun = fields.number("mapped_lun", any);
  result.target_fabric = fields.text_if_there("target_fabric", longest_port_name);
  result.target_node = fields.text("target_node", longest_port_name);
  result.tpgt = fields.number("tpgt", 0xffff);
  result.port_rtpi = fields.number_if_there("port_rtpi", 0xffff);
  result.target_lun = fields.number("target_lun", any);
  if (result.key == 0) throw Unfit{"has the key 0"};
  if (result.holder && std::find(std::begin(types), std::end(types), result.type) == std::end(types)) {
    throw Unfit{"holds a reservation of the type " + std::to_string(result.type)};
  }
  return result;
}

void add_if_it_fits(ParsedRegistrations& parsed, Registration&& registration) {
  for (const Registration& other : parsed.registrations) {
    if (other.same_nexus(registration)) throw Unfit{"is of the same nexus as another"};
    if (other.holder && registration.holder) throw Unfit{"holds the reservation, as another does"};
  }
  parsed.registrations.push_back(std::move(registration));
}

/// Takes the lines one by one.
class Parser {
 public:
  void take(const std::string& line) {
    ++line_;
    try {
      if (line.starts_with(start_of_registration)) return begin();
      if (line.starts_with(end_of_registration)) return end();
      if (fields_) return take_field(line);
      if (!line.empty() && line != none_at_all && !unfit_) complain("no registration begins there");
    } catch (const Unfit& unfit) {
      give_up(unfit.reason);
    }
  }

  ParsedRegistrations finish() {
    if (fields_) give_up("ends in the middle");
    if (line_ == 0) parsed_.problems.emplace_back("it is empty");
    return std::move(parsed_);
  }

 private:
  void begin() {
    if (fields_) give_up("does not end");
    fields_.emplace();
    unfit_ = false;
    begins_ = line_;
  }
  void end() {
    if (!fields_) {
      if (!unfit_) complain("a registration ends that did not begin");
      unfit_ = false;
      return;
    }
    add_if_it_fits(parsed_, registration_of(*fields_));
    fields_.reset();
  }
  void take_field(const std::string& line) {
    const auto equals = line.find('=');
    if (equals == std::string::npos) throw Unfit{"has the line " + quoted(line.substr(0, longest_port_name))};
    fields_->add(line.substr(0, equals), line.substr(equals + 1));
  }
  // What follows of the registration is passed over.
  void give_up(const std::string& reason) {
    fields_.reset();
    unfit_ = true;
    parsed_.problems.push_back("the registration in line " + std::to_string(begins_) + " " + reason);
  }
  void complain(const std::string& what) {
    parsed_.problems.push_back("line " + std::to_string(line_) + ": " + what);
  }

  ParsedRegistrations parsed_;
  std::optional<Fields> fields_;  // of the registration that has begun
  bool unfit_ = false;            // the rest of one that cannot be used is being passed over
  std::size_t begins_ = 0;
  std::size_t line_ = 0;
};

}  // namespace

std::string Registration::metadata() const {
  std::string text = "initiator_node=" + initiator_node;
  const auto add = [&text](const std::string& name, const std::string& value) {
    if (!value.empty()) text += "," + name + "=" + value;
  };
  add("initiator_fabric", initiator_fabric);
  add("initiator_sid", initiator_sid);
  add("sa_res_key", std::to_string(key));
  add("res_holder", holder ? "1" : "0");
  if (holder) add("res_type", std::to_string(type));
  if (holder) add("res_scope", "0");
  add("res_all_tg_pt", all_target_ports ? "1" : "0");
  add("mapped_lun", std::to_string(mapped_lun));
  add("target_fabric", target_fabric);
  add("target_node", target_node);
  add("tpgt", std::to_string(tpgt));
  add("port_rtpi", std::to_string(port_rtpi));
  add("target_lun", std::to_string(target_lun));
  return text;
}

bool Registration::same_nexus(const Registration& other) const {
  return initiator_node == other.initiator_node && initiator_sid == other.initiator_sid &&
         target_node == other.target_node && tpgt == other.tpgt && mapped_lun == other.mapped_lun &&
         target_lun == other.target_lun;
}

ParsedRegistrations parse_registrations(std::string_view text) {
  text = text.substr(0, text.find('\0'));  // the kernel writes the end of its string too
  Parser parser;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    parser.take(std::string(text.substr(0, end)));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parser.finish();
}

}  // namespace tcmufs::lio
