// PlanRun: a plan bound to memory of the test's own, so that what the planner promises can be
// watched: guard bytes around every slot, every value in memory of its own, memory spoilt once it
// is dead, workers that run as far ahead as barriers let them. Weights are copies: the model stays
// as it is.
#pragma once

#include <algorithm>
#include <cstring>
#include <list>
#include <map>
#include <memory>
#include <vector>

#include "graph/op_def.h"
#include "plan/plan.h"
#include "plan/worker_pool.h"

namespace goneuron::testing_plan {

inline constexpr unsigned char spoilt = 0xFF;  // NaN as f32, out of range as an index
inline constexpr unsigned char guard = 0xA5;

/// Memory between two guards, spoilt at first; 64-byte aligned.
class GuardedMemory {
 public:
  explicit GuardedMemory(i64 bytes) : all_(static_cast<size_t>(bytes) + 3 * 64, guard) {
    const auto address = reinterpret_cast<std::uintptr_t>(all_.data());
    begin_ = 128 - static_cast<i64>(address % 64);
    end_ = begin_ + bytes;
    std::fill(all_.begin() + begin_, all_.begin() + end_, spoilt);
  }
  GuardedMemory(const GuardedMemory&) = delete;
  GuardedMemory& operator=(const GuardedMemory&) = delete;
  unsigned char* data() { return all_.data() + begin_; }
  bool intact() const {
    const auto is_guard = [](unsigned char byte) { return byte == guard; };
    return std::all_of(all_.begin(), all_.begin() + begin_, is_guard) &&
           std::all_of(all_.begin() + end_, all_.end(), is_guard);
  }

 private:
  std::vector<unsigned char> all_;
  i64 begin_ = 0, end_ = 0;
};

/// The steps that touch each value (by root), as the tests see it: from the graph, not the planner.
struct Touch {
  int step;
  bool write;
  Scheme::Access access;
};
inline std::vector<std::vector<Touch>> touches(const Plan& plan) {
  std::vector<std::vector<Touch>> all(plan.graph.values.size());
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const PlannedStep& step = plan.steps[s];
    const Node& node = plan.graph.nodes[static_cast<size_t>(step.node)];
    if (node.op->alias) continue;
    const auto add = [&](ValueId id, bool write, const Scheme::Access& access) {
      all[static_cast<size_t>(plan.graph.root(id))].push_back({static_cast<int>(s), write, access});
    };
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (!(node.op->shape_only >> i & 1))
        add(node.inputs[i], node.op->mutates >> i & 1, step.scheme.in[i]);
    if (!node.op->mutates)
      for (size_t o = 0; o < node.outputs.size(); ++o)
        add(node.outputs[o], true, step.scheme.out[o]);
  }
  return all;
}

/// Planned: as the executor runs it. Apart: every value in memory of its own, every step a call of
/// its own.
enum class Layout { planned, apart };

class PlanRun {
 public:
  PlanRun(const Plan& plan, Layout layout, const StepScalars& given)
      : scalars(given), plan_(plan), layout_(layout), touches_(touches(plan)) {
    for (int w = 0; w < most_workers; ++w) scratch_.emplace_back(plan.scratch_bytes);
    bind();
    for (const PlannedStep& step : plan.steps) {
      const bool alias = plan.graph.nodes[static_cast<size_t>(step.node)].op->alias;
      calls_.push_back(alias ? Call{} : step.backend->lower(bound(step)));
    }
    for (size_t s = 0; layout == Layout::planned && s < plan.steps.size(); ++s) {
      const PlannedStep& step = plan.steps[s];
      if (!step.with_next) continue;
      calls_[s] = step.backend->lower_together(bound(step), bound(plan.steps[s + 1]));
      calls_[s + 1] = {};
    }
  }

  void set_input(int i, const Tensor& value) {
    // In bands: [bands, samples, the rest].
    const i64 bands = plan_.bands[static_cast<size_t>(i)], samples = value.shape()[0],
              bytes = value.bytes() / (bands * samples);
    auto* to = static_cast<char*>(at(plan_.graph.inputs[static_cast<size_t>(i)]));
    for (i64 piece = 0; piece < bands * samples; ++piece, to += bytes)
      std::memcpy(to,
                  static_cast<const char*>(value.raw()) +
                      (piece % samples * bands + piece / samples) * bytes,
                  static_cast<size_t>(bytes));
  }
  /// Step after step, whole steps on one worker.
  void run() {
    for (size_t s = 0; s < plan_.steps.size(); ++s) run_share(s, 0, 1);
  }
  /// The same, and what no later step reads is spoilt after each step.
  void run_spoiling() {
    for (size_t s = 0; s < plan_.steps.size(); ++s) {
      run_share(s, 0, 1);
      spoil_after(static_cast<int>(s));
    }
  }
  /// Phase after phase; in each, one worker does all of its share before the next one begins.
  void run_ahead(int workers, bool last_first) {
    for (size_t s = 0; s < plan_.steps.size();) {
      size_t end = s;
      while (end < plan_.steps.size() && plan_.steps[end].phase == plan_.steps[s].phase) ++end;
      for (int i = 0; i < workers; ++i)
        for (size_t t = s; t < end; ++t) run_share(t, last_first ? workers - 1 - i : i, workers);
      s = end;
    }
  }
  /// On threads.
  void run_on(WorkerPool& pool) {
    Program program;
    program.workers.resize(static_cast<size_t>(pool.workers()));
    for (size_t s = 0; s < plan_.steps.size(); ++s)
      for (int w = 0; w < pool.workers(); ++w) {
        auto& items = program.workers[static_cast<size_t>(w)];
        if (plan_.steps[s].barrier_before) items.push_back(pool.barrier());
        for_share(s, w, pool.workers(), [&](i64 begin, i64 end) {
          items.push_back({calls_[s].kernel, calls_[s].args.get(), begin, end});
        });
      }
    pool.reserve_scratch(plan_.scratch_bytes);
    pool.run(program);
  }

