#include "train/checkpoint/checkpoint_file.h"

#include <fmt/core.h>
#include <zlib.h>

#include <algorithm>
#include <cstring>

#include "core/message.h"
#include "io/json_text.h"

namespace goneuron {

namespace {

const std::string prefix = "checkpoint/";

Tensor doubles(const std::vector<double>& values, const Shape& shape) {
  Tensor t(shape, DType::f64);
  if (!values.empty()) std::memcpy(t.raw(), values.data(), values.size() * sizeof(double));
  return t;
}

std::string callback_prefix(size_t number) {
  return prefix + "callback/" + std::to_string(number) + "/";
}

void add_position(std::vector<NamedTensor>& tensors, const RunPosition& p) {
  if (!p.means.empty())
    tensors.push_back({prefix + "means", doubles(p.means, {static_cast<i64>(p.means.size())})});
  if (!p.rows.empty()) {
    std::vector<double> flat;
    for (const auto& row : p.rows) flat.insert(flat.end(), row.begin(), row.end());
    tensors.push_back({prefix + "history", doubles(flat, {static_cast<i64>(p.rows.size()),
                                                          static_cast<i64>(p.names.size())})});
  }
  for (size_t i = 0; i < p.callbacks.size(); ++i)
    for (const auto& [name, tensor] : p.callbacks[i].state.tensors)
      tensors.push_back({callback_prefix(i) + name, tensor});
}

std::string checksum(std::vector<const NamedTensor*> tensors) {
  std::sort(tensors.begin(), tensors.end(),
            [](const NamedTensor* a, const NamedTensor* b) { return a->name < b->name; });
  uLong sum = crc32(0, nullptr, 0);
  for (const NamedTensor* item : tensors)
    sum = crc32_z(sum, static_cast<const Bytef*>(item->tensor.raw()),
                  static_cast<size_t>(item->tensor.bytes()));
  return fmt::format("{:08x}", sum);
}

std::vector<const NamedTensor*> all_of(const std::vector<NamedTensor>& tensors) {
  std::vector<const NamedTensor*> all;
  for (const NamedTensor& item : tensors) all.push_back(&item);
  return all;
}

[[noreturn]] void damaged(const std::string& path, const std::string& what) {
  throw_format(
      {.where = path, .what = what, .hint = "delete the file; an older one goes in its place"});
}

const std::string& text_of(const SafetensorsFile& file, const char* key) {
  const Metadatum* found = file.find_metadata(key);
  if (found == nullptr)
    damaged(file.path,
            fmt::format("the header's metadata has no \"{}\": it is no checkpoint", key));
  return found->value;
}

std::vector<double> numbers_of(const ModelRecord& record, const char* name) {
  const NamedTensor* found = record.find(prefix + name);
  if (found == nullptr) return {};
  std::vector<double> values(static_cast<size_t>(found->tensor.size()));
  if (!values.empty())
    std::memcpy(values.data(), found->tensor.raw(), values.size() * sizeof(double));
  return values;
}

void check_numbers(const Checkpoint& c, const char* name, size_t columns) {
  const NamedTensor* found = c.model.find(prefix + name);
  if (found == nullptr) return;
  const Shape& shape = found->tensor.shape();
  if (found->tensor.dtype() != DType::f64 ||
      (columns > 0 && (shape.rank() != 2 || shape[1] != static_cast<i64>(columns))))
    damaged(c.path,
            shown(found->name) + " is " + shape.str() + " " + dtype_name(found->tensor.dtype()));
}

Checkpoint checkpoint_in(SafetensorsFile file) {
  Checkpoint c{file.path, position_from_text(text_of(file, "checkpoint"), file.path), {}};
  const std::string stored = text_of(file, "checksum");
  c.model = model_in(std::move(file));
  if (const std::string sum = checksum(all_of(c.model.tensors)); sum != stored)
    damaged(c.path, "its checksum is " + shown(stored) + ", its numbers give " + sum);
  RunPosition& p = c.position;
  check_numbers(c, "means", 0);
  check_numbers(c, "history", std::max<size_t>(1, p.names.size()));
  p.means = numbers_of(c.model, "means");
  const auto flat = numbers_of(c.model, "history");
  for (size_t at = 0; at < flat.size(); at += p.names.size())
    p.rows.emplace_back(flat.begin() + static_cast<i64>(at),
                        flat.begin() + static_cast<i64>(at + p.names.size()));
  if (static_cast<i64>(p.rows.size()) != p.epoch)
    damaged(c.path,
            fmt::format("it has numbers of {} epochs, and {} are done", p.rows.size(), p.epoch));
  for (size_t i = 0; i < p.callbacks.size(); ++i)
    for (auto& [name, tensor] : p.callbacks[i].state.tensors) {
      const NamedTensor* found = c.model.find(callback_prefix(i) + name);
      if (found == nullptr) damaged(c.path, "it has no tensor " + shown(callback_prefix(i) + name));
      tensor = found->tensor;
    }
  return c;
}

/// Puts stored tensors in the place of variables of the same name: all of them, or none where one
/// does not fit.
class Restore {
 public:
  Restore(const Checkpoint& checkpoint, const std::string& where)
      : checkpoint_(checkpoint), where_(where) {}

