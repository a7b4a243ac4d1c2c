#include <toml++/toml.h>

#include <algorithm>
#include <string_view>

#include "mountctl/description_tree.h"

namespace tcmufs::mountctl {

namespace {

std::string name_of(toml::node_type type) {
  switch (type) {
    case toml::node_type::array:
      return "an array";
    case toml::node_type::floating_point:
      return "a number with a fraction";
    default:
      return "a date or a time";
  }
}

Node node_of(const toml::key& key, const toml::node& value) {
  Node node;
  node.key = key.str();
  node.line = key.source().begin.line;
  if (const toml::table* table = value.as_table()) {
    node.type = Node::Type::table;
    node.members.reserve(table->size());
    for (const auto& [name, member] : *table) node.members.push_back(node_of(name, member));
    std::ranges::stable_sort(node.members, {}, &Node::line);
  } else if (const auto* text = value.as_string()) {
    node.type = Node::Type::text;
    node.text = text->get();
  } else if (const auto* integer = value.as_integer()) {
    node.type = Node::Type::integer;
    node.text = std::to_string(integer->get());
  } else if (const auto* boolean = value.as_boolean()) {
    node.type = Node::Type::boolean;
    node.text = boolean->get() ? "1" : "0";
  } else {
    node.text = name_of(value.type());
  }
  return node;
}

}  // namespace

Node parse_toml(const std::string& text, const std::string& shown) {
  try {
    const toml::table table = toml::parse(std::string_view(text), std::string_view(shown));
    return node_of(toml::key("", toml::source_region{{1, 1}, {1, 1}, nullptr}), table);
  } catch (const toml::parse_error& error) {
    refuse_line(shown, error.source().begin.line, std::string(error.description()));
  }
}

}  // namespace tcmufs::mountctl
