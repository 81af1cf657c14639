#include "config/options.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <stdexcept>

#include "config/yaml.h"

namespace goneuron::config {

bool read_integer(const std::string& text, i64& out) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  return error == std::errc() && stop == end;
}

bool read_number(const std::string& text, double& out) {
  const char* end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, out);
  return error == std::errc() && stop == end && std::isfinite(out);
}

Named named(const Value& value) {
  if (value.is_scalar()) return {&value, value.text, nullptr};
  if (value.is_map() && value.items.size() == 1) {
    const Value& argument = value.items[0];
    return {&value, argument.key, argument.form == Value::Form::nothing ? nullptr : &argument};
  }
  return {&value, "", nullptr};
}

Options options_of(const Table& table, const Value& value, const Context& context) {
  const Named object = named(value);
  const Kind* kind = find_kind(table, object.text);
  if (kind == nullptr) throw std::logic_error("a config that was not checked");
  return {*kind, table.common, object.argument, value, context};
}

const Option& Options::option(const char* key) const {
  const Option* found = find_option(kind_->options, key);
  if (found == nullptr) found = find_option(common_, key);
  if (found == nullptr)
    throw std::logic_error(std::string(kind_->name) + " has no row for \"" + key + "\"");
  return *found;
}

const Value* Options::find(const char* key) const {
  option(key);
  if (argument_ == nullptr) return nullptr;
  if (argument_->is_map()) {
    const Value* found = argument_->find(key);
    if (found != nullptr || kind_->options.empty() || argument_->items.empty()) return found;
    // An object as the only option: Activate: {leaky_relu: 0.2}.
    const bool keys =
        std::any_of(argument_->items.begin(), argument_->items.end(), [&](const Value& item) {
          return find_option(kind_->options, item.key) || find_option(common_, item.key);
        });
    return !keys && kind_->options[0].key == std::string(key) ? argument_ : nullptr;
  }
  return !kind_->options.empty() && kind_->options[0].key == std::string(key) ? argument_ : nullptr;
}

Value Options::value(const char* key) const {
  if (const Value* found = find(key)) return *found;
  const std::string text = option(key).fallback;
  const bool flow = !text.empty() && (text[0] == '[' || text[0] == '{');
  Value value = flow ? read_yaml(text, key) : scalar(text);
  value.file = place_->file, value.line = place_->line, value.column = place_->column;
  return value;
}

bool Options::boolean(const char* key) const { return value(key).text == "true"; }

i64 Options::integer(const char* key) const {
  i64 out = 0;
  read_integer(value(key).text, out);
  return out;
}

double Options::number(const char* key) const {
  double out = 0;
  read_number(value(key).text, out);
  return out;
}

std::string Options::text(const char* key) const { return value(key).text; }

int Options::choice(const char* key) const {
  const std::string wanted = value(key).text;
  const Names names = option(key).names;
  for (size_t i = 0; i < names.size(); ++i)
    if (same_name(names[i], wanted)) return static_cast<int>(i);
  return 0;
}

std::vector<i64> Options::integers(const char* key) const {
  const Value list = value(key);
  std::vector<i64> all;
  for (const Value& item : list.items) read_integer(item.text, all.emplace_back());
  if (list.is_scalar()) read_integer(list.text, all.emplace_back());
  return all;
}

std::vector<double> Options::numbers(const char* key) const {
  const Value list = value(key);
  std::vector<double> all;
  for (const Value& item : list.items) read_number(item.text, all.emplace_back());
  return all;
}

std::vector<std::string> Options::texts(const char* key) const {
  const Value list = value(key);
  std::vector<std::string> all;
  for (const Value& item : list.items) all.push_back(item.text);
  if (list.is_scalar() && !list.text.empty()) all.push_back(list.text);
  return all;
}

Options Options::section(const char* key) const {
  const Value* found = find(key);
  return {*option(key).section, {}, found, found != nullptr ? *found : *place_, *context_};
}

bool Options::none(const char* key) const {
  const Value given = value(key);
  return given.is_scalar() && given.text == "none";
}

}  // namespace goneuron::config
