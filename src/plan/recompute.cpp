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

/// A value as it lives: as the forward half made it, or as it was computed again.
struct Copy {
  ValueId root;
  bool again;
  bool operator<(const Copy& other) const {
    return root != other.root ? root < other.root : again < other.again;
  }
};

/// One entry of the order in which nodes run.
struct Item {
  NodeId node;
  bool again;
  NodeId needed_by;  // of an `again`: the backward node that it was computed for
};

class Recomputer {
 public:
  explicit Recomputer(const Plan& plan)
      : plan_(plan), graph_(plan.graph), forward_(graph_.nodes.size()), dropped_(forward_) {
    for (const ValueId id : graph_.outputs) {
      mark_forward(graph_.value(id).producer);
      kept_.insert(graph_.root(id));
    }
    for (size_t v = 0; v < graph_.values.size(); ++v)
      if (graph_.values[v].gradient_of) kept_.insert(graph_.root(static_cast<ValueId>(v)));
  }

  /// A node that the backward half does not read is dropped for nothing: one that is may need it
  /// then. Drops what costs least to compute again for its bytes, until the live bytes are below
  /// `target`.
  void drop_until(i64 target) {
    std::vector<NodeId> candidates = droppable();
    Load load = load_of(items());
    for (bool changed = true; changed && load.peak > target;) {
      changed = false;
      for (const NodeId n : candidates) {
        if (dropped_[static_cast<size_t>(n)]) continue;
        dropped_[static_cast<size_t>(n)] = true;
        const Load tried = load_of(items());
        const bool better =
            tried.peak != load.peak ? tried.peak < load.peak : tried.sum <= load.sum;
        dropped_[static_cast<size_t>(n)] = better;
        if (!better) continue;
        load = tried;
        changed = true;
        if (load.peak <= target) return;
      }
    }
  }

  /// `plan` with copies of what was dropped, in front of the backward nodes that need them.
  Plan rewritten() const;

 private:
  struct Load {
    i64 peak = 0;
    double sum = 0;  // over all items: breaks ties between equal peaks
  };

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
      for (const ValueId id : node.inputs)
        moved += static_cast<double>(value_bytes(graph_.value(id)));
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

  /// Whether a backward node reads the copy of `id` that is computed again.
  bool again(ValueId id) const {
    const NodeId maker = graph_.value(graph_.root(id)).producer;
    return maker >= 0 && forward_[static_cast<size_t>(maker)] &&
           dropped_[static_cast<size_t>(maker)];
  }

  void compute_again(NodeId n, NodeId needed_by, std::set<NodeId>& done,
                     std::vector<Item>& items) const {
    if (!done.insert(n).second) return;
    const Node& node = graph_.nodes[static_cast<size_t>(n)];
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (!(node.op->shape_only >> i & 1) && again(node.inputs[i]))
        compute_again(graph_.value(graph_.root(node.inputs[i])).producer, needed_by, done, items);
    items.push_back({n, true, needed_by});
  }

  std::vector<Item> items() const {
    std::vector<Item> list;
    std::set<NodeId> done;
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      if (!forward_[n] && !node.op->alias)
        for (size_t i = 0; i < node.inputs.size(); ++i)
          if (!(node.op->shape_only >> i & 1) && again(node.inputs[i]))
            compute_again(graph_.value(graph_.root(node.inputs[i])).producer,
                          static_cast<NodeId>(n), done, list);
      list.push_back({static_cast<NodeId>(n), false, -1});
    }
    return list;
  }

  /// Calls f(copy) for what an item touches.
  template <class F>
  void touched(const Item& item, const F& f) const {
    const Node& node = graph_.nodes[static_cast<size_t>(item.node)];
    if (node.op->alias) return;
    const bool late = item.again || !forward_[static_cast<size_t>(item.node)];
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (!(node.op->shape_only >> i & 1))
        f(Copy{graph_.root(node.inputs[i]), late && again(node.inputs[i])});
    if (!node.op->mutates)
      for (const ValueId id : node.outputs) f(Copy{graph_.root(id), item.again});
  }

  using Lives = std::map<Copy, std::pair<size_t, size_t>>;

  /// Where an item writes over an input that dies, only one of the two counts.
  void donate(const Item& item, size_t at, Lives& lives) const {
    const Node& node = graph_.nodes[static_cast<size_t>(item.node)];
    if (node.op->in_place == 0) return;
    const bool late = item.again || !forward_[static_cast<size_t>(item.node)];
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId root = graph_.root(node.inputs[i]);
      const auto life = lives.find({root, late && again(node.inputs[i])});
      if (!(node.op->in_place >> i & 1) || life == lives.end() || life->second.second != at ||
          life->second.first == at || bytes_of(root) != bytes_of(graph_.root(node.outputs[0])))
        continue;
      life->second.second = at - 1;
      return;
    }
  }

  Load load_of(const std::vector<Item>& list) const {
    Lives lives;
    for (size_t at = 0; at < list.size(); ++at)
      touched(list[at],
              [&](const Copy& copy) { lives.try_emplace(copy, at, at).first->second.second = at; });
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
  std::vector<bool> forward_, dropped_;
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

  /// The copy that was computed again, if there is one; a view of it for a view.
  ValueId latest(ValueId id) {
    if (const auto at = copies_.find(id); at != copies_.end()) return at->second;
    if (from_.graph.value(id).alias_of < 0) return id;
    const auto maker = static_cast<size_t>(from_.graph.value(id).producer);
    Node view = from_.graph.nodes[maker];
    const ValueId shown = latest(view.inputs[0]);
    if (shown == view.inputs[0]) return id;
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
