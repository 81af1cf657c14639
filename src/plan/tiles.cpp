// The tiles pass: picks for each node the scheme that moves the fewest bytes between two cores.
// The choice is a function of the graph alone, so results do not depend on the machine or the
// number of workers.
#include <algorithm>
#include <limits>
#include <numeric>

#include "graph/order.h"
#include "graph/passes/cleanup.h"
#include "plan/plan.h"

namespace goneuron {

namespace {

// A model of a machine with two cores; only ratios matter, and they hold from laptops to servers.
constexpr double flops_per_us = 60e3, bytes_per_us = 12e3, barrier_us = 1.0;
// What few tiles cost: more workers than tiles find nothing to do, and a tile outgrows the caches.
constexpr double few_tiles = 0.1;
constexpr double least_piece = 4096, piece_us = 0.03;

/// Even cuts of which one refines the other: two workers have the same halves, and need no more
/// than a barrier.
bool nested(const Partition& a, const Partition& b) {
  return a.tiles % 2 == 0 && b.tiles % 2 == 0 && a.outer == b.outer && a.units == a.tiles &&
         b.units == b.tiles && (a.tiles % b.tiles == 0 || b.tiles % a.tiles == 0);
}

class Chooser {
 public:
  Chooser(const Graph& graph, const Backend& cpu)
      : graph_(graph), writers_(graph.values.size(), -1), readers_(graph.values.size(), -1) {
    for (const Node& node : graph.nodes)
      options_.push_back(cpu.supports(graph, node) ? cpu.schemes(graph, node)
                                                   : std::vector<Scheme>{single_tile(node)});
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      flops_.push_back(node_flops(graph, graph.nodes[n]));
      if (graph.nodes[n].op->alias) continue;  // it neither computes nor moves anything
      const Node& node = graph.nodes[n];
      for (size_t i = 0; i < node.inputs.size(); ++i)
        if (int& reader = readers_[static_cast<size_t>(graph.root(node.inputs[i]))];
            reader < 0 && !(node.op->shape_only >> i & 1))
          reader = static_cast<int>(n);
      for (const ValueId id : graph.nodes[n].outputs)
        writers_[static_cast<size_t>(graph.root(id))] = static_cast<int>(n);
    }
    // Neighbours: nodes that share a value.
    neighbours_.resize(graph.nodes.size());
    std::vector<std::vector<int>> touching(graph.values.size());
    for (size_t n = 0; n < graph.nodes.size(); ++n) {
      for (const ValueId id : graph.nodes[n].inputs)
        touching[static_cast<size_t>(graph.root(id))].push_back(static_cast<int>(n));
      for (const ValueId id : graph.nodes[n].outputs)
        touching[static_cast<size_t>(graph.root(id))].push_back(static_cast<int>(n));
    }
    for (const auto& list : touching)
      for (const int a : list)
        neighbours_[static_cast<size_t>(a)].insert(neighbours_[static_cast<size_t>(a)].end(),
                                                   list.begin(), list.end());
    for (auto& list : neighbours_) {
      std::sort(list.begin(), list.end());
      list.erase(std::unique(list.begin(), list.end()), list.end());
    }
  }

  /// Descends from several starts (each scheme name preferred everywhere), keeps the cheapest.
  std::vector<Scheme> run() {
    std::vector<std::pair<std::string, i64>> starts;
    for (const auto& list : options_)
      for (const Scheme& scheme : list)
        if (const std::pair<std::string, i64> start{scheme.name, scheme.tiles};
            std::find(starts.begin(), starts.end(), start) == starts.end())
          starts.push_back(start);
    double best = std::numeric_limits<double>::infinity();
    std::vector<size_t> best_choice(options_.size(), 0);
    for (const auto& [name, tiles] : starts) {
      choice_.assign(options_.size(), 0);
      for (size_t n = 0; n < options_.size(); ++n)
        for (size_t s = 0; s < options_[n].size(); ++s)
          if (options_[n][s].tiles == tiles && (choice_[n] == 0 || options_[n][s].name == name))
            choice_[n] = s;
      descend();
      double total = 0;
      for (size_t n = 0; n < options_.size(); ++n) total += cost(n);
      if (total < best * 0.999) {
        best = total;
        best_choice = choice_;
      }
    }
    std::vector<Scheme> result;
    for (size_t n = 0; n < options_.size(); ++n) result.push_back(options_[n][best_choice[n]]);
    return result;
  }

