// Weights by name from any safetensors file, with a report of what did not match.
#include <fmt/core.h>

#include <cstring>
#include <unordered_set>

#include "core/message.h"
#include "io/model_file.h"

namespace goneuron {

namespace {
// Empty when the tensor was copied; what is wrong otherwise.
std::string copy_weight(Variable& variable, const FileTensor& entry) {
  const TensorType& type = variable.type;
  if (!(entry.shape == type.shape))
    return fmt::format("{}: {} in the file, {} in the model", variable.full_name(),
                       entry.shape.str(), type.shape.str());
  const Tensor& tensor = entry.tensor;
  const bool same = entry.readable && tensor.dtype() == type.dtype;
  if (!same && !(entry.readable && is_floating(tensor.dtype()) && is_floating(type.dtype)))
    return fmt::format("{}: {} in the file, {} in the model, both {}", variable.full_name(),
                       entry.dtype, dtype_name(type.dtype), type.shape.str());
  const Tensor value = same ? tensor : tensor.to(type.dtype);
  if (!value.empty())
    std::memcpy(variable.value.raw(), value.raw(), static_cast<size_t>(value.bytes()));
  return "";
}

std::string lines(const char* label, const std::vector<std::string>& names) {
  std::string text;
  for (const auto& name : names) text += fmt::format("\n  {:<12}{}", label, name);
  return text;
}
}  // namespace

WeightsReport match_weights(const std::vector<std::shared_ptr<Variable>>& variables,
                            const SafetensorsFile& file) {
  WeightsReport report;
  std::unordered_set<const FileTensor*> used;
  for (const auto& variable : variables) {
    const std::string name = variable->full_name();
    const Shape& shape = variable->type.shape;
    if (!(variable->value.shape() == shape) || variable->value.size() != shape.elements())
      throw_graph({.where = file.path,
                   .what = "the weight " + shown(name) + " has no memory yet",
                   .hint = "build() the model before its weights are loaded"});
    const FileTensor* entry = file.find(name);
    if (!entry) {
      report.missing.push_back(name);
      continue;
    }
    used.insert(entry);
    const std::string wrong = copy_weight(*variable, *entry);
    if (wrong.empty())
      report.loaded.push_back(name), variable->drawn = false;
    else
      report.mismatched.push_back(wrong);
  }
  const bool model = file.find_metadata("goneuron") != nullptr;
  for (const FileTensor& entry : file.tensors) {
    const bool own =
        model && (entry.name.rfind("optimizer/", 0) == 0 || entry.name.rfind("constant/", 0) == 0 ||
                  entry.name.rfind("checkpoint/", 0) == 0);
    if (!own && !used.count(&entry)) report.unexpected.push_back(entry.name);
  }
  return report;
}

std::string WeightsReport::str() const {
  return fmt::format("{} loaded, {} missing, {} unexpected, {} mismatched", loaded.size(),
                     missing.size(), unexpected.size(), mismatched.size()) +
         lines("missing", missing) + lines("unexpected", unexpected) +
         lines("mismatched", mismatched);
}

}  // namespace goneuron
