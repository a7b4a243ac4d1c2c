#include <algorithm>
#include <cstddef>
#include <iterator>
#include <nlohmann/json.hpp>

#include "mountctl/description_tree.h"
#include "sys/error.h"

namespace tcmufs::mountctl {

namespace {

using Json = nlohmann::ordered_json;

/// Walks over text and counts its lines: the parser tells no places.
class Walk {
 public:
  using iterator_category = std::input_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char*;
  using reference = const char&;

  Walk(const char* at, unsigned& line) : at_(at), line_(&line) {}
  reference operator*() const { return *at_; }
  Walk& operator++() {
    if (*at_++ == '\n') ++*line_;
    return *this;
  }
  bool operator==(const Walk& other) const { return at_ == other.at_; }

 private:
  const char* at_;
  unsigned* line_;
};

/// Takes the parser's events. What stands in an array is passed over.
class Builder : public nlohmann::json_sax<Json> {
 public:
  Builder(std::string shown, const unsigned& line) : shown_(std::move(shown)), line_(line) {}

  Node take() { return std::move(root_); }

  bool null() override { return value(Node::Type::other, "null"); }
  bool boolean(bool value_given) override { return value(Node::Type::boolean, value_given ? "1" : "0"); }
  bool number_integer(number_integer_t number) override {
    return value(Node::Type::integer, std::to_string(number));
  }
  bool number_unsigned(number_unsigned_t number) override {
    return value(Node::Type::integer, std::to_string(number));
  }
  bool number_float(number_float_t, const string_t&) override {
    return value(Node::Type::other, "a number with a fraction");
  }
  bool string(string_t& text) override { return value(Node::Type::text, text); }
  bool binary(binary_t&) override { return value(Node::Type::other, "binary"); }

  bool start_object(std::size_t) override {
    if (arrays_ > 0) return ++arrays_ > 0;
    Node& node = next();
    node.type = Node::Type::table;
    open_.push_back(&node);
    return true;
  }
  bool key(string_t& name) override {
    if (arrays_ > 0) return true;
    const auto& members = open_.back()->members;
    if (std::ranges::find(members, name, &Node::key) != members.end()) {
      refuse_line(shown_, line_, tcmufs::quoted(name) + " is there twice");
    }
    key_ = name;
    key_line_ = line_;
    return true;
  }
  bool end_object() override {
    if (arrays_ > 0) return --arrays_ > 0;
    open_.pop_back();
    return true;
  }
  bool start_array(std::size_t) override {
    if (arrays_ == 0) value(Node::Type::other, "an array");
    ++arrays_;
    return true;
  }
  bool end_array() override {
    --arrays_;
    return true;
  }
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    // "[json.exception.parse_error.101] parse error at line 3, column 1: WHAT"
    const std::string what = error.what();
    const auto place = what.find(" line ");
    const auto colon = what.find(": ");
    if (place == std::string::npos || colon == std::string::npos) refuse_line(shown_, line_, what);
    refuse_line(shown_, static_cast<unsigned>(std::stoul(what.substr(place + 6))), what.substr(colon + 2));
  }

 private:
  Node& next() {
    if (open_.empty()) {
      root_.line = line_;
      return root_;
    }
    Node& node = open_.back()->members.emplace_back();
    node.key = key_;
    node.line = key_line_;
    return node;
  }
  bool value(Node::Type type, const std::string& text) {
    if (arrays_ > 0) return true;
    Node& node = next();
    node.type = type;
    node.text = text;
    return true;
  }

  std::string shown_;
  const unsigned& line_;
  Node root_;
  std::vector<Node*> open_;  // tables, the innermost last; nothing is added beside one that is open
  std::size_t arrays_ = 0;   // and what is in them
  std::string key_;
  unsigned key_line_ = 0;
};

}  // namespace

Node parse_json(const std::string& text, const std::string& shown) {
  unsigned line = 1;
  Builder builder(shown, line);
  Json::sax_parse(Walk(text.data(), line), Walk(text.data() + text.size(), line), &builder);
  return builder.take();
}

}  // namespace tcmufs::mountctl
