#include "io/model_file.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <unordered_map>

#include "core/message.h"

namespace goneuron {

namespace {
constexpr std::string_view optimizer_names[] = {"sgd", "adam", "adamw"};

constexpr std::string_view schedule_names[] = {"constant",     "step_decay",    "exponential_decay",
                                               "cosine_decay", "warmup_linear", "warmup_cosine",
                                               "function"};

std::string group_text(const ParameterGroup& group) {
  std::string names;
  for (const std::string& name : group.names)
    names += (names.empty() ? "" : ",") + json_quote(name);
  std::string text = fmt::format("{{\"names\":[{}],\"learning_rate_scale\":{}", names,
                                 json_real(group.options.learning_rate_scale));
  if (group.options.weight_decay)
    text += ",\"weight_decay\":" + json_real(*group.options.weight_decay);
  return text + fmt::format(",\"trainable\":{}}}", group.options.trainable);
}

/// What is written only where it is not the default; each begins with a comma.
std::string optional_text(const TrainingFacts& facts) {
  const Optimizer& o = facts.optimizer;
  std::string text;
  const auto real = [&](const char* name, double value) {
    if (value != 0) text += fmt::format(",\"{}\":{}", name, json_real(value));
  };
  real("clip_value", o.clip_value);
  real("clip_norm", o.clip_norm);
  real("global_clip_norm", o.global_clip_norm);
  if (!o.decay_norms_and_biases) text += ",\"decay_norms_and_biases\":false";
  std::string list;
  for (const double number : facts.schedule_numbers)
    list += (list.empty() ? "" : ",") + json_real(number);
  if (facts.schedule != 0)
    text += fmt::format(",\"schedule\":\"{}\",\"schedule_numbers\":[{}]",
                        schedule_names[static_cast<size_t>(facts.schedule)], list);
  list.clear();
  for (const ParameterGroup& group : o.groups)
    list += (list.empty() ? "" : ",") + group_text(group);
  if (!list.empty()) text += ",\"groups\":[" + list + "]";
  real("ema", facts.ema);
  if (facts.averaged) text += ",\"averaged\":true";
  return text;
}

std::string training_text(const TrainingFacts& facts) {
  const Optimizer& o = facts.optimizer;
  std::string text = fmt::format(
      "{{\"compiled\":{},\"epoch\":{},\"optimizer_step\":{},\"counter\":\"{}\",\"weight_seed\":\"{}"
      "\","
      "\"fit_seed\":\"{}\",\"shards\":{},\n",
      facts.compiled, facts.epoch, facts.optimizer_step, facts.counter, facts.weight_seed,
      facts.fit_seed, facts.shards);
  text += fmt::format(
      "\"optimizer\":{{\"kind\":\"{}\",\"learning_rate\":{},\"momentum\":{},\"nesterov\":{},"
      "\"beta1\":{},\"beta2\":{},"
      "\"epsilon\":{},\"weight_decay\":{}{}}},\n",
      optimizer_names[static_cast<size_t>(o.kind)], json_real(o.learning_rate),
      json_real(o.momentum), o.nesterov, json_real(o.beta1), json_real(o.beta2),
      json_real(o.epsilon), json_real(o.weight_decay), optional_text(facts));
  std::string metrics, extra;
  for (const auto& name : facts.metrics)
    metrics += fmt::format("{}{}", metrics.empty() ? "" : ",", json_quote(name));
  for (const auto& [key, value] : facts.extra)
    extra += fmt::format("{}{}:{}", extra.empty() ? "" : ",", json_quote(key), json_quote(value));
  return text + "\"loss\":" + json_quote(facts.loss) + ",\"metrics\":[" + metrics +
         "],\"extra\":{" + extra + "}}";
}

std::uint64_t read_seed(JsonReader& json, const char* name) {
  const size_t at = json.member(name).position();
  const std::string text = json.string();
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    json.fail_at(
        at, fmt::format("\"{}\" is {}, expected a number of 64 bits as text", name, shown(text)));
  return value;
}

constexpr size_t most = 1000;  // metrics, extra facts, numbers, groups

void read_schedule(JsonReader& json, TrainingFacts& facts) {
  if (!json.has_member("schedule")) return;
  const size_t at = json.position();
  const std::string kind = json.string();
  const auto* const found = std::find(std::begin(schedule_names), std::end(schedule_names), kind);
  if (found == std::end(schedule_names)) json.fail_at(at, shown(kind) + " is an unknown schedule");
  facts.schedule = found - std::begin(schedule_names);
  json.member("schedule_numbers").begin('[');
  while (json.more()) {
    if (facts.schedule_numbers.size() == most) json.fail(fmt::format("more than {} numbers", most));
    facts.schedule_numbers.push_back(json.real());
  }
}

ParameterGroup read_group(JsonReader& json) {
  std::vector<std::string> names;
  GroupOptions options;
  json.begin('{');
  json.member("names").begin('[');
  while (json.more()) {
    if (names.size() == 100 * most) json.fail(fmt::format("more than {} names", 100 * most));
    names.push_back(json.string());
  }
  options.learning_rate_scale = json.member("learning_rate_scale").real();
  if (json.has_member("weight_decay")) options.weight_decay = json.real();
  options.trainable = json.member("trainable").boolean();
  json.end();
  return {names, options};
}

void read_optional(JsonReader& json, TrainingFacts& facts) {
  Optimizer& out = facts.optimizer;
  if (json.has_member("clip_value")) out.clip_value = json.real();
  if (json.has_member("clip_norm")) out.clip_norm = json.real();
  if (json.has_member("global_clip_norm")) out.global_clip_norm = json.real();
  if (json.has_member("decay_norms_and_biases")) out.decay_norms_and_biases = json.boolean();
  read_schedule(json, facts);
  if (json.has_member("groups")) {
    json.begin('[');
    while (json.more()) {
      if (out.groups.size() == most) json.fail(fmt::format("more than {} groups", most));
      out.groups.push_back(read_group(json));
    }
  }
  if (json.has_member("ema")) facts.ema = json.real();
  if (json.has_member("averaged")) facts.averaged = json.boolean();
}

void read_optimizer(JsonReader& json, TrainingFacts& facts) {
  Optimizer& out = facts.optimizer;
  json.begin('{');
  const size_t at = json.member("kind").position();
  const std::string kind = json.string();
  const auto* const found = std::find(std::begin(optimizer_names), std::end(optimizer_names), kind);
  if (found == std::end(optimizer_names))
    json.fail_at(at, shown(kind) + " is an unknown optimizer");
  out.kind = static_cast<Optimizer::Kind>(found - std::begin(optimizer_names));
  out.learning_rate = json.member("learning_rate").real();
  out.momentum = json.member("momentum").real();
  out.nesterov = json.member("nesterov").boolean();
  out.beta1 = json.member("beta1").real();
  out.beta2 = json.member("beta2").real();
  out.epsilon = json.member("epsilon").real();
  out.weight_decay = json.member("weight_decay").real();
  read_optional(json, facts);
  json.end();
}

TrainingFacts read_training(JsonReader& json) {
  TrainingFacts facts;
  json.begin('{');
  facts.compiled = json.member("compiled").boolean();
  facts.epoch = json.member("epoch").integer(0, INT64_MAX, "the epoch");
  facts.optimizer_step =
      json.member("optimizer_step").integer(0, INT64_MAX, "the optimizer's step");
  facts.counter = read_seed(json, "counter");
  facts.weight_seed = read_seed(json, "weight_seed");
  facts.fit_seed = read_seed(json, "fit_seed");
  facts.shards = json.member("shards").integer(1, 1 << 20, "the number of shards");
  read_optimizer(json.member("optimizer"), facts);
  facts.loss = json.member("loss").string();
  json.member("metrics").begin('[');
  while (json.more()) {
    if (facts.metrics.size() == most) json.fail(fmt::format("more than {} metrics", most));
    facts.metrics.push_back(json.string());
  }
  json.member("extra").begin('{');
  while (json.more()) {
    if (facts.extra.size() == most) json.fail(fmt::format("more than {} extra facts", most));
    std::string key = json.key();
    facts.extra.emplace_back(std::move(key), json.string());
  }
  json.end();
  return facts;
}

const Metadatum& model_metadata(const SafetensorsFile& file) {
  const Metadatum* found = file.find_metadata("goneuron");
  if (!found)
    throw_format({.where = file.path,
                  .what = "byte 8: the header's metadata has no \"goneuron\": the file holds "
                          "weights, but no model",
                  .hint = "build the model in the program and read the file with load_weights()"});
  return *found;
}

void check_format(JsonReader& json, const std::string& path, size_t byte) {
  const i64 format = json.member("format").integer();
  if (format != model_format)
    throw_format(
        {.where = path,
         .what = fmt::format(
             "byte {}: the model has format {}; expected {}, which this version of GoNeuron reads",
             byte, format, model_format),
         .hint = format > model_format
                     ? "update GoNeuron, or save the model with this version"
                     : "load and save it with the version that wrote it, or take its weights "
                       "with load_weights()"});
}

void check_variables(const SafetensorsFile& file, const GraphRecord& graph) {
  std::vector<bool> used(file.tensors.size());
  for (const auto& variable : graph.variables) {
    const std::string name = variable->full_name();
    const Tensor& tensor = file.tensor(name);
    const FileTensor& entry = *file.find(name);
    const auto bad = [&](const std::string& what) {
      throw_format({.where = file.path,
                    .what = fmt::format("byte {}: {} {}", entry.byte, shown(name), what),
                    .hint = "the file is damaged: copy or save it again"});
    };
    if (!(tensor.shape() == variable->type.shape) || tensor.dtype() != variable->type.dtype)
      bad(fmt::format("is {} {}, its model expects {} {}", tensor.shape().str(),
                      dtype_name(tensor.dtype()), variable->type.shape.str(),
                      dtype_name(variable->type.dtype)));
    const auto index = static_cast<size_t>(&entry - file.tensors.data());
    if (used[index]) bad("is the name of two weights of the model");
    used[index] = true;
  }
}

ModelRecord read_model(SafetensorsFile file) {
  const Metadatum& text = model_metadata(file);
  JsonReader json(text.value, file.path,
                  [&](size_t position) { return file.byte_of(text, position); });
  const size_t listed = file.tensors.size() * sizeof(NamedTensor);
  const size_t memory = file.memory_left - std::min(file.memory_left, listed);
  ModelRecord record;
  json.begin('{');
  check_format(json, file.path, text.byte);
  json.member("training");
  record.training_byte = file.byte_of(text, json.position());
  record.training = read_training(json);
  const ConstantSource constants = [&](const std::string& name) { return file.tensor(name); };
  json.member("graph");
  record.graph_byte = file.byte_of(text, json.position());
  record.graph = graph_from_json(json, constants, memory);
  json.end();
  json.finish();
  check_variables(file, record.graph);
  record.tensors.reserve(file.tensors.size());
  for (FileTensor& entry : file.tensors)
    if (entry.readable)
      record.tensors.push_back({std::move(entry.name), std::move(entry.tensor), entry.byte});
  return record;
}
}  // namespace

void ModelRecord::add_values(const std::vector<std::shared_ptr<Variable>>& variables) {
  for (const auto& variable : variables) add(variable->full_name(), variable->value);
}

const NamedTensor* ModelRecord::find(std::string_view name) const {
  const auto at = std::find_if(tensors.begin(), tensors.end(),
                               [&](const NamedTensor& item) { return item.name == name; });
  return at == tensors.end() ? nullptr : &*at;
}

void ModelRecord::copy_values(const std::vector<std::shared_ptr<Variable>>& variables) const {
  std::unordered_map<std::string_view, const Tensor*> by_name;
  for (const NamedTensor& item : tensors) by_name.emplace(item.name, &item.tensor);
  for (const auto& variable : variables) {
    const auto found = by_name.find(variable->full_name());
    const Tensor* tensor = found == by_name.end() ? nullptr : found->second;
    if (!tensor || !(tensor->shape() == variable->value.shape()) ||
        tensor->dtype() != variable->value.dtype())
      throw_graph(
          {.what = "no tensor of shape " + variable->value.shape().str() + " for the weight " +
                   shown(variable->full_name()),
           .hint = "give the variables of the loaded graph memory of their own types first"});
    if (!tensor->empty())
      std::memcpy(variable->value.raw(), tensor->raw(), static_cast<size_t>(tensor->bytes()));
  }
}

ModelFileParts model_file_parts(const std::string& path, const ModelRecord& record) {
  const GraphText graph = graph_to_json(record.graph);
  ModelFileParts parts{record.tensors, {}, 0};
  std::vector<NamedTensor>& tensors = parts.tensors;
  tensors.insert(tensors.end(), graph.constants.begin(), graph.constants.end());
  std::unordered_map<std::string_view, const Tensor*> by_name;
  for (const NamedTensor& item : tensors) by_name.emplace(item.name, &item.tensor);
  for (const auto& variable : graph.variables) {
    const auto found = by_name.find(variable->full_name());
    if (found == by_name.end() || !(found->second->shape() == variable->type.shape) ||
        found->second->dtype() != variable->type.dtype)
      throw_graph(
          {.where = path,
           .what = "the weight " + shown(variable->full_name()) + " of the model has no values yet",
           .hint = "build() the model before it is saved"});
  }
  std::string text = fmt::format("{{\"format\":{},\n\"training\":{},\n\"graph\":{}}}", model_format,
                                 training_text(record.training), graph.json);
  // A reader's memory is bounded by twice the file + 1 MB: a graph of thousands of nodes with next
  // to no weights is padded to the size that lets it be read.
  size_t reading = graph.memory + tensors.size() * (sizeof(FileTensor) + sizeof(NamedTensor)) +
                   text.size() + 4096;
  size_t data = 0;
  for (const NamedTensor& item : tensors) {
    reading += item.name.size() + 1;
    data += static_cast<size_t>(item.tensor.bytes());
  }
  const size_t allowed = 2 * data + (1 << 20);
  parts.min_header = reading > allowed ? (reading - allowed) / 2 : 0;
  parts.metadata = {{"goneuron", std::move(text)}};
  return parts;
}

void save_model_file(const std::string& path, const ModelRecord& record) {
  const ModelFileParts parts = model_file_parts(path, record);
  write_safetensors(path, parts.tensors, parts.metadata, parts.min_header);
}

ModelRecord model_in(SafetensorsFile file) { return read_model(std::move(file)); }

ModelRecord load_model_file(const std::string& path) { return read_model(read_safetensors(path)); }

ModelRecord parse_model_file(const std::uint8_t* bytes, size_t size, const std::string& name) {
  return read_model(parse_safetensors(bytes, size, name));
}

}  // namespace goneuron
