// The memory pass: an address for every value. Time is counted in phases, since workers run ahead of each other
// within one; values alive in no common phase may share memory. Greedy by size, at the lowest free offset.
#include <algorithm>

#include "core/checked_math.h"
#include "plan/plan.h"

namespace goneuron {

namespace {

constexpr i64 alignment = 64;

struct Interval {
  ValueId value;
  int first, last;
  i64 bytes, offset = 0;
};

/// First and last phase of each value that lives inside the step.
std::vector<Interval> live_intervals(const Plan& plan) {
  const Graph& graph = plan.graph;
  const int end = plan.steps.empty() ? 0 : plan.steps.back().phase;
  std::vector<int> first(graph.values.size(), -1), last(graph.values.size(), -1);
  const auto see = [&](ValueId id, int phase) {
    const auto root = static_cast<size_t>(graph.root(id));
    if (first[root] < 0) first[root] = phase;
    last[root] = std::max(last[root], phase);
  };
  for (const PlannedStep& step : plan.steps) {
    const Node& node = graph.nodes[static_cast<size_t>(step.node)];
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (!(node.op->shape_only >> i & 1)) see(node.inputs[i], step.phase);
    for (const ValueId id : node.outputs) see(id, step.phase);
  }
  for (const ValueId id : graph.outputs) see(id, end);
  std::vector<Interval> all;
  for (size_t v = 0; v < graph.values.size(); ++v)
    if (first[v] >= 0 && plan.slots[v].place == Place::activations)
      all.push_back({static_cast<ValueId>(v), first[v], last[v], plan.slots[v].bytes});
  return all;
}

i64 place_all(std::vector<Interval>& all) {
  std::sort(all.begin(), all.end(), [](const Interval& a, const Interval& b) {
    return a.bytes != b.bytes ? a.bytes > b.bytes : a.value < b.value;
  });
  i64 total = 0;
  std::vector<const Interval*> clashing;
  for (size_t i = 0; i < all.size(); ++i) {
    clashing.clear();
    for (size_t j = 0; j < i; ++j)
      if (all[j].first <= all[i].last && all[i].first <= all[j].last) clashing.push_back(&all[j]);
    std::sort(clashing.begin(), clashing.end(), [](const Interval* a, const Interval* b) { return a->offset < b->offset; });
    i64 offset = 0;
    for (const Interval* other : clashing) {
      if (other->offset >= checked_add(offset, all[i].bytes)) break;
      offset = std::max(offset, round_up(other->offset + other->bytes, alignment));
    }
    all[i].offset = offset;
    total = std::max(total, round_up(checked_add(offset, all[i].bytes), alignment));
  }
  return total;
}

i64 bump(i64& end, i64 bytes) {
  const i64 offset = end;
  end = round_up(checked_add(end, bytes), alignment);
  return offset;
}

}  // namespace

void plan_memory(Plan& plan) {
  const Graph& graph = plan.graph;
  plan.slots.resize(graph.values.size());
  for (size_t v = 0; v < graph.values.size(); ++v) {
    const Value& value = graph.values[v];
    if (value.alias_of >= 0) continue;  // lives in its root's slot
    Slot& slot = plan.slots[v];
    slot.bytes = value_bytes(value);
    if (value.variable) slot.place = Place::variable;
    else if (value.role == Role::constant) slot.place = Place::constant;
    else if (value.role == Role::input) slot = {Place::io, bump(plan.io_bytes, slot.bytes), slot.bytes};
    else if (value.producer >= 0) slot.place = Place::activations;
  }
  // Final gradients of parameters: one contiguous buffer, in the order in which the parameters stand in theirs.
  std::vector<std::pair<const void*, ValueId>> gradients;
  for (size_t v = 0; v < graph.values.size(); ++v)
    if (graph.values[v].gradient_of) gradients.emplace_back(graph.values[v].gradient_of->value.raw(), graph.root(static_cast<ValueId>(v)));
  std::sort(gradients.begin(), gradients.end());
  for (const auto& [address, root] : gradients)
    if (Slot& slot = plan.slots[static_cast<size_t>(root)]; slot.place == Place::activations)
      slot = {Place::gradients, bump(plan.gradient_bytes, slot.bytes), slot.bytes};
  auto intervals = live_intervals(plan);
  plan.activation_bytes = place_all(intervals);
  for (const Interval& interval : intervals) plan.slots[static_cast<size_t>(interval.value)].offset = interval.offset;
  const int phases = plan.steps.empty() ? 0 : plan.steps.back().phase + 1;
  std::vector<i64> live(static_cast<size_t>(phases), 0);
  for (const Interval& interval : intervals)
    for (int p = interval.first; p <= interval.last; ++p) live[static_cast<size_t>(p)] += interval.bytes;
  plan.live_bytes = live.empty() ? 0 : *std::max_element(live.begin(), live.end());
  for (const PlannedStep& step : plan.steps) plan.scratch_bytes = std::max(plan.scratch_bytes, step.scheme.scratch);
}

}  // namespace goneuron
