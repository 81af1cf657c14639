// last_gradients: where the last training step left the gradients of the weights.
#include "train/model_impl.h"

namespace goneuron {

std::vector<std::pair<std::string, Tensor>> last_gradients(const ModelImpl& model) {
  std::vector<std::pair<std::string, Tensor>> all;
  if (!model.trained_plan) return all;
  const Plan& plan = *model.trained_plan;
  for (size_t v = 0; v < plan.graph.values.size(); ++v) {
    const Value& value = plan.graph.values[v];
    if (!value.gradient_of) continue;
    const auto root = static_cast<size_t>(plan.graph.root(static_cast<ValueId>(v)));
    const Slot& slot = plan.slots[root];
    const std::string name = value.gradient_of->full_name();
    if (slot.place == Place::gradients) {
      void* memory = model.gradients.data() + slot.offset;
      all.emplace_back(name, Tensor::view(memory, value.type.shape, value.type.dtype, {}));
    } else if (const auto sum = model.sums.find(value.gradient_of.get());
               sum != model.sums.end() && !sum->second->value.empty()) {
      all.emplace_back(name, sum->second->value);
    }
  }
  return all;
}

}  // namespace goneuron
