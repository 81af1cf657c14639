// The memory pass: an address for every value. Workers run ahead of each other within a phase, so a
// value may take over the memory of another one only in a later phase, or where both are cut into
// the same tiles and each worker meets its own part of them alone. Values are placed at the lowest
// free offset, in several orders; the smallest result is kept.
#include <algorithm>
#include <array>
#include <optional>

#include "core/checked_math.h"
#include "graph/op_def.h"
#include "plan/plan.h"

namespace goneuron {

namespace {

constexpr i64 alignment = 64;

/// From the step that makes a value to the last one that reads it.
struct Life {
  ValueId value = -1;
  i64 bytes = 0, exact = 0;  // bytes: rounded up to the alignment
  int first = -1, last = -1;
  int first_phase = -1, last_phase = -1;
  // How all steps of the first and of the last phase share the value; none where they differ.
  std::optional<Partition> first_part, last_part;
  std::vector<ValueId> donors;  // values that the making step may write this one over
  i64 offset = 0;
};

class Lives {
 public:
  explicit Lives(const Plan& plan) : plan_(plan), by_root_(plan.graph.values.size()) {
    const int count = static_cast<int>(plan.steps.size());
    for (int s = 0; s < count; ++s) visit(s);
    for (const ValueId id : plan.graph.outputs) {  // read when all steps are done
      Life& life = of(id);
      if (life.first < 0) continue;
      life.last = count;
      life.last_phase = plan.steps.back().phase + 1;
      life.last_part.reset();
    }
  }

  std::vector<Life> in_activations() const {
    std::vector<Life> all;
    for (size_t v = 0; v < by_root_.size(); ++v)
      if (by_root_[v].first >= 0 && plan_.slots[v].place == Place::activations) {
        all.push_back(by_root_[v]);
        all.back().value = static_cast<ValueId>(v);
        all.back().exact = plan_.slots[v].bytes;
        all.back().bytes = round_up(plan_.slots[v].bytes, alignment);
      }
    return all;
  }

 private:
  Life& of(ValueId id) { return by_root_[static_cast<size_t>(plan_.graph.root(id))]; }

  void visit(int s) {
    const PlannedStep& step = plan_.steps[static_cast<size_t>(s)];
    const Node& node = plan_.graph.nodes[static_cast<size_t>(step.node)];
    if (node.op->alias) return;  // touches no memory
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (!(node.op->shape_only >> i & 1)) see(s, step, node.inputs[i], step.scheme.in[i]);
    if (node.op->mutates) return;  // its outputs are variables
    for (size_t o = 0; o < node.outputs.size(); ++o)
      see(s, step, node.outputs[o], step.scheme.out[o]);
    const i64 elements = plan_.graph.out_shape(node).elements();
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (node.op->in_place >> i & 1 &&
          plan_.graph.in_shape(node, static_cast<int>(i)).elements() == elements)
        of(node.outputs[0]).donors.push_back(plan_.graph.root(node.inputs[i]));
  }

  void see(int s, const PlannedStep& step, ValueId id, const Scheme::Access& access) {
    Life& life = of(id);
    const bool own =
        step.scheme.tiles == 1 || (!access.all && access.part.tiles == step.scheme.tiles);
    const auto part =
        own ? std::optional(step.scheme.tiles == 1 ? whole() : access.part) : std::nullopt;
    if (life.first < 0) {
      life.first = s;
      life.first_phase = step.phase;
      life.first_part = part;
    } else if (step.phase == life.first_phase && life.first_part != part) {
      life.first_part.reset();
    }
    if (step.phase != life.last_phase)
      life.last_part = part;
    else if (life.last_part != part)
      life.last_part.reset();
    life.last = s;
    life.last_phase = step.phase;
  }

