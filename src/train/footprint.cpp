#include "train/footprint.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/checked_math.h"
#include "core/message.h"
#include "data/dataset.h"
#include "goneuron/device.h"
#include "graph/op_def.h"
#include "train/pass.h"
#include "train/updates.h"

namespace goneuron {

namespace {

/// Takes back the graphs that a look ahead makes, whatever happens: saving and fit() take the first
/// one for the one trained on.
class GraphsKept {
 public:
  explicit GraphsKept(ModelImpl& model) : model_(model), count_(model.graphs.size()) {}
  ~GraphsKept() { model_.graphs.resize(std::min(count_, model_.graphs.size())); }
  GraphsKept(const GraphsKept&) = delete;
  GraphsKept& operator=(const GraphsKept&) = delete;

 private:
  ModelImpl& model_;
  size_t count_;
};

std::string text(const TensorType& type) { return type.shape.str() + " " + dtype_name(type.dtype); }

Footprint::Part part_of(const Plan& plan, std::string what, i64 rows) {
  return {std::move(what),      rows,           plan.activation_bytes,
          plan.live_bytes,      plan.io_bytes,  plan.scratch_bytes,
          plan.kept_live_bytes, plan.recomputed};
}

void add_part(Footprint& sum, const ModelImpl& model, const Plan& plan, const StepSpec& spec,
              const std::string& what) {
  sum.parts.push_back(part_of(plan, what, spec.rows()));
  sum.worker_scratch = std::max(sum.worker_scratch, Arena::resident(plan.scratch_bytes));
  const auto known = model.executors.find(spec.key());
  if (known != model.executors.end() && !known->second.idle.empty()) {
    sum.held += sum.parts.back().bytes();
    sum.held_scratch = std::max(sum.held_scratch, Arena::resident(plan.scratch_bytes));
  }
}

/// What exists once, however many plans there are.
Footprint base(const ModelImpl& model, const Plan& plan, bool training) {
  Footprint sum;
  for (const auto& v : model.variables)
    sum.weights += round_up(checked_mul(v->type.shape.elements(), dtype_size(v->type.dtype)), 64);
  sum.held = sum.weights;
  sum.workers = threads();
  if (!training) return sum;
  sum.gradients = std::max(plan.gradient_bytes, model.gradients.bytes());
  for (const Arena& arena : model.slot_arenas) sum.optimizer += arena.bytes();
  sum.gradients += model.sum_arena.bytes();
  sum.held += sum.optimizer + model.gradients.bytes() + model.sum_arena.bytes();
  sum.optimizer += model.missing_slot_bytes();
  return sum;
}

i64 loader_bytes(const Dataset& data, i64 batch, bool shuffle, const Binding& binding) {
  i64 bytes = shuffle ? checked_mul(data.size(), i64{sizeof(std::uint32_t)}) : 0;
  if (!data.impl()->prefetched()) return bytes;
  for (const Feed& feed : binding.feeds) {
    i64 row = 0;
    for (const DatasetImpl* part : data.impl()->parts()) {
      const auto& columns = feed.role == GatherRole::input ? part->x : part->y;
      row = std::max(
          row, columns[static_cast<size_t>(feed.column)].shape.elements() * dtype_size(feed.type));
    }
    bytes += 2 * batch * row;
  }
  return bytes;
}

}  // namespace

PassSteps pass_steps(i64 samples, i64 batch, Mode mode, i64 accumulate, bool several) {
  PassSteps steps{.mode = mode, .batch = batch, .rest = samples % batch};
  steps.full = samples >= batch;
  if (accumulate == 1) return steps;
  steps.mode = Mode::add_and_update;
  if (several) {
    steps.adds = steps.full;
    steps.adds_rest = steps.rest > 0;
    return steps;
  }
  const i64 count = (samples + batch - 1) / batch;
  steps.adds = count > 1;
  steps.full = steps.rest == 0 || count > accumulate;
  return steps;
}

std::string size_text(i64 bytes) {
  if (bytes < 10240) return fmt::format("{} B", bytes);
  if (bytes < (i64{10} << 20)) return fmt::format("{:.1f} KiB", static_cast<double>(bytes) / 1024);
  return fmt::format("{:.1f} MiB", static_cast<double>(bytes) / (1 << 20));
}

i64 Footprint::Part::bytes() const {
  return Arena::resident(activations) + Arena::resident(batch) + Arena::resident(scratch);
}

i64 Footprint::total() const {
  i64 sum = Arena::resident(weights) + Arena::resident(optimizer) + Arena::resident(gradients) +
            loader + (workers > 1 ? workers * worker_scratch : 0);
  for (const Part& part : parts) sum += part.bytes();
  return sum;
}

std::string Footprint::str() const {
  std::string table;
  const auto line = [&](const std::string& what, i64 bytes, const std::string& more) {
    if (bytes > 0) table += fmt::format("  {:<26} {:>12}{}\n", what, size_text(bytes), more);
  };
  line("weights and states", weights, "");
  line("gradients", gradients, "");
  line("optimizer", optimizer, "");
  for (const Part& part : parts)
    line(fmt::format("{}, {} sample{}", part.what, part.rows, part.rows == 1 ? "" : "s"),
         part.bytes(),
         fmt::format("   activations {} ({} alive at once), batch {}, scratch {}",
                     size_text(part.activations), size_text(part.live), size_text(part.batch),
                     size_text(part.scratch)) +
             (part.computed_again == 0
                  ? ""
                  : fmt::format("; {} steps compute activations again that would take {} if kept",
                                part.computed_again, size_text(part.kept))));
  if (workers > 1)
    line(fmt::format("scratch of {} workers", workers), workers * worker_scratch, "");
  line("order and next batches", loader, "");
  table +=
      fmt::format("  {:<26} {:>12}   {} bytes, {} of them in memory already\n", "total",
                  size_text(total()), total(), held + (workers > 1 ? workers * held_scratch : 0));
  return table;
}

ExpectedStep expected_step(ModelImpl& model, i64 batch) {
  ExpectedStep step;
  const GraphsKept kept(model);
  const bool known = !model.graphs.empty() && !model.graphs[0]->guessed;
  step.note = "not compiled: this is a prediction";
  if (model.compiled) {
    step.targets = !model.graphs.empty() ? model.graphs[0]->targets : guessed_targets(model);
    try {
      if (step.targets.empty())
        throw_graph({.what = "the targets that the loss takes are not known before there are some",
                     .hint = "give the data: memory_report(data)"});
      step.plan = plan_for(model, step_spec(model, Mode::train, batch, step.targets));
      step.training = true;
      step.note.clear();
      if (known) return step;
      for (const TensorType& target : step.targets)
        step.note += (step.note.empty() ? "targets taken to be " : ", ") + text(target);
      return step;
    } catch (const Error& error) {  // nothing can be trained, say
      step.note = std::string("no training step: ") + error.what();
    }
  }
  step.plan = plan_for(model, step_spec(model, Mode::predict, batch, {}));
  return step;
}

Footprint footprint(ModelImpl& model, const ExpectedStep& step, i64 batch) {
  Footprint sum = base(model, *step.plan, step.training);
  add_part(sum, model, *step.plan,
           step_spec(model, step.training ? Mode::train : Mode::predict, batch, step.targets),
           step.training ? "training" : "prediction");
  return sum;
}

Footprint footprint(ModelImpl& model, const Dataset& data, const FitOptions& options, Site site) {
  const FitParts parts = fit_parts(data, options, "memory_report", site);
  const GraphsKept kept(model);
  Footprint sum;
  const auto add = [&](const Dataset& set, i64 batch, Mode mode, i64 accumulate, const char* what) {
    Binding binding = bind(model, set, "memory_report", site);
    binding.leave_in_place(model, *set.impl(), mode, batch);
    const auto buckets = set.impl()->parts();
    for (const DatasetImpl* part : buckets) {
      const PassSteps steps = pass_steps(part->size(), batch, mode, accumulate, buckets.size() > 1);
      const auto one = [&](bool runs, Mode by, i64 rows) {
        if (!runs) return;
        const StepSpec spec = binding.spec(model, *part, by, rows);
        const auto plan = plan_for(model, spec);
        if (sum.parts.empty()) sum = base(model, *plan, true);
        add_part(sum, model, *plan, spec, what);
      };
      one(steps.adds, Mode::add, batch);
      one(steps.adds_rest, Mode::add, steps.rest);
      one(steps.full, steps.mode, batch);
      one(steps.rest > 0, steps.mode, steps.rest);
    }
    sum.loader += loader_bytes(set, batch, mode == Mode::train && options.shuffle, binding);
  };
  add(parts.train, parts.batch, Mode::train, options.accumulate, "training");
  if (parts.validation)
    add(parts.validation, parts.validation_batch, Mode::evaluate, 1, "validation");
  if (options.accumulate > 1 && model.sum_arena.bytes() == 0) sum.gradients += model.sum_bytes();
  return sum;
}

}  // namespace goneuron
