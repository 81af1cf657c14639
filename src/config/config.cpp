#include "config/config.h"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "config/check.h"
#include "config/loaded.h"
#include "config/tables.h"
#include "config/write.h"
#include "config/yaml.h"
#include "core/message.h"
#include "io/json_text.h"

namespace goneuron::config {
namespace {

const Context no_context;

[[noreturn]] void fail_path(const std::string& assignment, const std::string& what) {
  throw_format({.where = "--set " + assignment,
                .what = what,
                .hint = "write key=value with the keys of the file joined by dots, and items of a "
                        "list counted from 0: --set fit.epochs=1"});
}

/// What has options under a name: a section, a layer, an optimizer, ...; null where nothing has.
const Kind* kind_named(const std::string& name) {
  const Option* option = find_option(config::root().options, name);
  if (option != nullptr && option->section != nullptr) return option->section;
  for (const Table* table : {&layer_table(), &source_table(), &loss_table(), &metric_table(),
                             &optimizer_table(), &schedule_table(), &callback_table()})
    if (const Kind* kind = find_kind(*table, name)) return kind;
  return nullptr;
}

/// A scalar as a map that can take `key`: `Flatten` as {Flatten: }, `Dropout: 0.5` with its value
/// under the name of its option.
void open_scalar(Value& at, const std::string& key, const std::string& assignment) {
  Value map = map_of({});
  map.file = at.file, map.line = at.line, map.column = at.column;
  map.key = at.key, map.key_line = at.key_line, map.key_column = at.key_column;
  if (same_name(at.text, key)) {
    map.items.push_back(member(key, {}));
  } else {
    const Kind* kind = kind_named(at.key);
    if (kind == nullptr || find_option(kind->options, key) == nullptr)
      fail_path(assignment, "there is " + shown(at.text) + " in the place of " + shown(key));
    map.items.push_back(member(kind->options[0].key, at));
  }
  at = std::move(map);
}

/// The part of `at` that `key` names: a member, an item, or a member that is made.
Value& step_into(Value& at, const std::string& key, const std::string& assignment) {
  if (at.is_list()) {
    i64 index = 0;
    if (!read_integer(key, index) || index < 0 || index >= static_cast<i64>(at.items.size()))
      fail_path(assignment, "there is no item " + shown(key) + " in a list of " +
                                std::to_string(at.items.size()));
    return at.items[static_cast<size_t>(index)];
  }
  if (at.is_scalar()) open_scalar(at, key, assignment);
  at.form = Value::Form::map;
  if (Value* found = at.find(key)) return *found;
  Value& made = at.items.emplace_back(member(key, {}));
  made.file = kept("--set " + assignment.substr(0, assignment.find('=')));
  made.line = made.column = 1;
  return made;
}

}  // namespace

void set_value(Value& root, const std::string& assignment) {
  const size_t equals = assignment.find('=');
  if (equals == std::string::npos || equals == 0)
    fail_path(assignment, "no key=value; expected one");
  Value* at = &root;
  const std::string path = assignment.substr(0, equals);
  for (size_t begin = 0; begin <= path.size();) {
    const size_t dot = std::min(path.find('.', begin), path.size());
    if (dot == begin) fail_path(assignment, "an empty key; expected a name");
    at = &step_into(*at, path.substr(begin, dot - begin), assignment);
    begin = dot + 1;
  }
  Value value = read_yaml(assignment.substr(equals + 1), "--set " + path);
  value.file = kept("--set " + path);
  value.key = at->key;
  value.key_line = 1, value.key_column = 1;
  *at = std::move(value);
}

std::string read_config_file(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(max_bytes + 1, '\0');
  if (file) file.read(text.data(), static_cast<std::streamsize>(text.size()));
  if (!file && file.gcount() == 0 && !file.eof())
    throw_format({.where = path,
                  .what = std::string("cannot read the config: ") + std::strerror(errno),
                  .hint = "goneuron init DATA writes one to begin with"});
  text.resize(static_cast<size_t>(file.gcount()));
  return text;
}

Config::Config(Value root) : root_(std::move(root)) { check(root_); }

Config Config::parse(std::string_view text, const std::string& name,
                     const std::vector<std::string>& overrides) {
  Value root = read_yaml(text, name);
  for (const std::string& assignment : overrides) set_value(root, assignment);
  return Config(std::move(root));
}

Config Config::read(const std::string& path, const std::vector<std::string>& overrides) {
  return parse(read_config_file(path), path, overrides);
}

Options Config::top(const Context& context) const {
  return {config::root(), {}, &root_, root_, context};
}

Options Config::section(const char* key) const { return top(no_context).section(key); }

bool Config::names_callback(const char* name) const {
  const Value list = top(no_context).value("callbacks");
  for (const Value& item : list.items)
    if (same_name(named(item).text, name)) return true;
  return false;
}

std::string Config::text() const { return config_text(root_); }

}  // namespace goneuron::config
