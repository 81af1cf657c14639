#include "train/checkpoint/run_position.h"

#include <fmt/core.h>

#include <charconv>

#include "io/json_text.h"

namespace goneuron {

namespace {

// Of a list, and of all that callbacks remember: what is read takes no more than 1 MB whatever the
// text says.
constexpr size_t most = 1000, most_remembered = 10'000, most_classes = 100'000;

template <class List, class Text>
std::string list_text(const List& list, const Text& text) {
  std::string all = "[";
  for (const auto& item : list) all += (all.size() > 1 ? "," : "") + text(item);
  return all + "]";
}

std::string callback_text(const SavedCallback& callback) {
  std::string names, numbers, text_names, texts, tensors;
  const auto add = [](std::string& list, const std::string& item) {
    list += (list.empty() ? "" : ",") + item;
  };
  for (const auto& [name, value] : callback.state.numbers) {
    add(names, json_quote(name));
    add(numbers, json_real(value));
  }
  for (const auto& [name, value] : callback.state.texts) {
    add(text_names, json_quote(name));
    add(texts, json_quote(value));
  }
  for (const auto& [name, tensor] : callback.state.tensors) add(tensors, json_quote(name));
  return fmt::format(
      "{{\"type\":{},\"names\":[{}],\"numbers\":[{}],\"text_names\":[{}],\"texts\":[{}],"
      "\"tensors\":["
      "{}]}}",
      json_quote(callback.type), names, numbers, text_names, texts, tensors);
}

template <class Item, class Read>
std::vector<Item> items_of(JsonReader& json, size_t limit, const Read& read) {
  std::vector<Item> list;
  json.begin('[');
  while (json.more()) {
    if (list.size() == limit) json.fail(fmt::format("more than {} items", limit));
    list.push_back(read());
  }
  return list;
}

template <class Item, class Read>
std::vector<Item> list_of(JsonReader& json, const char* name, size_t limit, const Read& read) {
  json.member(name);
  return items_of<Item>(json, limit, read);
}

template <class Value, class Read>
void read_pairs(JsonReader& json, const char* names, const char* values, const Read& read,
                std::vector<std::pair<std::string, Value>>& out) {
  const auto keys = list_of<std::string>(json, names, most, [&] { return json.string(); });
  const size_t at = json.position();
  auto items = list_of<Value>(json, values, most, read);
  if (items.size() != keys.size()) json.fail_at(at, "as many values as names expected");
  for (size_t i = 0; i < keys.size(); ++i) out.emplace_back(keys[i], std::move(items[i]));
}

SavedCallback read_callback(JsonReader& json) {
  SavedCallback callback;
  json.begin('{');
  callback.type = json.member("type").string();
  read_pairs<double>(
      json, "names", "numbers", [&] { return json.real(); }, callback.state.numbers);
  read_pairs<std::string>(
      json, "text_names", "texts", [&] { return json.string(); }, callback.state.texts);
  for (std::string& name :
       list_of<std::string>(json, "tensors", most, [&] { return json.string(); }))
    callback.state.tensors.emplace_back(std::move(name), Tensor());
  json.end();
  return callback;
}

std::uint64_t read_number(JsonReader& json, const char* what) {
  const size_t at = json.position();
  const std::string text = json.string();
  const char* end = text.data() + text.size();
  std::uint64_t number = 0;
  if (const auto read = std::from_chars(text.data(), end, number);
      read.ec != std::errc() || read.ptr != end)
    json.fail_at(at, std::string(what) + " is " + shown(text) + "; expected a number of 64 bits");
  return number;
}

/// Each begins with a comma.
std::string optional_text(const RunPosition& p) {
  std::string text;
  if (p.options.data) text += fmt::format(",\"data\":\"{}\"", *p.options.data);
  if (p.options.class_weight && p.options.class_weight->size() <= most_classes)
    text += ",\"class_weight\":" + list_text(*p.options.class_weight, json_real);
  if (p.rate != 0) text += ",\"rate\":" + json_real(p.rate);
  return text;
}

void read_optional(JsonReader& json, RunPosition& p) {
  if (json.has_member("data")) p.options.data = read_number(json, "the data's fingerprint");
  if (json.has_member("class_weight"))
    p.options.class_weight = items_of<double>(json, most_classes, [&] { return json.real(); });
  if (json.has_member("rate")) p.rate = json.real();
}

}  // namespace

std::string position_text(const RunPosition& p) {
  return fmt::format(
      "{{\"samples\":{},\"batch\":{},\"accumulate\":{},\"shuffle\":{},\"seed\":\"{}\"{},"
      "\"epoch\":{},\"step\":{},\"samples_seen\":{},\"seconds\":{},\"ended\":{},"
      "\n\"names\":{},\n\"callbacks\":{}}}",
      p.options.samples, p.options.batch, p.options.accumulate, p.options.shuffle, p.options.seed,
      optional_text(p), p.epoch, p.step, p.samples_seen, json_real(p.seconds), p.ended,
      list_text(p.names, [](const std::string& n) { return json_quote(n); }),
      list_text(p.callbacks, callback_text));
}

RunPosition position_from_text(std::string_view text, const std::string& where) {
  JsonReader json(text, where);
  RunPosition p;
  const auto count = [&](const char* name, i64 low) {
    return json.member(name).integer(low, i64{1} << 53, name);
  };
  json.begin('{');
  p.options.samples = count("samples", 1);
  p.options.batch = count("batch", 1);
  p.options.accumulate = count("accumulate", 1);
  p.options.shuffle = json.member("shuffle").boolean();
  p.options.seed = read_number(json.member("seed"), "the seed");
  read_optional(json, p);
  p.epoch = count("epoch", 0);
  p.step = count("step", 0);
  p.samples_seen = count("samples_seen", 0);
  p.seconds = json.member("seconds").real();
  p.ended = json.member("ended").boolean();
  p.names = list_of<std::string>(json, "names", most, [&] { return json.string(); });
  size_t remembered = 0;
  p.callbacks = list_of<SavedCallback>(json, "callbacks", most, [&] {
    SavedCallback callback = read_callback(json);
    remembered +=
        callback.state.numbers.size() + callback.state.texts.size() + callback.state.tensors.size();
    if (remembered > most_remembered)
      json.fail(fmt::format("more than {} things that callbacks remember", most_remembered));
    return callback;
  });
  json.end();
  json.finish();
  return p;
}

}  // namespace goneuron