  void take(const std::string& name, Variable& variable) {
    const NamedTensor* stored = checkpoint_.model.find(name);
    if (stored == nullptr)
      other("the checkpoint has no " + shown(name) + "; expected one of every weight of the model");
    const Tensor& from = stored->tensor;
    if (!(from.shape() == variable.value.shape()) || from.dtype() != variable.value.dtype())
      other("the checkpoint's " + shown(name) + " is " + from.shape().str() + " " +
            dtype_name(from.dtype()) + "; expected the model's " + variable.value.shape().str() +
            " " + dtype_name(variable.value.dtype()));
    copies_.emplace_back(variable.value, from);
  }

  void copy() {
    for (auto& [to, from] : copies_)
      if (!from.empty()) std::memcpy(to.raw(), from.raw(), static_cast<size_t>(from.bytes()));
  }

  [[noreturn]] void other(const std::string& what) const {
    throw_graph({.where = where_,
                 .what = what,
                 .lines = {{"checkpoint", checkpoint_.path}},
                 .hint = "resume with the program that began the run, or name another folder"});
  }

 private:
  const Checkpoint& checkpoint_;
  const std::string& where_;
  std::vector<std::pair<Tensor, Tensor>> copies_;  // to, from
};

/// What the first `lists` of the graph's roots compute; names and shapes of weights are compared
/// where they are restored, and whether a layer is trained is the program's to say.
std::string computation(GraphRecord graph, size_t lists) {
  graph.roots.resize(std::min(lists, graph.roots.size()));
  const GraphText text = graph_to_json(graph);
  return text.json.substr(text.nodes);
}

void check_same_graph(const GraphRecord& now, const GraphRecord& was, const Restore& from) {
  constexpr size_t all = 6;  // inputs, outputs, target, loss, metrics, evidence
  if (computation(now, all) == computation(was, all)) return;
  const auto same = [&](size_t lists) {
    return computation(now, lists) == computation(was, lists);
  };
  from.other(!same(2)   ? "the checkpoint was made with other layers, or other options of layers; "
                          "expected the model's own"
             : !same(4) ? "the checkpoint was made with another loss; expected the model's own"
                        : "the checkpoint was made with other options of metrics; expected the "
                          "model's own");
}

}  // namespace

ModelFileParts checkpoint_parts(ModelImpl& model, const RunPosition& position,
                                const std::string& path) {
  const std::lock_guard lock(model.mutex);
  ModelRecord record = record_of(model);
  if (position.step % position.options.accumulate != 0)
    for (const auto& [variable, sum] : model.sums)
      record.add(prefix + "sum/" + variable->full_name(), sum->value);
  add_position(record.tensors, position);
  ModelFileParts parts = model_file_parts(path, record);
  for (NamedTensor& item : parts.tensors) item.tensor = item.tensor.clone();
  parts.metadata.emplace_back("checkpoint", position_text(position));
  return parts;
}

void write_checkpoint(const std::string& path, ModelFileParts parts) {
  parts.metadata.emplace_back("checksum", checksum(all_of(parts.tensors)));
  write_safetensors(path, parts.tensors, parts.metadata, parts.min_header);
}

Checkpoint read_checkpoint(const std::string& path) {
  return checkpoint_in(read_safetensors(path));
}

Checkpoint parse_checkpoint(const std::uint8_t* bytes, size_t size, const std::string& name) {
  return checkpoint_in(parse_safetensors(bytes, size, name));
}

void restore(ModelImpl& m, const Checkpoint& checkpoint, const std::string& where, bool its_rate) {
  Restore from(checkpoint, where);
  const TrainingFacts& facts = checkpoint.model.training;
  if (!facts.compiled || facts.optimizer.kind != m.optimizer.kind)
    from.other("the checkpoint was made with another optimizer; expected the model's own");
  if ((facts.ema > 0) != (m.ema > 0))
    from.other(m.ema > 0 ? "the checkpoint has no moving averages; expected those of {.ema = ..}"
                         : "the checkpoint has moving averages; expected a model with {.ema = ..}");
  const std::lock_guard lock(m.mutex);
  const std::lock_guard running(worker_mutex());
  m.allocate_slots();
  const RunPosition& p = checkpoint.position;
  for (const auto& variable : m.variables) from.take(variable->full_name(), *variable);
  for (const auto& [variable, slots] : m.slots)
    for (const auto& slot : slots) from.take("optimizer/" + slot->name, *slot);
  for (const auto& [variable, average] : m.averages)
    from.take("optimizer/" + average->name, *average);
  if (p.step % p.options.accumulate != 0)
    for (const auto& [variable, sum] : m.sums)
      from.take(prefix + "sum/" + variable->full_name(), *sum);
  check_same_graph(record_of(m).graph, checkpoint.model.graph, from);
  from.copy();
  m.epoch = facts.epoch;
  m.step = facts.optimizer_step;
  // A rate that callbacks change is the run's; a schedule is the program's.
  if (its_rate && m.optimizer.schedule.constant() && facts.schedule == 0)
    m.optimizer.learning_rate = facts.optimizer.learning_rate;
}

}  // namespace goneuron
