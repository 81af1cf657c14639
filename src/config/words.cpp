#include "config/words.h"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <regex>
#include <vector>

#include "config/loaded.h"
#include "config/tables.h"

namespace goneuron::config {
namespace {

/// What a config says in quite another way.
constexpr const char* phrases[][2] = {
    {"{.validation = data} or a validation_split in fit()", "split: {validation: 0.1}"},
    {"give the metric to compile()", "add it to metrics"},
};

constexpr const char* any_hint = "goneuron train --help-config tells what every key can have";

const Kind* kind_of(const std::string& name) {
  for (const Table* table :
       {&layer_table(), &loss_table(), &metric_table(), &optimizer_table(), &schedule_table(),
        &callback_table(), &activation_table(), &initializer_table(), &feed_forward_table()})
    if (const Kind* kind = find_kind(*table, name)) return kind;
  return nullptr;
}

/// A key of any section, source or thing that a config can name.
bool is_key(const std::string& name) {
  static const std::vector<std::string> all = [] {
    std::vector<std::string> keys;
    const auto add = [&](std::span<const Option> options) {
      for (const Option& option : options) keys.emplace_back(option.key);
    };
    for (const Option& option : root().options)
      if (option.section != nullptr) add(option.section->options);
    for (const Table* table : {&source_table(), &layer_table(), &loss_table(), &metric_table(),
                               &optimizer_table(), &schedule_table(), &callback_table()}) {
      add(table->common);
      for (const Kind* kind : table->kinds) add(kind->options);
    }
    return keys;
  }();
  return std::find(all.begin(), all.end(), name) != all.end();
}

bool in_name(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_'; }

class Words {
 public:
  explicit Words(const std::string& text) : text_(text) {}

  std::string all() {
    std::string out;
    while (at_ < text_.size()) out += next();
    return out;
  }

 private:
  bool looking_at(const char* what) const {
    return text_.compare(at_, std::strlen(what), what) == 0;
  }

  /// One thing in the words of a config, or a character as it is.
  std::string next() {
    const char c = text_[at_];
    if (c == '"' || c == '\'') return quoted(c);
    if (looking_at("{.") && at_ + 2 < text_.size() && in_name(text_[at_ + 2]))
      return map_of_options();
    if (c == '.' && at_ > 0 && std::strchr(" ({", text_[at_ - 1]) != nullptr) return option();
    if (std::isalpha(static_cast<unsigned char>(c)) != 0) return name();
    return std::string(1, text_[at_++]);
  }

  std::string quoted(char mark) {
    const size_t begin = at_;
    const bool apostrophe = mark == '\'' && begin > 0 && in_name(text_[begin - 1]);
    size_t end = apostrophe ? std::string::npos : begin + 1;
    while (end < text_.size() && text_[end] != mark && text_[end] != '\n')
      end += text_[end] == '\\' ? 2 : 1;
    at_ = end < text_.size() && text_[end] == mark ? end + 1 : begin + 1;
    return text_.substr(begin, at_ - begin);
  }

  std::string word() {
    const size_t begin = at_;
    while (at_ < text_.size() && (in_name(text_[at_]) || looking_at("::")))
      at_ += looking_at("::") ? 2 : 1;
    return text_.substr(begin, at_ - begin);
  }

  /// `.key = value`, or `.key` alone.
  std::string option() {
    const size_t begin = at_++;
    const std::string key = word();
    if (!is_key(key)) return text_.substr(begin, at_ - begin);
    if (!looking_at(" = ")) return key;
    at_ += 3;
    return key + ": " + value();
  }

  /// What a key has: a list in braces is one in brackets.
  std::string value() {
    if (!looking_at("{") || looking_at("{.")) return at_ < text_.size() ? next() : "";
    ++at_;
    std::string out = "[";
    while (at_ < text_.size() && text_[at_] != '}' && text_[at_] != '\n') out += next();
    at_ += looking_at("}") ? 1 : 0;
    return out + "]";
  }

  std::string map_of_options() {
    ++at_;
    std::string out = "{";
    while (at_ < text_.size() && text_[at_] != '}' && text_[at_] != '\n') out += next();
    at_ += looking_at("}") ? 1 : 0;
    return out + "}";
  }

  /// A name of the library: of a thing with its options, of a value, of a function.
  std::string name() {
    const std::string full = word();
    const size_t colons = full.rfind("::");
    const std::string last = colons == std::string::npos ? full : full.substr(colons + 2);
    if (looking_at("()")) {
      if (kind_of(last) == nullptr && !is_place()) return last;
      at_ += 2;
      return last;
    }
    const Kind* kind =
        std::isupper(static_cast<unsigned char>(last[0])) != 0 ? kind_of(last) : nullptr;
    if (!looking_at("(")) return last;
    if (kind != nullptr) return call(*kind, last);
    if (last != "compile" && last != "fit") return full;
    return section(last);
  }

  /// True for the functions that errors name as their places: `fit() (run.yaml:5)`, `fit():`.
  bool is_place() const {
    return text_.compare(at_, 4, "() (") == 0 || text_.compare(at_, 3, "():") == 0;
  }

  std::vector<std::string> arguments() {
    ++at_;
    std::vector<std::string> all(1);
    while (at_ < text_.size() && text_[at_] != ')' && text_[at_] != '\n') {
      if (looking_at(", ")) {
        all.emplace_back();
        at_ += 2;
      } else {
        all.back() += all.back().empty() ? value() : next();
      }
    }
    at_ += looking_at(")") ? 1 : 0;
    return all;
  }

  /// Arguments by their place have the options' names in the table's order.
  std::string call(const Kind& kind, const std::string& name) {
    std::string options;
    size_t place = 0;
    const auto all = arguments();
    for (const std::string& argument : all) {
      if (argument == ".." || argument.empty()) continue;
      const bool named = argument[0] == '{';
      if (!named && place >= kind.options.size()) continue;
      const std::string text = named ? argument.substr(1, argument.size() - 2)
                                     : std::string(kind.options[place].key) + ": " +
                                           argument_of(kind.options[place], argument);
      options += (options.empty() ? "" : ", ") + text;
      ++place;
    }
    if (options.empty()) return name;
    if (all.size() == 1 && all[0][0] != '{')
      return name + ": " + options.substr(options.find(':') + 2);
    return name + ": {" + options + "}";
  }

  static std::string argument_of(const Option& option, const std::string& given) {
    const Kind* kind = option.table != nullptr ? find_kind(option.table(), given) : nullptr;
    return kind != nullptr ? kind->name : given;
  }

  /// `compile(.., {.ema = 0.9})` by its options; without any there is nothing of it in a config.
  std::string section(const std::string& name) {
    const size_t begin = at_;
    for (const std::string& argument : arguments())
      if (argument[0] == '{' && argument.find(": ") != std::string::npos)
        return name + ": " + argument;
    at_ = begin;
    return name;
  }

  const std::string& text_;
  size_t at_ = 0;
};

/// A hint that still speaks C++ after all; NumPy's users write Python.
bool is_program(const std::string& line) {
  static const std::regex code(R"(\w\(|\]\(|\{\.|::|->|\[\] \{|; \w+ = )"),
      no_code(R"((log|sqrt)\(\w+\)|"[^"]*")");
  return line.find("numpy.") == std::string::npos &&
         std::regex_search(std::regex_replace(line, no_code, ""), code);
}

/// A place as the program's user knows it: without the library's own lines, brackets and scopes.
std::string without_code(const std::string& line) {
  static const std::regex own_line(R"( \([\w./-]+\.(cpp|h|cc):\d+\)(?=:| |$))"),
      code(R"(\b(?:Dataset|Model|data)::(\w+)|\b([a-z_]+)\(\)(?=:| \())");
  return std::regex_replace(std::regex_replace(line, own_line, ""), code, "$1$2");
}

std::string in_words(const std::string& hint) {
  std::string text = hint;
  for (const auto& [from, to] : phrases)
    for (size_t at; (at = text.find(from)) != std::string::npos;)
      text.replace(at, std::strlen(from), to);
  text = Words(text).all();
  return is_program(text) ? text.substr(0, text.find_first_not_of(' ', 6)) + any_hint : text;
}

}  // namespace

std::string in_words_of_config(const std::string& error) {
  constexpr size_t most = 4000;  // of a line; what is longer has a text of the user's in it
  std::string out;
  for (size_t at = 0; at < error.size();) {
    const size_t end = std::min(error.find('\n', at), error.size());
    const std::string line = error.substr(at, end - at);
    const bool hint = line.rfind("  hint ", 0) == 0,
               place = at == 0 || line.rfind("  during ", 0) == 0;
    out += at == 0 ? "" : "\n";
    out += line.size() > most ? line : place ? without_code(line) : hint ? in_words(line) : line;
    at = end + 1;
  }
  return out;
}

}  // namespace goneuron::config
