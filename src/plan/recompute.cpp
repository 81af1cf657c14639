// The recompute pass: makes activations fit a budget by computing some of them again when the
// backward half of the step needs them, instead of keeping them (Chen et al. 2016). A node computed
// again is a copy with the same tiles, so its bits are the same; what changes is memory and time.
#include <algorithm>
#include <map>
#include <set>

#include "core/checked_math.h"
#include "core/message.h"
#include "graph/op_def.h"
#include "plan/plan.h"

namespace goneuron {

namespace {

/// A value as it lives: as the forward half made it (0), or as it was computed again the n-th time.
struct Copy {
  ValueId root;
  int again;
  auto operator<=>(const Copy&) const = default;
};

/// One entry of the order in which nodes run.
struct Item {
  NodeId node;
  bool again;
  NodeId needed_by;         // of an `again`: the backward node in front of which it stands
  std::vector<Copy> reads;  // one for each input; root -1 where only the shape is read
  std::vector<Copy> writes;
};

/// What becomes of the outputs of a node of the forward half.
enum class Fate : char {
  kept,
  once,  // computed again for the first backward node that reads them, then kept
  each,  // computed again for each
};

class Recomputer {
 public:
  explicit Recomputer(const Plan& plan)
      : plan_(plan), graph_(plan.graph), forward_(graph_.nodes.size()), fate_(forward_.size()) {
    for (const ValueId id : graph_.outputs) {
      mark_forward(graph_.value(id).producer);
      kept_.insert(graph_.root(id));
    }
    for (size_t v = 0; v < graph_.values.size(); ++v)
      if (graph_.values[v].gradient_of) kept_.insert(graph_.root(static_cast<ValueId>(v)));
  }

  /// A node that the backward half does not read is dropped for nothing: one that is may need it
  /// then. Drops what costs least to compute again for its bytes, until the live bytes are below
  /// `target`; and where that is not enough, computes again more than once.
  void drop_until(i64 target) {
    const std::vector<NodeId> candidates = droppable();
    Load load = load_of(items());
    for (bool changed = true; changed && load.peak > target;) {
      changed = drop(candidates, Fate::once, target, load);
      if (!changed) changed = drop(candidates, Fate::each, target, load);
    }
  }

  /// `plan` with copies of what was dropped, in front of the backward nodes that need them.
  Plan rewritten() const;

 private:
  struct Load {
    i64 peak = 0;
    double sum = 0;  // over all items: breaks ties between equal peaks
  };

  /// Whether any of `candidates` was given the next `fate`; ends at the target.
  bool drop(const std::vector<NodeId>& candidates, Fate fate, i64 target, Load& load) {
    bool changed = false;
    for (const NodeId n : candidates) {
      Fate& now = fate_[static_cast<size_t>(n)];
      const Fate before = now;
      if (before >= fate) continue;
      now = fate;
      const Load tried = load_of(items());
      // To compute more than once is of use for the peak alone.
      const bool better = tried.peak != load.peak ? tried.peak < load.peak
                                                  : fate == Fate::once && tried.sum <= load.sum;
      if (!better) {
        now = before;
        continue;
      }
      load = tried;
      changed = true;
      if (load.peak <= target) break;
    }
    return changed;
  }

  void mark_forward(NodeId n) {
    if (n < 0 || forward_[static_cast<size_t>(n)]) return;
    forward_[static_cast<size_t>(n)] = true;
    for (const ValueId id : graph_.nodes[static_cast<size_t>(n)].inputs)
      mark_forward(graph_.value(id).producer);
  }

  i64 bytes_of(ValueId root) const {
    return graph_.value(root).producer < 0 || kept_.count(root)
               ? 0
               : round_up(value_bytes(graph_.value(root)), 64);
  }

  std::vector<NodeId> droppable() const {
    std::vector<std::pair<double, NodeId>> by_price;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      if (!forward_[n] || node.op->alias || node.op->mutates) continue;
      double bytes = 0, moved = 0;
      for (const ValueId id : node.outputs) bytes += static_cast<double>(bytes_of(id));
      for (size_t i = 0; i < node.inputs.size(); ++i)
        moved += static_cast<double>(read_bytes(graph_, node, i));
      if (bytes == 0) continue;
      constexpr double flops_per_byte = 5;  // that a core computes while it moves one
      by_price.emplace_back((plan_.steps[n].flops / flops_per_byte + moved + bytes) / bytes,
                            static_cast<NodeId>(n));
    }
    std::sort(by_price.begin(), by_price.end());
    std::vector<NodeId> order;
    for (const auto& [price, node] : by_price) order.push_back(node);
    return order;
  }

