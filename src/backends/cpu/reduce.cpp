// Sums and means over leading or all axes, their gradients, and the fixed tree over partial sums.
#include <algorithm>
#include <cstring>

#include "backends/cpu/kernel.h"
#include "backends/cpu/vector_ops.h"

namespace goneuron::cpu {

namespace {

/// The reduced axes as one block [outer, reduced, inner]: they must be neighbours.
struct Block {
  i64 outer = 1, reduced = 1, inner = 1;
};

bool block_of(const Shape& shape, const std::vector<i64>& axes, Block& block) {
  if (axes.empty()) return false;
  for (size_t i = 1; i < axes.size(); ++i)
    if (axes[i] != axes[i - 1] + 1) return false;
  for (int i = 0; i < shape.rank(); ++i) {
    i64& part = i < axes.front() ? block.outer : i > axes.back() ? block.inner : block.reduced;
    part *= shape[i];
  }
  return true;
}

bool supports(const Graph& graph, const Node& node) {
  Block block;
  return block_of(graph.in_shape(node, node.op->shape_only ? 1 : 0), node.attrs.list("axes"),
                  block);
}

struct Args {
  const float* x;
  float* y;
  Block block;
  float scale;
  ColumnSums sums;
  i64 tiles;
};

void run_sum(const Args& a, i64 begin, i64 end, void*) {
  const Block& b = a.block;
  if (b.inner == 1) {  // four running sums, in a fixed order
    for (i64 o = tile_begin(b.outer, a.tiles, begin); o < tile_begin(b.outer, a.tiles, end); ++o) {
      const float* x = a.x + o * b.reduced;
      float s[4] = {};
      i64 i = 0;
      for (; i + 4 <= b.reduced; i += 4)
        for (int j = 0; j < 4; ++j) s[j] += x[i + j];
      for (; i < b.reduced; ++i) s[0] += x[i];
      a.y[o] = ((s[0] + s[1]) + (s[2] + s[3])) * a.scale;
    }
    return;
  }
  const i64 from = tile_begin(b.inner, a.tiles, begin),
            n = tile_begin(b.inner, a.tiles, end) - from;
  for (i64 o = 0; o < b.outer; ++o) {
    float* y = a.y + o * b.inner + from;
    std::memset(y, 0, static_cast<size_t>(n) * sizeof(float));
    a.sums(a.x + o * b.reduced * b.inner + from, b.reduced, n, b.inner, y);
    if (a.scale != 1)
      for (i64 j = 0; j < n; ++j) y[j] *= a.scale;
  }
}

void run_expand(const Args& a, i64, i64, void*) {
  const Block& b = a.block;
  for (i64 o = 0; o < b.outer; ++o)
    for (i64 r = 0; r < b.reduced; ++r) {
      float* y = a.y + (o * b.reduced + r) * b.inner;
      for (i64 j = 0; j < b.inner; ++j) y[j] = a.x[o * b.inner + j] * a.scale;
    }
}

Call lower(const BoundNode& bound) {
  const std::string_view name = bound.node.op->name;
  const bool expands = bound.node.op->shape_only != 0;
  Args args{bound.input(0), bound.output(), {}, 1, column_sums(), bound.scheme.tiles};
  block_of(bound.in_shape(expands ? 1 : 0), bound.node.attrs.list("axes"), args.block);
  if (name == "mean" || name == "mean_grad")
    args.scale = 1 / static_cast<float>(args.block.reduced);
  return make_call<Args>(args, expands ? run_expand : run_sum);
}

/// By columns: no sum crosses a tile. Small ones stay whole.
std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  Block block;
  const Shape& x = graph.in_shape(node, 0);
  if (!block_of(x, node.attrs.list("axes"), block) || block.outer != 1 ||
      node.attrs.list("axes").back() + 2 != x.rank())
    return all;
  for (const i64 tiles : tile_counts(graph))
    if (block.inner / tiles >= 16 && x.elements() / tiles >= 4096) {
      Scheme scheme = single_tile(node);
      scheme.name = "columns";
      scheme.tiles = tiles;
      scheme.merges = true;
      scheme.in[0].part = cut(x, x.rank() - 1, tiles);
      scheme.out[0].part = cut(graph.out_shape(node), graph.out_shape(node).rank() - 1, tiles);
      all.push_back(scheme);
    }
  return all;
}

struct TreeArgs {
  float* x;
  float* y;
  i64 parts, n;
  BinaryRow add;
};

/// The tree of the op's definition, added up in the partial sums' own memory.
void run_tree(const TreeArgs& t, i64, i64, void*) {
  i64 width = 1;
  while (width < t.parts) width *= 2;
  for (i64 half = width / 2; half > 1; half /= 2)
    for (i64 i = 0; i + half < std::min(t.parts, 2 * half); ++i)
      t.add(t.x + i * t.n, t.x + (i + half) * t.n, t.x + i * t.n, t.n, 0);
  if (t.parts > 1)
    t.add(t.x, t.x + t.n, t.y, t.n, 0);
  else
    std::memcpy(t.y, t.x, static_cast<size_t>(t.n) * sizeof(float));
}

Call lower_tree(const BoundNode& bound) {
  return make_call<TreeArgs>(
      {static_cast<float*>(bound.in[0]), bound.output(), bound.in_shape(0)[0],
       bound.out_shape().elements(), binary_row("add")},
      run_tree);
}

constexpr KernelDef kernels[] = {{"sum", supports, schemes, lower},
                                 {"mean", supports, schemes, lower},
                                 {"expand_like", supports, nullptr, lower},
                                 {"mean_grad", supports, nullptr, lower},
                                 {"tree_sum", nullptr, nullptr, lower_tree}};

}  // namespace

std::span<const KernelDef> reduce_kernels() { return kernels; }

}  // namespace goneuron::cpu
