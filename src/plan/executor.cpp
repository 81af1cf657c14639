#include "plan/executor.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>

#include "core/message.h"
#include "graph/layer_impl.h"

namespace goneuron {

namespace {
// Below this much work waking the workers costs more than they save. Results are the same either
// way.
constexpr double small_flops = 2e5;

/// The call that makes the loss, followed by a look at it.
struct Guarded {
  Call inner;
  const float* loss;
  StepScalars* scalars;
};
Call guard(Call inner, const float* loss, StepScalars* scalars) {
  return {[](const void* args, i64 begin, i64 end, void* scratch) noexcept {
            const auto& g = *static_cast<const Guarded*>(args);
            g.inner.kernel(g.inner.args.get(), begin, end, scratch);
            if (!std::isfinite(*g.loss) && g.scalars->code == status_ok) {
              g.scalars->value = *g.loss;
              g.scalars->code = status_not_finite;
            }
          },
          std::make_shared<const Guarded>(Guarded{std::move(inner), loss, scalars})};
}

/// A loss or a metric may use layers; only those of the model have memory.
[[noreturn]] void refuse_variable(const Variable& variable) {
  const auto layer = variable.layer.lock();
  throw_graph({.where = layer ? layer->describe() : variable.name,
               .what = "its weight \"" + variable.name +
                       "\" is used by a loss or a metric, but the layer is no part of the model",
               .hint = "call the layer on what leads to an output of the model, or build it in a "
                       "model of its own first"});
}
}  // namespace

Executor::Executor(std::shared_ptr<const Plan> plan, const Arena& gradients,
                   std::vector<Tensor> tables)
    : plan_(std::move(plan)),
      activations_(plan_->activation_bytes, "the memory of the activations"),
      io_(plan_->io_bytes, "the memory of the batch"),
      scratch_(plan_->scratch_bytes, "the scratch memory of the kernels"),
      gradients_(gradients),
      tables_(std::move(tables)),
      scalars_(std::make_unique<StepScalars>()) {
  bind();
  lower();
  alone_ = divide(1, {});
  small_ = plan_->flops < small_flops;
}

void Executor::bind() {
  const Graph& graph = plan_->graph;
  addresses_.resize(graph.values.size(), nullptr);
  for (size_t v = 0; v < graph.values.size(); ++v) {
    const Slot& slot = plan_->slots[v];
    const Value& value = graph.values[v];
    switch (slot.place) {
      case Place::activations:
        addresses_[v] = activations_.data() + slot.offset;
        break;
      case Place::gradients:
        addresses_[v] = gradients_.data() + slot.offset;
        break;
      case Place::io:
        addresses_[v] = io_.data() + slot.offset;
        break;
      case Place::variable:
        addresses_[v] = value.variable->value.raw();
        if (addresses_[v] == nullptr && slot.bytes > 0) refuse_variable(*value.variable);
        break;
      case Place::constant:
        addresses_[v] = const_cast<void*>(
            (value.table < 0 ? value.constant : tables_[static_cast<size_t>(value.table)]).raw());
        break;
      case Place::none:
        break;
    }
  }
}

void Executor::lower() {
  const Graph& graph = plan_->graph;
  calls_.resize(plan_->steps.size());
  for (size_t s = 0; s < plan_->steps.size(); ++s) {
    const PlannedStep& step = plan_->steps[s];
    const Node& node = graph.nodes[static_cast<size_t>(step.node)];
    if (node.op->alias) continue;
    if (step.with_next) {
      calls_[s] = step.backend->lower_together(bound(step), bound(plan_->steps[s + 1]));
      ++s;  // which has no call of its own
      continue;
    }
    calls_[s] = step.backend->lower(bound(step));
    if (plan_->guarded && makes(node, graph.outputs[0]))
      calls_[s] = guard(std::move(calls_[s]), static_cast<const float*>(output(0)), scalars_.get());
  }
}

BoundNode Executor::bound(const PlannedStep& step) const {
  const Node& node = plan_->graph.nodes[static_cast<size_t>(step.node)];
  BoundNode bound{plan_->graph, node, step.scheme, {}, {}, scalars_.get()};
  for (const ValueId id : node.inputs) bound.in.push_back(at(id));
  for (const ValueId id : node.outputs) bound.out.push_back(at(id));
  return bound;
}

bool Executor::makes(const Node& node, ValueId wanted) const {
  for (const ValueId id : node.outputs)
    if (plan_->graph.root(id) == plan_->graph.root(wanted)) return true;
  return false;
}

template <class Copy>
void Executor::each_piece(int i, const Copy& copy) const {
  const Value& value = plan_->graph.value(plan_->graph.inputs[static_cast<size_t>(i)]);
  const i64 bands = plan_->bands[static_cast<size_t>(i)];
  const i64 samples = bands == 1 ? 1 : value.type.shape[0],
            bytes = value_bytes(value) / std::max<i64>(samples * bands, 1);
  for (i64 band = 0; band < bands; ++band)
    for (i64 n = 0; n < samples; ++n)
      copy((band * samples + n) * bytes, (n * bands + band) * bytes, static_cast<size_t>(bytes));
}

void Executor::set_input(int i, const Tensor& value) {
  auto* to = static_cast<char*>(input(i));
  const auto* from = static_cast<const char*>(value.raw());
  each_piece(i, [&](i64 banded, i64 plain, size_t bytes) {
    if (bytes > 0) std::memcpy(to + banded, from + plain, bytes);
  });
}

Tensor Executor::input_value(int i) const {
  const TensorType& type = plan_->graph.value(plan_->graph.inputs[static_cast<size_t>(i)]).type;
  Tensor value(type.shape, type.dtype);
  const auto* from = static_cast<const char*>(at(plan_->graph.inputs[static_cast<size_t>(i)]));
  auto* to = static_cast<char*>(value.raw());
  each_piece(i, [&](i64 banded, i64 plain, size_t bytes) {
    if (bytes > 0) std::memcpy(to + plain, from + banded, bytes);
  });
  return value;
}

Program Executor::divide(int workers, const Item& barrier) const {
  Program program;
  program.workers.resize(static_cast<size_t>(workers));
  for (size_t s = 0; s < plan_->steps.size(); ++s) {
    const PlannedStep& step = plan_->steps[s];
    for (int w = 0; w < workers; ++w) {
      auto& items = program.workers[static_cast<size_t>(w)];
      if (step.barrier_before && workers > 1) items.push_back(barrier);
      const i64 begin = tile_begin(step.scheme.tiles, workers, w);
      const i64 end = tile_begin(step.scheme.tiles, workers, w + 1);
      if (begin == end || calls_[s].kernel == nullptr) continue;
      if (step.scheme.merges) {
        items.push_back({calls_[s].kernel, calls_[s].args.get(), begin, end});
      } else {
        for (i64 tile = begin; tile < end; ++tile)
          items.push_back({calls_[s].kernel, calls_[s].args.get(), tile, tile + 1});
      }
    }
  }
  return program;
}

void Executor::run(WorkerPool& pool) noexcept {
  if (small_ || pool.workers() == 1) return run_alone();
  if (shared_with_ != pool.id()) {
    shared_ = divide(pool.workers(), pool.barrier());
    shared_with_ = pool.id();
    pool.reserve_scratch(plan_->scratch_bytes);
  }
  pool.run(shared_);
}

void Executor::run_timed(std::vector<double>& seconds) noexcept {
  using Clock = std::chrono::steady_clock;
  for (size_t s = 0; s < calls_.size(); ++s) {
    if (calls_[s].kernel == nullptr) continue;
    const Scheme& scheme = plan_->steps[s].scheme;
    const i64 stride = scheme.merges ? scheme.tiles : 1;
    const auto start = Clock::now();
    for (i64 tile = 0; tile < scheme.tiles; tile += stride)
      calls_[s].kernel(calls_[s].args.get(), tile, tile + stride, scratch_.data());
    seconds[s] += std::chrono::duration<double>(Clock::now() - start).count();
  }
}

void Executor::run_alone() noexcept { WorkerPool::run_alone(alone_, scratch_.data()); }

}  // namespace goneuron