  /// The node that computes `id` again for the backward half; -1 where it is kept.
  NodeId again(ValueId id) const {
    const NodeId maker = graph_.value(graph_.root(id)).producer;
    return maker >= 0 && forward_[static_cast<size_t>(maker)] &&
                   fate_[static_cast<size_t>(maker)] != Fate::kept
               ? maker
               : -1;
  }

  /// The order of all nodes, with what is computed again in front of the backward nodes.
  struct Order {
    std::vector<Item> items;
    std::set<NodeId> done;        // of those computed again once
    std::map<ValueId, int> last;  // copy of a root
  };

  void add(NodeId n, NodeId needed_by, Order& order) const {
    const Node& node = graph_.nodes[static_cast<size_t>(n)];
    const bool late = needed_by >= 0 || !forward_[static_cast<size_t>(n)];
    Item item{n, needed_by >= 0, needed_by, {}, {}};
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId root = graph_.root(node.inputs[i]);
      const bool read = !(node.op->shape_only >> i & 1);
      item.reads.push_back({read ? root : -1, late && again(root) >= 0 ? order.last[root] : 0});
    }
    for (const ValueId id : node.outputs)
      item.writes.push_back({graph_.root(id), item.again ? ++order.last[graph_.root(id)] : 0});
    order.items.push_back(std::move(item));
  }

  /// Computes again what `n` reads, in front of `place`.
  void compute_inputs(NodeId n, NodeId place, std::set<NodeId>& here, Order& order) const {
    const Node& node = graph_.nodes[static_cast<size_t>(n)];
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const NodeId maker = node.op->shape_only >> i & 1 ? -1 : again(node.inputs[i]);
      if (maker < 0) continue;
      const bool once = fate_[static_cast<size_t>(maker)] == Fate::once;
      if (!(once ? order.done : here).insert(maker).second) continue;
      compute_inputs(maker, place, here, order);
      add(maker, place, order);
    }
  }

  bool backward(NodeId n) const {
    return !forward_[static_cast<size_t>(n)] && !graph_.nodes[static_cast<size_t>(n)].op->alias;
  }
  /// In front of which node the inputs of `n` are computed again: before the gradient that meets
  /// them, which would lie beside all that is made on the way.
  NodeId place_of(NodeId n) const {
    constexpr NodeId near = 4;  // farther off, they would lie beside too much themselves
    NodeId place = -1;
    for (const ValueId id : graph_.nodes[static_cast<size_t>(n)].inputs)
      if (const NodeId maker = graph_.value(graph_.root(id)).producer;
          maker >= 0 && backward(maker))
        place = std::max(place, maker);
    return place >= 0 && place < n && n - place <= near ? place : n;
  }

  std::vector<Item> items() const {
    Order order;
    const auto count = static_cast<NodeId>(graph_.nodes.size());
    std::vector<std::vector<NodeId>> readers(graph_.nodes.size());
    for (NodeId n = 0; n < count; ++n)
      if (backward(n)) readers[static_cast<size_t>(place_of(n))].push_back(n);
    for (NodeId n = 0; n < count; ++n) {
      std::set<NodeId> here;
      for (const NodeId reader : readers[static_cast<size_t>(n)])
        compute_inputs(reader, n, here, order);
      add(n, -1, order);
    }
    return std::move(order.items);
  }

  using Lives = std::map<Copy, std::pair<size_t, size_t>>;

  /// Where an item writes over an input that dies, only one of the two counts.
  void donate(const Item& item, size_t at, Lives& lives) const {
    const Node& node = graph_.nodes[static_cast<size_t>(item.node)];
    if (node.op->in_place == 0) return;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const auto life = lives.find(item.reads[i]);
      if (!(node.op->in_place >> i & 1) || life == lives.end() || life->second.second != at ||
          life->second.first == at ||
          bytes_of(item.reads[i].root) != bytes_of(graph_.root(node.outputs[0])))
        continue;
      life->second.second = at - 1;
      return;
    }
  }

  Load load_of(const std::vector<Item>& list) const {
    Lives lives;
    for (size_t at = 0; at < list.size(); ++at) {
      const OpDef& op = *graph_.nodes[static_cast<size_t>(list[at].node)].op;
      if (op.alias) continue;
      const auto touch = [&](const Copy& copy) {
        if (copy.root >= 0) lives.try_emplace(copy, at, at).first->second.second = at;
      };
      for (const Copy& copy : list[at].reads) touch(copy);
      if (op.mutates) continue;
      for (const Copy& copy : list[at].writes) touch(copy);
    }
    for (size_t at = 0; at < list.size(); ++at) donate(list[at], at, lives);
    std::vector<i64> change(list.size() + 1);
    Load load;
    for (const auto& [copy, life] : lives) {
      const i64 bytes = bytes_of(copy.root);
      change[life.first] += bytes;
      change[life.second + 1] -= bytes;
      load.sum += static_cast<double>(bytes) * static_cast<double>(life.second + 1 - life.first);
    }
    i64 alive = 0;
    for (const i64 step : change) load.peak = std::max(load.peak, alive += step);
    return load;
  }

  const Plan& plan_;
  const Graph& graph_;
  std::vector<bool> forward_;
  std::vector<Fate> fate_;
  std::set<ValueId> kept_;  // roots that are not activations: outputs, gradients of parameters
};

