#include "config/value.h"

#include <mutex>
#include <set>

#include "core/message.h"

namespace goneuron::config {

const Value* Value::find(std::string_view name) const {
  for (const Value& item : items)
    if (item.key == name) return &item;
  return nullptr;
}

Value scalar(const std::string& text) {
  Value value;
  value.form = Value::Form::scalar;
  value.text = text;
  return value;
}

Value member(const std::string& key, Value value) {
  value.key = key;
  return value;
}

Value map_of(std::vector<Value> members) {
  Value value;
  value.form = Value::Form::map;
  value.items = std::move(members);
  return value;
}

Value list_of(std::vector<Value> items) {
  Value value;
  value.form = Value::Form::list;
  value.items = std::move(items);
  return value;
}

const char* kept(const std::string& text) {
  static std::mutex mutex;
  static std::set<std::string> all;
  const std::lock_guard lock(mutex);
  return all.insert(text).first->c_str();
}

namespace {
[[noreturn]] void fail(const Value& at, int line, int column, const std::string& what,
                       const Lines& lines, const std::string& hint) {
  std::string where = at.file;
  if (line > 0) where += ":" + std::to_string(line) + ":" + std::to_string(column);
  throw_format({.where = where, .what = what, .lines = lines, .hint = hint});
}
}  // namespace

void fail_at(const Value& at, const std::string& what, const Lines& lines,
             const std::string& hint) {
  if (at.form == Value::Form::nothing && at.key_line > 0)  // where nothing is, is what follows
    fail_at_key(at, what, lines, hint);
  fail(at, at.line, at.column, what, lines, hint);
}

void fail_at_key(const Value& at, const std::string& what, const Lines& lines,
                 const std::string& hint) {
  fail(at, at.key_line, at.key_column, what, lines, hint);
}

}  // namespace goneuron::config
