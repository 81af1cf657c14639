// Attention and its gradient, cut by samples or by key heads.
#include <string_view>

#include "backends/cpu/attention_loops.h"
#include "backends/cpu/kernel.h"

namespace goneuron::cpu::attention_kernel {

namespace {

AttentionSizes sizes_of(const Graph& graph, const Node& node) {
  const bool cross = node.attrs.integer("cross", 0) != 0;
  return attention_sizes(graph.in_shape(node, 0), graph.in_shape(node, cross ? 1 : 0), node.attrs);
}

bool is_grad(const Node& node) { return std::string_view(node.op->name) == "attention_grad"; }

/// A tensor of packed heads, its last axis cut by key heads: `parts` times, where the parts have as
/// many heads; else it is no even cut, and every tile counts as touching it all.
Scheme::Access by_heads(const Shape& shape, i64 parts, i64 tiles) {
  if (parts == 0) return {true, {}};
  return {false, {shape[0] * shape[1] * parts, tiles, tiles}};
}

Scheme head_scheme(const Graph& graph, const Node& node, const AttentionSizes& s, i64 tiles) {
  Scheme scheme = single_tile(node);
  scheme.name = "heads";
  scheme.tiles = tiles;
  scheme.merges = true;
  for (auto& in : scheme.in) in.all = true;
  const bool grad = is_grad(node);
  const i64 packed = s.cross ? 1 : s.group() == 1 ? 3 : 0;
  scheme.in[0] = by_heads(graph.in_shape(node, 0), packed, tiles);
  if (s.cross) scheme.in[1] = by_heads(graph.in_shape(node, 1), 2, tiles);
  const auto of_rows = [&](const Shape& rows) {
    return Scheme::Access{false, cut(rows, 1, tiles)};
  };
  const auto at = static_cast<size_t>(s.operands());
  if (grad) {
    for (size_t i = at; i < scheme.in.size(); ++i) {
      const Shape& shape = graph.in_shape(node, static_cast<int>(i));
      scheme.in[i] = i == at + 1 || i == at + 3 ? of_rows(shape) : by_heads(shape, 1, tiles);
    }
    scheme.out[0] = by_heads(graph.out_shape(node, 0), packed, tiles);
    if (s.cross) scheme.out[1] = by_heads(graph.out_shape(node, 1), 2, tiles);
  } else {
    scheme.out[0] = by_heads(graph.out_shape(node, 0), 1, tiles);
    scheme.out[1] = of_rows(graph.out_shape(node, 1));
  }
  return scheme;
}

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  const AttentionSizes s = sizes_of(graph, node);
  std::vector<Scheme> all = {single_tile(node)};
  constexpr double least_pairs = 4096;  // of a query with a key, a tile
  for (const i64 tiles : tile_counts(graph)) {
    if (s.pairs() / static_cast<double>(tiles) < least_pairs) continue;
    if (s.batch >= tiles) all.push_back(by_rows(graph, node, tiles, ~0U));
    if (s.kv_heads % tiles == 0) all.push_back(head_scheme(graph, node, s, tiles));
  }
  for (Scheme& scheme : all) scheme.scratch = attention_scratch(s, is_grad(node));
  return all;
}

struct Args {
  AttentionLoops loops;
  AttentionHead head;
  bool by_heads;
  i64 tiles;
};

void run(const Args& args, i64 begin, i64 end, void* scratch) {
  const AttentionSizes& s = args.loops.sizes;
  i64 batch = 0, batches = s.batch, head = 0, heads = s.kv_heads;
  (args.by_heads ? head : batch) = tile_begin(args.by_heads ? heads : batches, args.tiles, begin);
  (args.by_heads ? heads : batches) = tile_begin(args.by_heads ? heads : batches, args.tiles, end);
  for (i64 b = batch; b < batches; ++b)
    for (i64 h = head; h < heads; ++h) args.head(args.loops, b, h, scratch);
}

Call lower(const BoundNode& bound) {
  Args args{};
  AttentionLoops& l = args.loops;
  l.sizes = sizes_of(bound.graph, bound.node);
  const AttentionSizes& s = l.sizes;
  const auto at = static_cast<size_t>(s.operands());
  l.q = bound.input(0);
  l.kv = s.cross ? bound.input(1) : l.q;
  l.mask = s.mask ? bound.input(at - 1) : nullptr;
  l.scalars = bound.scalars;
  l.bf16 = bound.node.attrs.integer("bf16", 0) != 0;
  l.stream = static_cast<std::uint32_t>(bound.node.attrs.integer("stream", 0));
  if (is_grad(bound.node)) {
    l.out = static_cast<float*>(bound.in[at]);
    l.lse = static_cast<float*>(bound.in[at + 1]);
    l.dout = bound.input(at + 2);
    l.dlse = bound.input(at + 3);
    l.dq = bound.output(0);
    l.dkv = s.cross ? bound.output(1) : l.dq;
  } else {
    l.out = bound.output(0);
    l.lse = bound.output(1);
  }
  args.head = is_grad(bound.node) ? attention_backward() : attention_forward();
  args.by_heads = std::string_view(bound.scheme.name) == "heads";
  args.tiles = bound.scheme.tiles;
  return make_call(args, run);
}

constexpr KernelDef kernels[] = {{"attention", nullptr, schemes, lower},
                                 {"attention_grad", nullptr, schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::attention_kernel
