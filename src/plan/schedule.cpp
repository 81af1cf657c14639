// The schedule pass: puts the steps in an order with few barriers. Workers run ahead of each other
// between two barriers; a step needs one before it when a worker would touch what another one
// writes in the same phase. Steps that need one wait, and later ones go first, as long as what the
// waiting ones keep in memory is little. A gradient waits for the moment when the update of its
// variable can follow at once, while its tiles are in the caches.
#include <map>
#include <set>

#include "graph/order.h"
#include "plan/plan.h"

namespace goneuron {

namespace {

class Scheduler {
 public:
  Scheduler(Plan& plan, i64 patience, bool tight)
      : plan_(plan),
        graph_(plan.graph),
        patience_(patience),
        tight_(tight),
        before_guards_(before_guards(plan.graph)),
        waiting_(plan.graph.nodes.size()),
        update_of_(plan.graph.nodes.size(), none) {}

  void run() {
    const auto before = dependencies(graph_);
    const size_t count = graph_.nodes.size();
    std::vector<std::vector<NodeId>> after(count);
    for (size_t n = 0; n < count; ++n) {
      waiting_[n] = static_cast<int>(before[n].size());
      for (const NodeId earlier : before[n])
        after[static_cast<size_t>(earlier)].push_back(static_cast<NodeId>(n));
      if (before[n].empty()) ready_.insert(static_cast<NodeId>(n));
    }
    find_updates();
    std::vector<PlannedStep> order;
    int phase = 0;
    NodeId last = none;
    while (!ready_.empty()) {
      const NodeId update = last == none ? none : update_of(last);
      NodeId next = update;
      if (update == none || !ready_.contains(update) || conflicts(update))
        next = first_that_can();
      else
        order.back().with_next = true;
      const bool barrier = next == none;
      if (barrier) {
        touched_.clear();
        guarded_ = false;
        next = first_that_can();
        if (next == none) next = *ready_.begin();
        ++phase;
      }
      PlannedStep step = std::move(plan_.steps[static_cast<size_t>(next)]);
      step.barrier_before = barrier;
      ready_.erase(next);
      last = next;
      step.phase = phase;
      touch(next, step.scheme);
      order.push_back(std::move(step));
      for (const NodeId later : after[static_cast<size_t>(next)])
        if (--waiting_[static_cast<size_t>(later)] == 0) ready_.insert(later);
    }
    plan_.steps = std::move(order);
  }

 private:
  static constexpr NodeId none = -1;

  /// The first step that needs no barrier and does not wait for its update.
  NodeId first_that_can() const {
    i64 held = 0;
    for (const NodeId n : ready_) {
      const bool can = !conflicts(n) && !wants_room(n);
      if (can && !waits_for_update(n)) return n;
      held += held_by(n);
      if (held <= patience_) continue;
      return can ? n : none;
    }
    return none;
  }

  /// Finds the updates that run together with the step that makes their gradient. Where others read
  /// it, too, as a norm to clip by does, it does not wait: its update may depend on them.
  void find_updates() {
    std::map<ValueId, int> readers;
    for (const Node& node : graph_.nodes)
      for (const ValueId id : node.inputs) ++readers[id];
    for (size_t n = 0; n < graph_.nodes.size(); ++n) {
      const Node& node = graph_.nodes[n];
      if (node.op->mutates & 1 && node.inputs.size() > 1 && readers[node.inputs[1]] == 1)
        find_maker(static_cast<NodeId>(n), node);
    }
  }
  void find_maker(NodeId update_id, const Node& update) {
    const ValueId gradient = update.inputs[1];
    const NodeId id = graph_.value(gradient).producer;
    if (id == none) return;
    const Node& maker = graph_.nodes[static_cast<size_t>(id)];
    const PlannedStep &first = plan_.steps[static_cast<size_t>(id)],
                      &second = plan_.steps[static_cast<size_t>(update_id)];
    const auto &made = first.scheme.out[0], &read = second.scheme.in[1];
    if (maker.op->alias || maker.outputs[0] != gradient || first.backend != second.backend ||
        made.all || read.all || made.bands > 1 || !(made.part == read.part) ||
        !first.backend->runs_together(graph_, maker, first.scheme, update))
      return;
    for (const ValueId in : maker.inputs)
      for (size_t i = 0; i < update.inputs.size(); ++i)  // what one changes the other may not read
        if (update.op->mutates >> i & 1 && graph_.root(update.inputs[i]) == graph_.root(in)) return;
    update_of_[static_cast<size_t>(id)] = update_id;
  }
  NodeId update_of(NodeId n) const { return update_of_[static_cast<size_t>(n)]; }

