// Sums and means over leading or all axes, and their gradients.
#include <algorithm>
#include <cstring>

#include "backends/cpu/channel_rows.h"
#include "backends/cpu/kernel.h"
#include "backends/cpu/reduce_block.h"
#include "backends/cpu/vector_ops.h"

namespace goneuron::cpu::reduce_kernel {

namespace {

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
  ChannelRows loops;
  i64 tiles;
  enum Cut { outer, inner, partial } cut;
  i64 units;  // samples that a partial sum is cut by
};

/// Four running sums, in a fixed order.
float sum_row(const float* x, i64 n) {
  float s[4] = {};
  i64 i = 0;
  for (; i + 4 <= n; i += 4)
    for (int j = 0; j < 4; ++j) s[j] += x[i + j];
  for (; i < n; ++i) s[0] += x[i];
  return (s[0] + s[1]) + (s[2] + s[3]);
}

void run_sum(const Args& a, i64 begin, i64 end, void* scratch) {
  const Block& b = a.block;
  i64 outer = 0, outers = b.outer, column = 0, columns = b.inner, row = 0, rows = b.reduced;
  float* y = a.y;
  if (a.cut == Args::outer) {
    outer = tile_begin(b.outer, a.tiles, begin);
    outers = tile_begin(b.outer, a.tiles, end) - outer;
  } else if (a.cut == Args::inner) {
    column = tile_begin(b.inner, a.tiles, begin);
    columns = tile_begin(b.inner, a.tiles, end) - column;
  } else {
    row = tile_begin(a.units, a.tiles, begin) * (b.reduced / a.units);
    rows = tile_begin(a.units, a.tiles, end) * (b.reduced / a.units) - row;
    y += begin * b.inner;
  }
  for (i64 o = outer; o < outer + outers; ++o) {
    const float* x = a.x + (o * b.reduced + row) * b.inner + column;
    float* to = y + o * b.inner + column;
    if (b.inner == 1) {
      *to = sum_row(x, rows) * a.scale;
      continue;
    }
    std::memset(to, 0, static_cast<size_t>(columns) * sizeof(float));
    a.loops.sums(x, rows, columns, b.inner, to, static_cast<float*>(scratch));
    if (a.scale != 1)
      for (i64 j = 0; j < columns; ++j) to[j] *= a.scale;
  }
}

/// Rows of the output, each one row of the input.
void run_expand(const Args& a, i64 begin, i64 end, void*) {
  const Block& b = a.block;
  const i64 unit = b.outer * b.reduced / a.units;
  for (i64 row = tile_begin(a.units, a.tiles, begin) * unit;
       row < tile_begin(a.units, a.tiles, end) * unit; ++row) {
    const float* x = a.x + row / b.reduced * b.inner;
    float* y = a.y + row * b.inner;
    for (i64 j = 0; j < b.inner; ++j) y[j] = x[j] * a.scale;
  }
}

Call lower(const BoundNode& bound) {
  const std::string_view name = bound.node.op->name, cut = bound.scheme.name;
  const bool expands = bound.node.op->shape_only != 0;
  Args args{bound.input(0),
            bound.output(),
            {},
            1,
            channel_rows(),
            bound.scheme.tiles,
            cut == "columns" ? Args::inner : Args::outer,
            1};
  const Shape& x = bound.in_shape(expands ? 1 : 0);
  block_of(x, bound.node.attrs.list("axes"), args.block);
  if (bound.scheme.partial) {
    args.cut = Args::partial;
    args.units = x[0];
  }
  if (expands && args.tiles > 1) args.units = x[0];
  if (name == "mean" || name == "mean_grad")
    args.scale = 1 / static_cast<float>(args.block.reduced);
  return make_call<Args>(args, expands ? run_expand : run_sum);
}

constexpr i64 least_floats = 4096;

/// Sums over leading axes: by columns, or by samples in parts that a tree adds up. Others: by
/// samples, which stay.
std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  Block block;
  const Shape &x = graph.in_shape(node, 0), &y = graph.out_shape(node);
  if (!block_of(x, node.attrs.list("axes"), block)) return all;
  const auto add = [&](const char* name, i64 tiles, const Partition& in, const Partition& out) {
    Scheme scheme = single_tile(node);
    scheme.name = name;
    scheme.tiles = tiles;
    scheme.in[0].part = in;
    scheme.out[0].part = out;
    scheme.partial = out == Partition{1, tiles, tiles} && std::string_view(name) == "sums";
    scheme.merges = !scheme.partial;
    all.push_back(scheme);
  };
  const bool leading = node.attrs.list("axes").front() == 0;
  for (const i64 tiles : tile_counts(graph)) {
    if (x.elements() / tiles < least_floats) continue;
    if (leading && block.inner > 1 && x[0] >= tiles)
      add("sums", tiles, cut(x, 0, tiles), {1, tiles, tiles});
    if (leading && node.attrs.list("axes").back() + 2 == x.rank() && block.inner / tiles >= 16)
      add("columns", tiles, cut(x, x.rank() - 1, tiles), cut(y, y.rank() - 1, tiles));
    if (!leading && x[0] >= tiles && node.attrs.list("axes").front() == 1)
      add("rows", tiles, cut(x, 0, tiles), cut(y, 0, tiles));
  }
  for (Scheme& scheme : all) scheme.scratch = channel_rows_scratch(block.inner);
  return all;
}

std::vector<Scheme> expand_schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape &dy = graph.in_shape(node, 0), &x = graph.out_shape(node);
  if (x.elements() == 0) return all;
  const auto& axes = node.attrs.list("axes");
  for (const i64 tiles : tile_counts(graph)) {
    // A cut of the samples is one of whole rows where what is repeated lies behind them.
    if (x[0] < tiles || x.elements() / tiles < least_floats || axes.front() > 1) continue;
    Scheme scheme = single_tile(node);
    scheme.name = "rows";
    scheme.tiles = tiles;
    scheme.merges = true;
    scheme.in[0].all = axes.front() == 0;
    if (axes.front() == 1) scheme.in[0].part = cut(dy, 0, tiles);
    scheme.out[0].part = cut(x, 0, tiles);
    all.push_back(scheme);
  }
  return all;
}

constexpr KernelDef kernels[] = {{"sum", supports, schemes, lower},
                                 {"mean", supports, schemes, lower},
                                 {"expand_like", supports, expand_schemes, lower},
                                 {"mean_grad", supports, expand_schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::reduce_kernel
