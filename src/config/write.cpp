#include "config/write.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "config/options.h"
#include "config/yaml.h"
#include "goneuron/error.h"

namespace goneuron::config {
namespace {

/// True for text that YAML might take for something else.
bool needs_quotes(const std::string& text) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 ||
           (static_cast<unsigned char>(c) & 0x80) != 0 ||
           std::string_view("_./+-=").find(c) != std::string_view::npos;
  };
  if (text.empty() || !std::all_of(text.begin(), text.end(), plain)) return true;
  if (text[0] == '=' || (text[0] == '-' && (text.size() == 1 || text[1] == '-'))) return true;
  for (const char* other : {"null", "Null", "NULL", "..."})
    if (text == other) return true;
  return false;
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') out += '\\';
    out += byte < 0x20 || byte == 0x7F ? fmt::format("\\x{:02x}", byte) : std::string(1, c);
  }
  return out + "\"";
}

constexpr size_t comment_column = 44, page_width = 100;

class Writer {
 public:
  std::string take() { return std::move(text_); }

  void root(const Value& value) {
    for (const Value& item : value.items) {
      const Option* option = find_option(config::root().options, item.key);
      if (option == nullptr) continue;
      if (!text_.empty()) text_ += "\n";
      key(item, *option, "");
    }
  }

 private:
  /// `front`, then the comment in its column, on lines of its own where it is long.
  void line(const std::string& front, const std::string& comment) {
    text_ += front;
    if (!comment.empty()) {
      const size_t column = std::max(comment_column, front.size() + 2);
      text_ += std::string(column - front.size(), ' ') + "#";
      for (size_t i = 0, at = column + 1; i < comment.size();) {
        const size_t end = std::min(comment.find(' ', i), comment.size());
        if (at + 1 + end - i > page_width) {
          text_ += "\n" + std::string(comment_column, ' ') + "#";
          at = comment_column + 1;
        }
        text_ += " " + comment.substr(i, end - i);
        at += 1 + end - i;
        i = end + 1;
      }
    }
    text_ += "\n";
  }

  static std::string comment_of(const Option& option) {
    std::string text = option.meaning;
    if (option.type == Type::choice) text += " (" + expected_text(option) + ")";
    return text;
  }

  void key(const Value& item, const Option& option, const std::string& indent) {
    const std::string front = indent + item.key + ":";
    switch (option.type) {
      case Type::section:
        if (!item.is_map()) return line(front + " " + flow_text(item), option.meaning);
        line(front, option.meaning);
        return members(item, option.section->options, {}, indent + "  ");
      case Type::object:
      case Type::rate:
        return object(item, option, indent, front);
      case Type::objects:
        if (item.items.empty()) return line(front + " []", option.meaning);
        line(front, option.meaning);
        for (const Value& one : item.items) listed(one, option, indent + "  ");
        return;
      default:
        line(front + " " + flow_text(item), comment_of(option));
    }
  }

  void members(const Value& value, std::span<const Option> options, std::span<const Option> common,
               const std::string& indent) {
    for (const Value& item : value.items) {
      const Option* option = find_option(options, item.key);
      if (option == nullptr) option = find_option(common, item.key);
      if (option != nullptr) key(item, *option, indent);
    }
  }

  /// Written as a name with no options, `{adamw: {}}` or `{adamw: ~}`: the name says it.
  static bool bare(const Value& item, const Named& name) {
    return !item.is_scalar() &&
           (name.argument == nullptr || (name.argument->is_map() && name.argument->items.empty()));
  }

  /// A name alone on the key's line; with options below it.
  void object(const Value& item, const Option& option, const std::string& indent,
              const std::string& front) {
    const Named name = named(item);
    const Kind* kind = find_kind(option.table(), name.text);
    if (kind != nullptr && bare(item, name)) return line(front + " " + kind->name, option.meaning);
    if (kind == nullptr || name.argument == nullptr || !name.argument->is_map())
      return line(front + " " + flow_text(item), option.meaning);
    line(front, option.meaning);
    line(indent + "  " + kind->name + ":", kind->meaning);
    members(*name.argument, kind->options, option.table().common, indent + "    ");
  }

  /// An item on one line where all of its keys have been explained further up, else a key a line.
  void listed(const Value& item, const Option& option, const std::string& indent) {
    const Named name = named(item);
    const Kind* kind = find_kind(option.table(), name.text);
    const bool alone = kind != nullptr && bare(item, name);
    const bool options =
        kind != nullptr && !alone && name.argument != nullptr && name.argument->is_map();
    bool explained = kind == nullptr || !explain(kind->name, "");
    if (options)
      for (const Value& one : name.argument->items)
        explained = !explain(kind->name, one.key) && explained;
    const std::string comment = explained ? "" : kind->meaning;
    std::string front = indent + "- ";
    if (alone)
      front += kind->name;
    else if (item.is_map() && item.items.size() == 1)
      // However it was spelt: when read again it has the same length, and so the same lines.
      front += (kind ? kind->name : item.items[0].key) + ": " + flow_text(item.items[0]);
    else
      front += flow_text(item);
    if (options && (!explained || front.size() > page_width) &&
        !object_option(*name.argument, *kind)) {
      line(indent + "- " + kind->name + ":", comment);
      return members(*name.argument, kind->options, option.table().common, indent + "    ");
    }
    const bool shorthand = !options && !alone && name.argument != nullptr && !kind->options.empty();
    line(front, comment.empty() || !shorthand
                    ? comment
                    : comment + "; " + kind->options[0].key + ": " + kind->options[0].meaning);
  }

  /// True where what stands behind the name is its first option, an object.
  static bool object_option(const Value& argument, const Kind& kind) {
    for (const Value& item : argument.items)
      if (find_option(kind.options, item.key) != nullptr) return false;
    return !kind.options.empty() && kind.options[0].type == Type::object;
  }

  /// True the first time.
  bool explain(const std::string& kind, const std::string& key) {
    return explained_.insert(kind + "." + key).second;
  }

  std::string text_;
  std::set<std::string> explained_;  // "Dense.units"
};

}  // namespace

std::string flow_text(const Value& value) {
  std::string text;
  switch (value.form) {
    case Value::Form::nothing:
      return "";
    case Value::Form::scalar:
      return value.quoted || needs_quotes(value.text) ? quoted(value.text) : value.text;
    case Value::Form::list:
      for (const Value& item : value.items) text += (text.empty() ? "" : ", ") + flow_text(item);
      return "[" + text + "]";
    case Value::Form::map:
      for (const Value& item : value.items) {
        const std::string inside = flow_text(item);
        text += (text.empty() ? "" : ", ") + item.key + ": " + (inside.empty() ? "~" : inside);
      }
      return "{" + text + "}";
  }
  return text;
}

std::string config_text(const Value& root_value) {
  Writer writer;
  writer.root(root_value);
  std::string text = writer.take();
  try {
    check_size_and_depth(text, "");
    return text;
  } catch (const FormatError&) {  // with comments it is longer than a config may be
    text.clear();
    for (const Value& item : root_value.items) text += item.key + ": " + flow_text(item) + "\n";
    return text;
  }
}

}  // namespace goneuron::config