  /// Whether the update of what `n` makes could not follow now, but could behind a barrier.
  bool waits_for_update(NodeId n) const {
    const NodeId update = update_of(n);
    return update != none && (waiting_[static_cast<size_t>(update)] > 1 || conflicts(update));
  }

  /// A large output may take the memory of what died before it only behind a barrier.
  bool wants_room(NodeId n) const {
    if (!tight_ || touched_.empty()) return false;
    const Node& node = graph_.nodes[static_cast<size_t>(n)];
    i64 bytes = 0;
    if (!node.op->alias && !node.op->mutates)
      for (const ValueId id : node.outputs) bytes += value_bytes(graph_.value(id));
    return bytes > patience_;
  }

  /// Activations that a node keeps alive while it waits.
  i64 held_by(NodeId n) const {
    i64 bytes = 0;
    for (const ValueId id : graph_.nodes[static_cast<size_t>(n)].inputs)
      if (const Value& value = graph_.value(graph_.root(id)); value.producer >= 0)
        bytes += value_bytes(value);
    return bytes;
  }

  struct Touch {
    bool write, all;
    Partition part;
  };

  template <class Visit>
  void accesses(NodeId n, const Scheme& scheme, const Visit& visit) const {
    const Node& node = graph_.nodes[static_cast<size_t>(n)];
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.op->shape_only >> i & 1) continue;
      const bool write = node.op->mutates >> i & 1;
      visit(graph_.root(node.inputs[i]),
            Touch{write, scheme.in[i].all && scheme.tiles > 1, scheme.in[i].part});
    }
    if (!node.op->alias && !node.op->mutates)
      for (size_t o = 0; o < node.outputs.size(); ++o)
        visit(graph_.root(node.outputs[o]),
              Touch{true, scheme.out[o].all && scheme.tiles > 1, scheme.out[o].part});
  }

  /// True when the step and one of this phase meet at a value that either writes, in different
  /// parts.
  bool conflicts(NodeId n) const {
    const Node& node = graph_.nodes[static_cast<size_t>(n)];
    if (node.op->alias) return false;
    bool found = false;
    accesses(n, plan_.steps[static_cast<size_t>(n)].scheme, [&](ValueId root, const Touch& mine) {
      const auto at = touched_.find(root);
      if (at == touched_.end()) return;
      for (const Touch& other : at->second)
        if ((mine.write || other.write) && (mine.all || other.all || !(mine.part == other.part)))
          found = true;
    });
    // What an update depends on besides its inputs: the status word that the loss writes.
    if (node.op->mutates && !graph_.outputs.empty()) {
      const auto at = touched_.find(graph_.root(graph_.outputs[0]));
      if (at != touched_.end() && plan_.steps[static_cast<size_t>(n)].scheme.tiles > 1)
        for (const Touch& other : at->second) found |= other.write;
      found |= guarded_ && plan_.steps[static_cast<size_t>(n)].scheme.tiles > 1 &&
               !before_guards_[static_cast<size_t>(n)];
    }
    return found;
  }

  void touch(NodeId n, const Scheme& scheme) {
    if (graph_.nodes[static_cast<size_t>(n)].op->alias) return;
    guarded_ |= graph_.nodes[static_cast<size_t>(n)].op->guards;
    accesses(n, scheme, [&](ValueId root, const Touch& mine) { touched_[root].push_back(mine); });
  }

  Plan& plan_;
  const Graph& graph_;
  const i64 patience_;
  const bool tight_;
  std::vector<bool> before_guards_;
  std::vector<int> waiting_;  // by node: steps that must come before it and have not
  std::vector<NodeId> update_of_;
  std::set<NodeId> ready_;
  bool guarded_ = false;  // this phase has a step that may set the status
  std::map<ValueId, std::vector<Touch>> touched_;
};

}  // namespace

void schedule(Plan& plan, i64 patience, bool tight) { Scheduler(plan, patience, tight).run(); }

}  // namespace goneuron