  bool intact() const {
    return std::all_of(memory_.begin(), memory_.end(), [](const auto& m) { return m.intact(); }) &&
           std::all_of(scratch_.begin(), scratch_.end(), [](const auto& m) { return m.intact(); });
  }
  Tensor output(int i) { return copy(plan_.graph.outputs[static_cast<size_t>(i)]); }
  Tensor variable(const Variable& wanted) {
    for (size_t v = 0; v < plan_.graph.values.size(); ++v)
      if (plan_.graph.values[v].variable.get() == &wanted) return copy(static_cast<ValueId>(v));
    return {};
  }
  /// Outputs, then every variable.
  std::vector<Tensor> results() {
    std::vector<Tensor> all;
    for (const ValueId id : plan_.graph.outputs) all.push_back(copy(id));
    for (size_t v = 0; v < plan_.graph.values.size(); ++v)
      if (plan_.graph.values[v].variable) all.push_back(copy(static_cast<ValueId>(v)));
    return all;
  }
  StepScalars scalars;
  static constexpr int most_workers = 7;

 private:
  void* at(ValueId id) { return addresses_[static_cast<size_t>(plan_.graph.root(id))]; }
  Tensor copy(ValueId id) {
    const TensorType& type = plan_.graph.value(id).type;
    return Tensor::view(at(id), type.shape, type.dtype).clone();
  }

  void bind() {
    addresses_.resize(plan_.graph.values.size());
    const auto own = [&](i64 bytes) { return memory_.emplace_back(bytes).data(); };
    std::map<Place, unsigned char*> arenas;
    if (layout_ == Layout::planned)
      arenas = {{Place::activations, own(plan_.activation_bytes)},
                {Place::gradients, own(plan_.gradient_bytes)},
                {Place::io, own(plan_.io_bytes)}};
    for (size_t v = 0; v < plan_.graph.values.size(); ++v) {
      const Slot& slot = plan_.slots[v];
      const Value& value = plan_.graph.values[v];
      if (slot.place == Place::none) continue;
      if (slot.place == Place::variable) {
        addresses_[v] = own(slot.bytes);
        std::memcpy(addresses_[v], value.variable->value.raw(), static_cast<size_t>(slot.bytes));
      } else if (slot.place == Place::constant) {
        addresses_[v] = const_cast<void*>(value.constant.raw());
      } else {
        addresses_[v] =
            layout_ == Layout::planned ? arenas[slot.place] + slot.offset : own(slot.bytes);
      }
    }
  }

  BoundNode bound(const PlannedStep& step) {
    const Node& node = plan_.graph.nodes[static_cast<size_t>(step.node)];
    BoundNode bound{plan_.graph, node, step.scheme, {}, {}, &scalars};
    for (const ValueId id : node.inputs) bound.in.push_back(at(id));
    for (const ValueId id : node.outputs) bound.out.push_back(at(id));
    return bound;
  }
  template <class Visit>
  void for_share(size_t s, int worker, int workers, const Visit& visit) const {
    const Scheme& scheme = plan_.steps[s].scheme;
    const i64 begin = tile_begin(scheme.tiles, workers, worker),
              end = tile_begin(scheme.tiles, workers, worker + 1);
    if (begin == end || calls_[s].kernel == nullptr) return;
    if (scheme.merges) return visit(begin, end);
    for (i64 tile = begin; tile < end; ++tile) visit(tile, tile + 1);
  }
  void run_share(size_t s, int worker, int workers) {
    auto scratch = scratch_.begin();
    std::advance(scratch, worker);
    for_share(s, worker, workers, [&](i64 begin, i64 end) {
      calls_[s].kernel(calls_[s].args.get(), begin, end, scratch->data());
    });
  }

  bool is_output(ValueId root) const {
    return std::any_of(plan_.graph.outputs.begin(), plan_.graph.outputs.end(),
                       [&](ValueId id) { return plan_.graph.root(id) == root; });
  }
  /// What was read for the last time in step `s` and lies where nothing alive does.
  void spoil_after(int s) {
    const auto alive = [&](size_t v) {
      return !touches_[v].empty() && touches_[v].front().step <= s &&
             (touches_[v].back().step > s || is_output(static_cast<ValueId>(v)));
    };
    for (size_t v = 0; v < touches_.size(); ++v) {
      const Slot& slot = plan_.slots[v];
      const bool inside = slot.place == Place::activations || slot.place == Place::gradients;
      if (!inside || touches_[v].empty() || touches_[v].back().step != s || alive(v)) continue;
      std::vector<bool> keep(static_cast<size_t>(slot.bytes), false);
      for (size_t u = 0; u < touches_.size() && layout_ == Layout::planned; ++u) {
        const Slot& other = plan_.slots[u];
        if (other.place != slot.place || !alive(u)) continue;
        const i64 begin = std::max<i64>(other.offset - slot.offset, 0),
                  end = std::min(other.offset + other.bytes - slot.offset, slot.bytes);
        for (i64 b = begin; b < end; ++b) keep[static_cast<size_t>(b)] = true;
      }
      auto* bytes = static_cast<unsigned char*>(addresses_[v]);
      for (size_t b = 0; b < keep.size(); ++b)
        if (!keep[b]) bytes[b] = spoilt;
    }
  }

  const Plan& plan_;
  Layout layout_;
  std::vector<std::vector<Touch>> touches_;
  std::list<GuardedMemory> memory_, scratch_;
  std::vector<void*> addresses_;
  std::vector<Call> calls_;
};

}  // namespace goneuron::testing_plan