 private:
  void descend() {
    for (int sweep = 0; sweep < 8; ++sweep) {
      bool changed = false;
      for (size_t n = 0; n < options_.size(); ++n) {
        if (options_[n].size() < 2) continue;
        size_t best = choice_[n];
        double best_cost = around(n);
        const size_t before = best;
        for (size_t s = 0; s < options_[n].size(); ++s) {
          choice_[n] = s;
          const double here = around(n);
          if (here < best_cost - 1e-9) {
            best_cost = here;
            best = s;
          }
        }
        choice_[n] = best;
        changed |= best != before;
      }
      if (!changed) return;
    }
  }

  double around(size_t n) const {
    double sum = 0;
    for (const int m : neighbours_[n]) sum += cost(static_cast<size_t>(m));
    return sum;
  }

  /// Time of node n on two cores, with the bytes that it has to fetch from the other one.
  double cost(size_t n) const {
    const Node& node = graph_.nodes[n];
    if (node.op->alias) return 0;
    const Scheme& scheme = options_[n][choice_[n]];
    double us = flops_[n] / flops_per_us / (scheme.tiles > 1 ? 2 : 1) *
                (1 + few_tiles / static_cast<double>(scheme.tiles));
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.op->shape_only >> i & 1) continue;
      // A table costs what a batch of the floats that it stands for would: so the cuts are the
      // same, and with them the results, bit for bit.
      const bool table = graph_.in(node, static_cast<int>(i)).table >= 0;
      const auto bytes = static_cast<double>(read_bytes(graph_, node, i)) * (table ? 4 : 1);
      us += bytes / bytes_per_us / (scheme.tiles > 1 && !scheme.in[i].all ? 2 : 1) *
            0.25;  // touching it at all
      us += pieces_us(scheme.in[i], bytes);
      const auto root = static_cast<size_t>(graph_.root(node.inputs[i]));
      const int writer = writers_[root];
      if (writer < 0 || writer == static_cast<int>(n)) continue;
      const Scheme& written =
          options_[static_cast<size_t>(writer)][choice_[static_cast<size_t>(writer)]];
      if (written.partial && readers_[root] == static_cast<int>(n)) {
        // The tree, which its first reader pays for, reads what every tile wrote.
        us += bytes * static_cast<double>(written.tiles) / 2 / bytes_per_us + barrier_us;
        continue;
      }
      const Partition part = written.partial ? whole() : partition_of(writer, node.inputs[i]);
      if (scheme.in[i].all ? part.tiles == 1 && scheme.tiles == 1 : scheme.in[i].part == part)
        continue;
      // A worker that needs all fetches the half that the other one wrote; of a half cut in another
      // way, half.
      const bool halves = scheme.in[i].all || scheme.tiles == 1 || part.tiles == 1;
      if (scheme.in[i].all || !nested(scheme.in[i].part, part))
        us += bytes / (halves ? 2 : 4) / bytes_per_us;
      if (graph_.value(graph_.root(node.inputs[i])).producer >= 0) us += barrier_us / 2;
    }
    for (size_t o = 0; o < node.outputs.size(); ++o) {
      const auto bytes = static_cast<double>(value_bytes(graph_.value(node.outputs[o])));
      us += bytes / bytes_per_us / (scheme.tiles > 1 ? 2 : 1) * 0.25 *
            (scheme.partial ? static_cast<double>(scheme.tiles) : 1);
      us += pieces_us(scheme.out[o], bytes);
    }
    return us;
  }

  /// A part that lies in small pieces: at each end the processor fetches ahead what is the other
  /// core's. Bands, which do away with that, are laid only when all cuts are known.
  static double pieces_us(const Scheme::Access& access, double bytes) {
    const auto pieces = static_cast<double>(access.part.outer);
    if (access.all || access.part.tiles == 1 || bytes / pieces / 2 >= least_piece) return 0;
    return pieces * piece_us;
  }

  Partition partition_of(int writer, ValueId id) const {
    const Node& node = graph_.nodes[static_cast<size_t>(writer)];
    const Scheme& scheme =
        options_[static_cast<size_t>(writer)][choice_[static_cast<size_t>(writer)]];
    for (size_t o = 0; o < node.outputs.size(); ++o)
      if (graph_.root(node.outputs[o]) == graph_.root(id)) return scheme.out[o].part;
    return whole();
  }

  const Graph& graph_;
  std::vector<int> writers_, readers_;  // of each value: the last writer, the first reader
  std::vector<std::vector<Scheme>> options_;
  std::vector<std::vector<int>> neighbours_;
  std::vector<double> flops_;
  std::vector<size_t> choice_;
};

