#include "config/schema.h"

#include <algorithm>
#include <cctype>
#include <cmath>

#include "core/edit_distance.h"
#include "core/message.h"

namespace goneuron::config {
namespace {

std::string bare(const std::string& name) {
  std::string out;
  for (const char c : name)
    if (c != '_' && c != '-') out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string range_text(const Bounds& bounds) {
  const bool low = std::isfinite(bounds.low), high = std::isfinite(bounds.high);
  if (low && high)
    return std::string(" in ") + (bounds.open_low ? "(" : "[") + number_text(bounds.low) + ", " +
           number_text(bounds.high) + (bounds.open_high ? ")" : "]");
  if (low) return (bounds.open_low ? " above " : " of at least ") + number_text(bounds.low);
  return high ? (bounds.open_high ? " below " : " of at most ") + number_text(bounds.high) : "";
}

/// "a loss", "an optimizer"
std::string with_article(const std::string& noun) {
  return (std::string("aeiou").find(noun[0]) != std::string::npos ? "an " : "a ") + noun;
}

std::string listed(Names names) {
  std::string text;
  for (const char* name : names) text += (text.empty() ? "" : ", ") + std::string(name);
  return text;
}

}  // namespace

bool same_name(const std::string& a, const std::string& b) { return bare(a) == bare(b); }

std::string nearest(const std::string& wanted, const std::vector<std::string>& names) {
  std::string best;
  const std::string plain = bare(wanted.substr(0, 100));
  size_t least = std::max<size_t>(1, plain.size() / 2);
  for (const std::string& name : names) {
    const std::string other = bare(name);
    // A beginning is as good as a letter: "optim" means "optimizer".
    const bool begins = plain.size() >= 3 && other.rfind(plain, 0) == 0;
    const size_t changes = begins ? 1 : edit_distance(plain, other);
    if (changes < least || (changes == least && best.empty())) best = name, least = changes;
  }
  return best;
}

std::string expected_text(const Option& option) {
  switch (option.type) {
    case Type::boolean:
      return "true or false";
    case Type::integer:
      return "a whole number" + range_text(option.bounds);
    case Type::number:
      return "a number" + range_text(option.bounds);
    case Type::text:
      return "a text";
    case Type::choice:
      return "one of " + listed(option.names);
    case Type::size:
      return "a whole number" + range_text(option.bounds) + ", or [height, width]";
    case Type::padding:
      return "same, valid or a whole number of at least 0";
    case Type::integers:
      return "a list of whole numbers" + range_text(option.bounds);
    case Type::numbers:
      return "a list of numbers" + range_text(option.bounds);
    case Type::texts:
      return "a text, or a list of texts";
    case Type::object:
      return "the name of " + with_article(option.table().what) +
             (option.fallback != nullptr && std::string(option.fallback) == "none" ? ", or none"
                                                                                   : "");
    case Type::objects:
      return std::string("a list of ") + option.table().plural;
    case Type::rate:
      return "a number" + range_text(option.bounds) + ", or a schedule";
    case Type::section:
      return "keys and values";
  }
  return "";
}

const Kind* find_kind(const Table& table, const std::string& name) {
  for (const Kind* kind : table.kinds)
    if (same_name(kind->name, name)) return kind;
  return nullptr;
}

const Option* find_option(std::span<const Option> options, const std::string& key) {
  for (const Option& option : options)
    if (option.key == key) return &option;
  return nullptr;
}

}  // namespace goneuron::config