  const Plan& plan_;
  std::vector<Life> by_root_;
};

enum class Sharing { never, anywhere, same_place };

/// Whether `late` may use memory of `early`.
Sharing succession(const Life& early, const Life& late) {
  if (early.last_phase < late.first_phase) return Sharing::anywhere;
  if (early.last_phase > late.first_phase || early.last > late.first || !early.last_part ||
      early.last_part != late.first_part)
    return Sharing::never;
  if (early.last == late.first) {
    const bool donated =
        std::find(late.donors.begin(), late.donors.end(), early.value) != late.donors.end();
    return donated && early.exact == late.exact ? Sharing::same_place : Sharing::never;
  }
  if (*early.last_part == whole()) return Sharing::anywhere;
  return early.exact == late.exact ? Sharing::same_place : Sharing::never;
}

Sharing sharing(const Life& a, const Life& b) {
  return a.first <= b.first && a.last <= b.last ? succession(a, b)
         : b.last <= a.first                    ? succession(b, a)
                                                : Sharing::never;
}

/// Gives each life the lowest offset that those before it in `all` leave; returns the bytes needed.
i64 place_all(std::vector<Life>& all) {
  i64 total = 0;
  std::vector<const Life*> clashing;
  std::vector<i64> twins;  // offsets at which the value may lie on another one
  for (size_t i = 0; i < all.size(); ++i) {
    Life& life = all[i];
    clashing.clear();
    twins.clear();
    for (size_t j = 0; j < i; ++j) {
      const Sharing shared = sharing(all[j], life);
      if (shared != Sharing::anywhere) clashing.push_back(&all[j]);
      if (shared == Sharing::same_place) twins.push_back(all[j].offset);
    }
    std::sort(clashing.begin(), clashing.end(),
              [](const Life* a, const Life* b) { return a->offset < b->offset; });
    i64 offset = 0;
    for (const Life* other : clashing) {
      if (other->offset >= checked_add(offset, life.bytes)) break;
      offset = std::max(offset, other->offset + other->bytes);
    }
    std::sort(twins.begin(), twins.end());
    for (const i64 twin : twins) {
      if (twin >= offset) break;
      const bool fits = std::all_of(clashing.begin(), clashing.end(), [&](const Life* other) {
        return other->offset >= twin + life.bytes || other->offset + other->bytes <= twin ||
               (other->offset == twin && sharing(*other, life) == Sharing::same_place);
      });
      if (fits) offset = twin;
    }
    life.offset = offset;
    total = std::max(total, checked_add(offset, life.bytes));
  }
  return total;
}

using Before = bool (*)(const Life&, const Life&);
constexpr std::array<Before, 3> orders = {
    [](const Life& a, const Life& b) {
      return a.bytes != b.bytes ? a.bytes > b.bytes : a.value < b.value;
    },
    [](const Life& a, const Life& b) {
      const auto weight = [](const Life& l) {
        return static_cast<double>(l.bytes) * (l.last - l.first + 1);
      };
      return weight(a) != weight(b) ? weight(a) > weight(b) : a.value < b.value;
    },
    [](const Life& a, const Life& b) {
      return a.first != b.first ? a.first < b.first : a.value < b.value;
    }};
constexpr size_t few = 1000;  // values; beyond, one order is enough to wait for

/// The bytes of values of which no two may share memory, taken in order from both lists.
i64 apart(const std::vector<const Life*>& first, const std::vector<const Life*>& then) {
  std::vector<const Life*> chosen;
  i64 bytes = 0;
  for (const auto* list : {&first, &then})
    for (const Life* life : *list)
      if (std::all_of(chosen.begin(), chosen.end(), [&](const Life* other) {
            return sharing(*other, *life) == Sharing::never;
          })) {
        chosen.push_back(life);
        bytes += life->bytes;
      }
  return bytes;
}

/// What no layout can do without: for some step, the values alive then, and those that died before
/// it in the same phase, which a worker running behind may still read. `all` is in order of the
/// first step.
i64 most_alive(const std::vector<Life>& all, const Plan& plan) {
  std::vector<const Life*> alive, dead;
  i64 most = 0;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    alive.clear();
    dead.clear();
    i64 bytes = 0;
    for (const Life& life : all) {
      if (life.first > static_cast<int>(s)) break;
      const bool lives = life.last >= static_cast<int>(s);
      if (!lives && life.last_phase != plan.steps[s].phase) continue;
      (lives ? alive : dead).push_back(&life);
      bytes += life.bytes;
    }
    if (bytes <= most) continue;
    most = std::max({most, apart(alive, dead), apart(dead, alive)});
  }
  return most;
}

void place_activations(Plan& plan) {
  std::vector<Life> all = Lives(plan).in_activations(), best;
  std::sort(all.begin(), all.end(), orders.back());
  plan.live_bytes = most_alive(all, plan);
  for (const Before order : orders) {
    std::sort(all.begin(), all.end(), order);
    const i64 bytes = place_all(all);
    if (best.empty() || bytes < plan.activation_bytes) {
      best = all;
      plan.activation_bytes = bytes;
    }
    if (plan.activation_bytes == plan.live_bytes || all.size() > few) break;
  }
  for (const Life& life : best) plan.slots[static_cast<size_t>(life.value)].offset = life.offset;
}

i64 bump(i64& end, i64 bytes) {
  const i64 offset = end;
  end = round_up(checked_add(end, bytes), alignment);
  return offset;
}

/// Final gradients of parameters: one contiguous buffer, in the order in which the parameters stand
/// in theirs.
void place_gradients(Plan& plan) {
  const Graph& graph = plan.graph;
  std::vector<bool> made(graph.values.size(),
                         false);  // passes leave values behind that no step makes
  for (const PlannedStep& step : plan.steps)
    for (const ValueId id : graph.nodes[static_cast<size_t>(step.node)].outputs)
      made[static_cast<size_t>(graph.root(id))] = true;
  std::vector<std::pair<const void*, ValueId>> gradients;
  for (size_t v = 0; v < graph.values.size(); ++v)
    if (graph.values[v].gradient_of)
      gradients.emplace_back(graph.values[v].gradient_of->value.raw(),
                             graph.root(static_cast<ValueId>(v)));
  std::sort(gradients.begin(), gradients.end());
  for (const auto& [address, root] : gradients)
    if (Slot& slot = plan.slots[static_cast<size_t>(root)];
        made[static_cast<size_t>(root)] && slot.place == Place::activations)
      slot = {Place::gradients, bump(plan.gradient_bytes, slot.bytes), slot.bytes};
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
    if (value.variable)
      slot.place = Place::variable;
    else if (value.role == Role::constant)
      slot.place = Place::constant;
    else if (value.role == Role::input)
      slot = {Place::io, bump(plan.io_bytes, slot.bytes), slot.bytes};
    else if (value.producer >= 0)
      slot.place = Place::activations;
  }
  place_gradients(plan);
  place_activations(plan);
  for (const PlannedStep& step : plan.steps)
    plan.scratch_bytes = std::max(plan.scratch_bytes, step.scheme.scratch);
}

}  // namespace goneuron
