#include "train/memory_check.h"

#include "core/checked_math.h"
#include "core/memory.h"
#include "goneuron/device.h"
#include "graph/op_def.h"

namespace goneuron {

namespace {

/// What an executor of the plan allocates beyond what the model holds.
i64 needed_bytes(const ModelImpl& model, const Plan& plan) {
  const i64 grown = std::max<i64>(plan.gradient_bytes - model.gradients.bytes(), 0);
  const i64 scratch = checked_mul(plan.scratch_bytes, 1 + threads());
  return checked_add(checked_add(plan.activation_bytes, plan.io_bytes),
                     checked_add(grown, scratch));
}

std::string buffer_name(const Graph& graph, ValueId id, Place place) {
  const Value& value = graph.value(id);
  const std::string shape = "   " + value.type.shape.str() + " " + dtype_name(value.type.dtype);
  if (place == Place::io) return "the batch" + shape;
  const Node& node = graph.nodes[static_cast<size_t>(value.producer)];
  std::string name = node.op->name;
  if (node.call) name += " of " + node.call->layer->describe();
  return name + shape;
}

std::vector<Buffer> buffers_of(const Plan& plan) {
  std::vector<Buffer> all;
  for (size_t v = 0; v < plan.slots.size(); ++v) {
    const Slot& slot = plan.slots[v];
    if (slot.bytes > 0 && (slot.place == Place::activations || slot.place == Place::gradients ||
                           slot.place == Place::io))
      all.push_back({buffer_name(plan.graph, static_cast<ValueId>(v), slot.place), slot.bytes});
  }
  return all;
}

/// The largest batch below `rows` whose plan needs no more than `available`; 0 when none does.
i64 largest_batch(ModelImpl& model, const StepSpec& spec, i64 available) {
  i64 fits = 0, fails = spec.rows();
  while (fails - fits > 1) {
    const i64 middle = fits + (fails - fits) / 2;
    const auto plan = plan_for(model, spec.with_rows(middle));
    (needed_bytes(model, *plan) <= available ? fits : fails) = middle;
  }
  return fits;
}

}  // namespace

void check_memory(ModelImpl& model, const Plan& plan, const StepSpec& spec) {
  const i64 needed = needed_bytes(model, plan);
  // Asking costs more than a small step's memory is worth.
  constexpr i64 small = i64{16} << 20;
  if (needed < small && !memory_is_limited()) return;
  if (needed <= available_memory()) return;
  for (auto& [key, cached] : model.executors) cached.idle.clear();  // kept for speed only
  const i64 available = available_memory();
  if (needed <= available) return;
  const i64 batch = largest_batch(model, spec, available);
  const char* what = trains(spec.mode)             ? "a training step"
                     : spec.mode == Mode::evaluate ? "an evaluation step"
                                                   : "a prediction";
  throw_too_large(std::string(what) + " on " + std::to_string(spec.rows()) + " samples", needed,
                  buffers_of(plan),
                  batch > 0 ? "a batch size of " + std::to_string(batch) + " would fit"
                            : "not even one sample would fit: use smaller layers or samples");
}

}  // namespace goneuron