/// Builds the plan that an order of items describes.
class Rewriter {
 public:
  Rewriter(const Plan& plan, const std::vector<bool>& forward)
      : from_(plan), forward_(forward), to_(plan) {
    to_.graph.nodes.clear();
    to_.steps.clear();
  }

  void add(const Item& item) {
    Node node = from_.graph.nodes[static_cast<size_t>(item.node)];
    const bool late = item.again || !forward_[static_cast<size_t>(item.node)];
    if (late)
      for (ValueId& id : node.inputs) id = latest(id);
    if (late && node.op->alias) to_.graph.value(node.outputs[0]).alias_of = node.inputs[0];
    if (item.again) {
      ++to_.recomputed;
      if (const ValueId gate = gate_of(item.needed_by); gate >= 0) node.after = {gate};
      for (ValueId& id : node.outputs) id = copy_of(id);
    }
    push(std::move(node), from_.steps[static_cast<size_t>(item.node)]);
  }

  Plan result() { return std::move(to_); }

 private:
  void push(Node node, PlannedStep step) {
    const auto n = static_cast<NodeId>(to_.graph.nodes.size());
    for (const ValueId id : node.outputs) to_.graph.value(id).producer = n;
    step.node = n;
    to_.graph.nodes.push_back(std::move(node));
    to_.steps.push_back(std::move(step));
  }

  ValueId copy_of(ValueId id) {
    Value value = to_.graph.value(id);
    to_.graph.values.push_back(std::move(value));
    return copies_[id] = static_cast<ValueId>(to_.graph.values.size()) - 1;
  }

  /// The copy that was computed again last, if there is one; a view of it for a view.
  ValueId latest(ValueId id) {
    const auto copy = copies_.find(id);
    if (from_.graph.value(id).alias_of < 0) return copy != copies_.end() ? copy->second : id;
    const auto maker = static_cast<size_t>(from_.graph.value(id).producer);
    Node view = from_.graph.nodes[maker];
    const ValueId shown = latest(view.inputs[0]);
    if (shown == view.inputs[0]) return id;
    if (copy != copies_.end() && to_.graph.value(copy->second).alias_of == shown)
      return copy->second;
    view.inputs[0] = shown;
    view.outputs[0] = copy_of(id);
    to_.graph.value(view.outputs[0]).alias_of = shown;
    push(view, from_.steps[maker]);
    return view.outputs[0];
  }

  /// What the backward node waits for besides: a gradient. Without it the copies could run early.
  ValueId gate_of(NodeId needed_by) const {
    const Node& node = from_.graph.nodes[static_cast<size_t>(needed_by)];
    for (const ValueId id : node.inputs) {
      const NodeId maker = from_.graph.value(from_.graph.root(id)).producer;
      if (maker >= 0 && !forward_[static_cast<size_t>(maker)]) return from_.graph.root(id);
    }
    return from_.graph.outputs[0];
  }

  const Plan& from_;
  const std::vector<bool>& forward_;
  Plan to_;
  std::map<ValueId, ValueId> copies_;
};

Plan Recomputer::rewritten() const {
  Rewriter rewriter(plan_, forward_);
  for (const Item& item : items()) rewriter.add(item);
  return rewriter.result();
}

}  // namespace

Plan recompute(const Plan& plan, i64 live_bytes) {
  Recomputer recomputer(plan);
  recomputer.drop_until(live_bytes);
  return recomputer.rewritten();
}

}  // namespace goneuron
