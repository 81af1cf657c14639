#include "config/check.h"

#include <algorithm>
#include <cmath>

#include "config/options.h"
#include "core/message.h"
#include "io/json_text.h"

namespace goneuron::config {
namespace {

std::string found_text(const Value& value) {
  switch (value.form) {
    case Value::Form::nothing:
      return "empty";
    case Value::Form::list:
      return "a list";
    case Value::Form::map:
      return "keys and values";
    case Value::Form::scalar: {
      double number = 0;
      return !value.quoted && read_number(value.text, number) && value.text.size() < 40
                 ? value.text
                 : shown(value.text);
    }
  }
  return "";
}

std::string path(const std::string& owner, const Option& option) {
  return owner.empty() ? option.key : owner + "." + option.key;
}

Lines meaning_of(const Option& option) {
  Lines lines = {{"meaning", option.meaning}};
  if (option.fallback != nullptr && *option.fallback != 0)
    lines.emplace_back("default", option.fallback);
  return lines;
}

std::string try_this(const Option& option) {
  return std::string("for example: ") + option.key + ": " + option.example;
}

[[noreturn]] void fail_type(const Value& value, const Option& option, const std::string& owner,
                            const std::string& hint = "") {
  fail_at(value,
          path(owner, option) + " is " + found_text(value) + "; expected " + expected_text(option),
          meaning_of(option), hint.empty() ? try_this(option) : hint);
}

void check_bounds(double number, const Value& value, const Option& option,
                  const std::string& owner) {
  const Bounds& b = option.bounds;
  if (number < b.low || number > b.high || (b.open_low && number == b.low) ||
      (b.open_high && number == b.high))
    fail_type(value, option, owner);
}

bool is_integer(const Value& value, i64& out) {
  return value.is_scalar() && !value.quoted && read_integer(value.text, out);
}

void check_number(const Value& value, const Option& option, const std::string& owner) {
  i64 whole = 0;
  double real = 0;
  const bool integer =
      option.type != Type::number && option.type != Type::numbers && option.type != Type::rate;
  if (integer ? is_integer(value, whole)
              : value.is_scalar() && !value.quoted && read_number(value.text, real))
    return check_bounds(integer ? static_cast<double>(whole) : real, value, option, owner);
  if (value.quoted && read_number(value.text, real))
    fail_type(value, option, owner, "take the quotes away: in quotes it is a text");
  fail_type(value, option, owner);
}

void check_list(const Value& value, const Option& option, const std::string& owner) {
  if (value.is_scalar() && option.type == Type::texts) return;
  if (!value.is_list()) fail_type(value, option, owner);
  for (const Value& item : value.items) {
    if (option.type != Type::texts)
      check_number(item, option, owner);
    else if (!item.is_scalar())
      fail_type(item, option, owner);
  }
}

void check_size(const Value& value, const Option& option, const std::string& owner) {
  if (!value.is_list()) return check_number(value, option, owner);
  if (value.items.size() != 2) fail_type(value, option, owner);
  for (const Value& item : value.items) check_number(item, option, owner);
}

void check_choice(const Value& value, const Option& option, const std::string& owner) {
  std::vector<std::string> names(option.names.begin(), option.names.end());
  if (!value.is_scalar()) fail_type(value, option, owner);
  for (const std::string& name : names)
    if (same_name(name, value.text)) return;
  const std::string near = nearest(value.text, names);
  fail_type(value, option, owner, near.empty() ? "" : "did you mean \"" + near + "\"?");
}

std::vector<std::string> keys_of(std::span<const Option> options, std::span<const Option> common) {
  std::vector<std::string> keys;
  for (const Option& option : options) keys.emplace_back(option.key);
  for (const Option& option : common) keys.emplace_back(option.key);
  return keys;
}

/// The members of `value` against the options of `kind`.
void check_members(const Value& value, const Kind& kind, std::span<const Option> common,
                   const std::string& owner) {
  const std::string of = owner.empty() ? "" : " in \"" + owner + "\"";
  for (const Value& member : value.items) {
    const Option* option = find_option(kind.options, member.key);
    if (option == nullptr) option = find_option(common, member.key);
    if (option == nullptr) {
      const auto keys = keys_of(kind.options, common);
      const std::string near = nearest(member.key, keys);
      const Option* meant = find_option(kind.options, near);
      if (meant == nullptr) meant = find_option(common, near);
      fail_at_key(member,
                  "there is no key " + shown(member.key) + of + "; expected one of those below",
                  {{"keys", quoted_list(keys)}},
                  meant != nullptr ? "did you mean \"" + near + "\" (" + meant->meaning + ")?"
                                   : "take it out");
    }
    check_option(member, *option, owner);
  }
}

void check_missing(const Value& at, const Value* argument, const Kind& kind,
                   const std::string& owner) {
  for (const Option& option : kind.options) {
    if (option.fallback != nullptr) continue;
    const bool first = &option == kind.options.data();
    const bool has =
        argument != nullptr && (argument->is_map() ? argument->find(option.key) != nullptr : first);
    if (has) continue;
    const std::string what = (owner.empty() ? "the config" : "\"" + owner + "\"") +
                             std::string(" has no key \"") + option.key + "\"; expected " +
                             expected_text(option);
    fail_at(at, what, meaning_of(option),
            "add it, for example: " + std::string(option.key) + ": " + option.example);
  }
}

/// What stands behind a name: nothing, its keys, or its first option alone.
void check_argument(const Value& at, const Value* argument, const Kind& kind,
                    std::span<const Option> common, const std::string& owner) {
  if (argument != nullptr && !argument->is_map()) {
    if (kind.options.empty())
      fail_at(*argument,
              "\"" + owner + "\" is given " + found_text(*argument) +
                  "; expected nothing, it has no options of its own",
              {{"meaning", kind.meaning}}, std::string("write ") + kind.name + " alone");
    return check_missing(at, argument, kind, owner),
           check_option(*argument, kind.options[0], owner);
  }
  if (argument != nullptr) {
    // An object as the first option: Activate: {leaky_relu: 0.2}.
    const bool object = !kind.options.empty() && kind.options[0].type == Type::object &&
                        argument->items.size() == 1 &&
                        find_option(kind.options, argument->items[0].key) == nullptr &&
                        find_kind(kind.options[0].table(), argument->items[0].key) != nullptr;
    if (object) return check_option(*argument, kind.options[0], owner);
    check_members(*argument, kind, common, owner);
  }
  check_missing(at, argument, kind, owner);
}

void check_object(const Value& value, const Option& option, const std::string& owner) {
  const Table& table = option.table();
  const Named object = named(value);
  const bool may_be_none = option.fallback != nullptr && std::string(option.fallback) == "none";
  if (may_be_none && value.is_scalar() && value.text == "none") return;
  const std::string what = table.what;
  if (object.text.empty()) {
    if (value.is_map() && value.items.size() > 1)
      fail_at_key(value.items[1],
                  "the key " + shown(value.items[1].key) + " beside " + shown(value.items[0].key) +
                      "; expected one " + what + ", with its options below it",
                  {},
                  "indent the options of " + shown(value.items[0].key) +
                      " further, or write {key: value, ..} behind it");
    fail_type(value, option, owner);
  }
  const Kind* kind = find_kind(table, object.text);
  if (kind == nullptr) {
    std::vector<std::string> names;
    for (const Kind* known : table.kinds) names.emplace_back(known->name);
    const std::string near = nearest(object.text, names);
    const Kind* meant = near.empty() ? nullptr : find_kind(table, near);
    const std::string text =
        "there is no " + what + " " + shown(object.text) + "; expected one of those below";
    const Lines lines = {{table.plural, quoted_list(names)}};
    const std::string hint = meant != nullptr
                                 ? "did you mean \"" + near + "\" (" + meant->meaning + ")?"
                                 : try_this(option);
    value.is_map() ? fail_at_key(value.items[0], text, lines, hint)
                   : fail_at(value, text, lines, hint);
  }
  check_argument(value.is_map() ? value.items[0] : value, object.argument, *kind, table.common,
                 kind->name);
}

}  // namespace

void check_option(const Value& value, const Option& option, const std::string& owner) {
  switch (option.type) {
    case Type::boolean:
      if (!value.is_scalar() || value.quoted || (value.text != "true" && value.text != "false"))
        fail_type(value, option, owner);
      return;
    case Type::integer:
    case Type::number:
      return check_number(value, option, owner);
    case Type::text:
      if (!value.is_scalar()) fail_type(value, option, owner);
      return;
    case Type::choice:
      return check_choice(value, option, owner);
    case Type::size:
      return check_size(value, option, owner);
    case Type::padding:
      if (value.is_scalar() && (value.text == "same" || value.text == "valid")) return;
      return check_number(value, option, owner);
    case Type::integers:
    case Type::numbers:
    case Type::texts:
      return check_list(value, option, owner);
    case Type::object:
      return check_object(value, option, owner);
    case Type::objects:
      if (!value.is_list()) fail_type(value, option, owner);
      for (const Value& item : value.items) check_object(item, option, owner);
      return;
    case Type::rate:
      if (value.is_map() || (value.is_scalar() && find_kind(option.table(), value.text)))
        return check_object(value, option, owner);
      return check_number(value, option, owner);
    case Type::section: {
      if (value.form == Value::Form::nothing) return;
      return check_argument(value, &value, *option.section, {}, option.key);
    }
  }
}

void check(const Value& root_value) {
  if (!root_value.is_map())
    fail_at(root_value, "the config is " + found_text(root_value) + "; expected keys and values",
            {}, "goneuron init DATA writes one to begin with");
  check_members(root_value, root(), {}, "");
  check_missing(root_value, &root_value, root(), "");
}

}  // namespace goneuron::config