/// Puts nodes that were appended right behind the one that they finish: its parts die soon.
void behind_their_origin(Graph& graph, std::vector<Scheme>& chosen, std::vector<double>& flops,
                         const std::vector<NodeId>& origin) {
  std::vector<NodeId> order(origin.size());
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](NodeId a, NodeId b) {
    return origin[static_cast<size_t>(a)] < origin[static_cast<size_t>(b)];
  });
  std::vector<Node> nodes;
  std::vector<Scheme> schemes;
  std::vector<double> arithmetic;
  for (const NodeId n : order) {
    for (const ValueId id : graph.nodes[static_cast<size_t>(n)].outputs)
      graph.value(id).producer = static_cast<NodeId>(nodes.size());
    nodes.push_back(std::move(graph.nodes[static_cast<size_t>(n)]));
    schemes.push_back(std::move(chosen[static_cast<size_t>(n)]));
    arithmetic.push_back(flops[static_cast<size_t>(n)]);
  }
  graph.nodes = std::move(nodes);
  chosen = std::move(schemes);
  flops = std::move(arithmetic);
}

/// A node whose tiles make partial sums: its output grows a first axis, and a tree adds the parts
/// up. A fused product becomes plain: bias and activation follow the tree.
void split_sums(Plan& plan, std::vector<Scheme>& chosen, std::vector<double>& flops,
                const Backend& backend) {
  Graph& graph = plan.graph;
  const auto count = static_cast<NodeId>(graph.nodes.size());
  std::vector<NodeId> origin(static_cast<size_t>(count));
  std::iota(origin.begin(), origin.end(), 0);
  const auto append = [&](const char* op, std::vector<ValueId> inputs, Attrs attrs, NodeId like) {
    const Node copy = graph.nodes[static_cast<size_t>(like)];
    const NodeId n = graph.add(op_named(op), std::move(inputs), std::move(attrs), &copy);
    const Node& made = graph.nodes[static_cast<size_t>(n)];
    const auto schemes = backend.supports(graph, made) ? backend.schemes(graph, made)
                                                       : std::vector<Scheme>{single_tile(made)};
    // Trees over large sums are worth a cut wherever they stand; the rest is small.
    chosen.push_back(std::string_view(op) == "tree_sum" ? schemes.back() : schemes.front());
    flops.push_back(node_flops(graph, made));
    origin.push_back(like);
    return made.outputs[0];
  };
  for (NodeId n = 0; n < count; ++n) {
    if (!chosen[static_cast<size_t>(n)].partial) continue;
    const i64 tiles = chosen[static_cast<size_t>(n)].tiles;
    const auto outputs = graph.nodes[static_cast<size_t>(n)].outputs;
    const bool fused = std::string_view(graph.nodes[static_cast<size_t>(n)].op->name) == "linear";
    const Attrs attrs = graph.nodes[static_cast<size_t>(n)].attrs;
    for (size_t o = 0; o < outputs.size(); ++o) {
      const Value before = graph.value(outputs[o]);
      if (fused && o > 0) continue;
      graph.values.push_back(
          {.type = {before.type.shape.with_batch(tiles), before.type.dtype}, .producer = n});
      const auto parts = static_cast<ValueId>(graph.values.size()) - 1;
      graph.nodes[static_cast<size_t>(n)].outputs[o] = parts;
      ValueId sum = append("tree_sum", {parts}, {}, n);
      if (fused) {
        Node& product = graph.nodes[static_cast<size_t>(n)];
        const ValueId bias = product.inputs.size() > 2 ? product.inputs[2] : -1;
        if (bias >= 0) sum = append("add", {sum, bias}, {}, n);
        const ValueId z = sum;
        if (attrs.text("activation") != "linear")
          sum = append(attrs.text("activation").c_str(), {sum},
                       attrs.has("alpha") ? Attrs{{"alpha", attrs.real("alpha")}} : Attrs{}, n);
        if (outputs.size() > 1)
          for (Node& node : graph.nodes)
            std::replace(node.inputs.begin(), node.inputs.end(), outputs[1], z);
      }
      graph.value(sum).gradient_of = before.gradient_of;
      for (Node& node : graph.nodes)
        std::replace(node.inputs.begin(), node.inputs.end(), outputs[o], sum);
      std::replace(graph.outputs.begin(), graph.outputs.end(), outputs[o], sum);
      for (Value& value : graph.values)
        if (value.alias_of == outputs[o]) value.alias_of = sum;
    }
    if (fused) {  // what remains of it is the plain product
      Node& product = graph.nodes[static_cast<size_t>(n)];
      product.op = &op_named("matmul");
      product.attrs = attrs.has("bf16") ? Attrs{{"bf16", attrs.integer("bf16")}} : Attrs{};
      product.inputs.resize(2);
      product.outputs.resize(1);
      chosen[static_cast<size_t>(n)].in.resize(2);
      chosen[static_cast<size_t>(n)].out.resize(1);
    }
  }
  behind_their_origin(graph, chosen, flops, origin);
}

