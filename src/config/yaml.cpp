#include "config/yaml.h"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include <sstream>

namespace goneuron::config {
namespace {

/// Builds the tree from the parser's events: nothing is expanded, and the first thing that a config
/// may not have ends it.
class Builder : public YAML::EventHandler {
 public:
  explicit Builder(const char* file) : file_(file) {}

  Value take() { return std::move(root_); }

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) fail(mark, "a second document; expected one", "take out what follows");
  }
  void OnDocumentEnd() override {}
  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    add(mark, "", anchor, Value::Form::nothing, "");
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t) override {
    fail(mark, "an alias; expected a value", "write the value again: configs have no aliases");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& text) override {
    add(mark, tag, anchor, Value::Form::scalar, text);
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value) override {
    add(mark, tag, anchor, Value::Form::list, "");
  }
  void OnSequenceEnd() override { open_.pop_back(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value) override {
    add(mark, tag, anchor, Value::Form::map, "");
  }
  void OnMapEnd() override { open_.pop_back(); }

 private:
  struct Open {
    Value* value;
    bool has_key = false;
  };

  [[noreturn]] void fail(const YAML::Mark& mark, const std::string& what,
                         const std::string& hint) const {
    fail_at(placed(mark), what, {}, hint);
  }

  Value placed(const YAML::Mark& mark) const {
    Value value;
    value.file = file_;
    value.line = mark.line + 1;
    value.column = mark.column + 1;
    return value;
  }

  void add(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, Value::Form form,
           const std::string& text) {
    if (anchor != YAML::NullAnchor)
      fail(mark, "an anchor; expected a value", "take it out: configs have no anchors");
    if (!tag.empty() && tag != "?" && tag != "!")
      fail(mark, "a tag; expected a value", "take it out: a key's type is known");
    if (++values_ > max_values)
      fail(mark, "more than " + std::to_string(max_values) + " values; expected fewer",
           "a config is a page or two; data belongs into files of its own");
    Value value = placed(mark);
    value.form = form;
    value.quoted = tag == "!";
    value.text = text;
    place(std::move(value));
  }

  /// As the root, an item, a key or the value of one.
  void place(Value value) {
    const bool enters = value.is_list() || value.is_map();
    Value* placed = &root_;
    if (open_.empty()) {
      root_ = std::move(value);
    } else if (Open& open = open_.back(); open.value->is_map() && !open.has_key) {
      return begin_member(open, value);
    } else if (open.value->is_map()) {
      placed = &open.value->items.back();
      value.key = std::move(placed->key);
      value.key_line = placed->key_line, value.key_column = placed->key_column;
      *placed = std::move(value);
      open.has_key = false;
    } else {
      placed = &open.value->items.emplace_back(std::move(value));
    }
    if (!enters) return;
    if (open_.size() >= max_depth)
      fail_at(*placed, "values nested deeper than " + std::to_string(max_depth), {},
              "no part of a config is that deep");
    open_.push_back({placed});
  }

  static void begin_member(Open& open, const Value& key) {
    if (!key.is_scalar() || key.text.empty())
      fail_at(key, "a key that is no name; expected one such as \"epochs\"", {},
              "write key: value; a list's items begin with \"- \"");
    if (const Value* before = open.value->find(key.text))
      fail_at(key, "the key \"" + key.text + "\" once more; expected it once",
              {{"first", "line " + std::to_string(before->key_line)}}, "take one of them out");
    Value member;
    member.key = key.text;
    member.key_line = key.line, member.key_column = key.column;
    open.value->items.push_back(std::move(member));
    open.has_key = true;
  }

  const char* file_;
  Value root_;
  // A pointer stays good while its value is open: only then do its own items grow.
  std::vector<Open> open_;
  int values_ = 0, documents_ = 0;
};

}  // namespace

Value read_yaml(std::string_view text, const std::string& name) {
  check_size_and_depth(text, name);
  Builder builder(kept(name));
  try {
    std::istringstream in{std::string(text)};
    YAML::Parser parser(in);
    while (parser.HandleNextDocument(builder)) continue;
  } catch (const YAML::Exception& error) {
    Value at;
    at.file = kept(name);
    at.line = error.mark.line + 1, at.column = error.mark.column + 1;
    if (error.msg.find("anchor") != std::string::npos)
      fail_at(at, "an alias; expected a value", {}, "write the value: configs have no aliases");
    fail_at(
        at, "this is no YAML: " + error.msg, {},
        "look at this line and the one before: colons with a blank behind, quotes, indentation");
  }
  Value root = builder.take();
  if (root.line == 0) root.file = kept(name), root.line = root.column = 1;  // an empty text
  return root;
}

}  // namespace goneuron::config