/// Finds the steps whose outputs are read in another cut than they are written in, but for cuts
/// that give two workers the same halves.
void mark_crossings(const Graph& graph, std::vector<Scheme>& chosen) {
  struct Written {
    int node = -1;
    Partition part;
  };
  std::vector<Written> written(graph.values.size());
  for (size_t n = 0; n < graph.nodes.size(); ++n)
    for (size_t o = 0; o < chosen[n].out.size() && !graph.nodes[n].op->alias; ++o)
      written[static_cast<size_t>(graph.root(graph.nodes[n].outputs[o]))] = {static_cast<int>(n),
                                                                             chosen[n].out[o].part};
  for (size_t n = 0; n < graph.nodes.size(); ++n) {
    const Node& node = graph.nodes[n];
    for (size_t i = 0; i < node.inputs.size() && !node.op->alias; ++i) {
      const Written& from = written[static_cast<size_t>(graph.root(node.inputs[i]))];
      if (from.node < 0 || from.node == static_cast<int>(n) || node.op->shape_only >> i & 1)
        continue;
      const Scheme::Access& access = chosen[n].in[i];
      if ((access.all && chosen[n].tiles > 1) ||
          !(access.part == from.part || nested(access.part, from.part)))
        chosen[static_cast<size_t>(from.node)].crosses = true;
    }
  }
}

}  // namespace

void choose_tiles(Plan& plan, const Backend& backend) {
  auto chosen = Chooser(plan.graph, backend).run();
  // Before the cut: the shapes of parts say nothing about the arithmetic.
  std::vector<double> flops;
  for (const Node& node : plan.graph.nodes) flops.push_back(node_flops(plan.graph, node));
  split_sums(plan, chosen, flops, backend);
  mark_crossings(plan.graph, chosen);
  for (size_t n = 0; n < plan.graph.nodes.size(); ++n) {
    const Node& node = plan.graph.nodes[n];
    const Backend* runs = backend.supports(plan.graph, node) || chosen[n].partial
                              ? &backend
                              : &backend_named("reference");
    plan.steps.push_back({static_cast<NodeId>(n), chosen[n], runs});
    plan.steps.back().flops = flops[n];
  }
  lay_in_bands(plan);
}

}  // namespace goneuron
