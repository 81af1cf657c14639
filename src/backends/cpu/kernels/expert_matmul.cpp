// Products of a mixture of experts: rows that lie together and have one expert are one product.
// Tiles take even ranges of all rows, or of the weights' columns or rows, whichever experts they
// meet: the work of two workers is even when the experts' is not.
#include <algorithm>
#include <cstring>

#include "backends/cpu/channel_rows.h"
#include "backends/cpu/gemm.h"
#include "backends/cpu/kernel.h"

namespace goneuron::cpu::expert_matmul_kernel {

namespace {

constexpr i64 least_rows = 16, least_columns = 64;

struct Args {
  Gemm gemm;
  GemmKernel kernel;
  const std::int32_t* experts;
  i64 rows, count, weight;  // rows, experts, elements of one expert's weight
  bool columns;
  i64 units, tiles;
  i64 flags;  // where the gradient's flags stand in the scratch memory
};

/// The end of the rows from `row` on that have one expert.
i64 run_end(const std::int32_t* experts, i64 row, i64 last) {
  const std::int32_t expert = experts[row];
  while (++row < last && experts[row] == expert) {
  }
  return row;
}
bool exists(const Args& args, i64 row) {
  return args.experts[row] >= 0 && args.experts[row] < args.count;
}

void run(const Args& args, i64 begin, i64 end, void* scratch) {
  const i64 from = tile_begin(args.units, args.tiles, begin),
            to = tile_begin(args.units, args.tiles, end);
  const i64 first = args.columns ? 0 : from, last = args.columns ? args.rows : to,
            column = args.columns ? from : 0;
  for (i64 row = first; row < last;) {
    const i64 stop = run_end(args.experts, row, last);
    Gemm g = args.gemm;
    if (args.columns) g.n = to - from;
    g.m = stop - row;
    g.a += row * g.a_row;
    g.c += row * g.c_row + column;
    if (exists(args, row)) {
      g.b += args.experts[row] * args.weight + column * g.b_col;
      if (g.bias) g.bias += args.experts[row] * g.c_row + column;
      args.kernel(g, scratch);
    } else {
      for (i64 i = 0; i < g.m; ++i)
        std::memset(g.c + i * g.c_row, 0, static_cast<size_t>(g.n) * sizeof(float));
    }
    row = stop;
  }
}

/// By an expert's share of the rows: what a kernel computes may not depend on how many it has.
GemmKernel kernel_for(const BoundNode& bound, i64 m, i64 n, i64 k) {
  return bound.node.attrs.integer("bf16", 0) ? gemm_bf16_kernel() : gemm_kernel_for(m, n, k);
}

Call lower(const BoundNode& bound) {
  const Shape &x = bound.in_shape(0), &w = bound.in_shape(1), &y = bound.out_shape();
  const bool tb = bound.node.attrs.integer("tb", 0) != 0;
  Args args{};
  args.gemm.a = bound.input(0);
  args.gemm.a_row = args.gemm.k = x[1];
  args.gemm.b = bound.input(1);
  args.gemm.b_row = tb ? 1 : y[1];
  args.gemm.b_col = tb ? x[1] : 1;
  args.gemm.bias = bound.input(3);
  args.gemm.c = bound.output();
  args.gemm.c_row = args.gemm.n = y[1];
  args.kernel = kernel_for(bound, x[0] / std::max<i64>(w[0], 1), y[1], x[1]);
  args.experts = bound.input<std::int32_t>(2);
  args.rows = x[0];
  args.count = w[0];
  args.weight = w[1] * w[2];
  args.columns = std::string_view(bound.scheme.name) == "columns";
  args.tiles = bound.scheme.tiles;
  args.units = args.columns ? y[1] : x[0];
  return make_call(args, run);
}

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  const Shape &x = graph.in_shape(node, 0), &w = graph.in_shape(node, 1),
              &y = graph.out_shape(node);
  const bool tb = node.attrs.integer("tb", 0) != 0;
  std::vector<Scheme> all = {single_tile(node)};
  for (const i64 tiles : tile_counts(graph)) {
    if (y[0] / tiles >= least_rows) all.push_back(by_rows(graph, node, tiles, 0b101));
    if (y[1] / tiles < least_columns) continue;
    Scheme scheme = by_rows(graph, node, tiles, 0);
    scheme.name = "columns";
    scheme.in[1] = {false, cut(w, tb ? 1 : 2, tiles)};
    if (node.inputs.size() == 4) scheme.in[3] = {false, cut(graph.in_shape(node, 3), 1, tiles)};
    scheme.out[0].part = cut(y, 1, tiles);
    all.push_back(scheme);
  }
  for (Scheme& scheme : all) scheme.scratch = gemm_scratch(x[0], y[1], x[1]);
  return all;
}

/// The weights' gradient: an expert's rows are added up in their order. By tiles, each run of them
/// begins another 32 of the depth.
void run_weight_grad(const Args& args, i64 begin, i64 end, void* scratch) {
  const i64 from = tile_begin(args.units, args.tiles, begin),
            to = tile_begin(args.units, args.tiles, end);
  Gemm tile = args.gemm;
  if (args.columns) {
    tile.b += from;
    tile.c += from;
    tile.n = to - from;
  } else {
    tile.a += from;
    tile.c += from * tile.c_row;
    tile.m = to - from;
  }
  char* begun = static_cast<char*>(scratch) + args.flags;
  std::memset(begun, 0, static_cast<size_t>(args.count));
  for (i64 row = 0; row < args.rows;) {
    const i64 stop = run_end(args.experts, row, args.rows);
    if (exists(args, row)) {
      const std::int32_t expert = args.experts[row];
      Gemm g = tile;
      g.a += row * g.a_col;
      g.b += row * g.b_row;
      g.k = stop - row;
      g.c += expert * args.weight;
      g.add = begun[expert] != 0;
      begun[expert] = 1;
      args.kernel(g, scratch);
    }
    row = stop;
  }
  for (i64 e = 0; e < args.count; ++e)
    for (i64 i = 0; i < tile.m && !begun[e]; ++i)
      std::memset(tile.c + e * args.weight + i * tile.c_row, 0,
                  static_cast<size_t>(tile.n) * sizeof(float));
}

i64 flags_at(const Shape& x, const Shape& dw) {
  return round_up(gemm_scratch(dw[1], dw[2], x[0]), 64);
}

Call lower_weight_grad(const BoundNode& bound) {
  const Shape &x = bound.in_shape(0), &dw = bound.out_shape();
  Args args{};
  args.gemm.a = bound.input(0);
  args.gemm.a_row = 1;
  args.gemm.a_col = args.gemm.m = dw[1];
  args.gemm.b = bound.input(1);
  args.gemm.b_row = args.gemm.n = args.gemm.c_row = dw[2];
  args.gemm.c = bound.output();
  args.kernel = kernel_for(bound, dw[1], dw[2], x[0] / std::max<i64>(dw[0], 1));
  args.experts = bound.input<std::int32_t>(2);
  args.rows = x[0];
  args.count = dw[0];
  args.weight = dw[1] * dw[2];
  args.columns = std::string_view(bound.scheme.name) == "columns";
  args.tiles = bound.scheme.tiles;
  args.units = args.columns ? dw[2] : dw[1];
  args.flags = flags_at(x, dw);
  return make_call(args, run_weight_grad);
}

std::vector<Scheme> weight_grad_schemes(const Graph& graph, const Node& node) {
  const Shape &x = graph.in_shape(node, 0), &dy = graph.in_shape(node, 1),
              &dw = graph.out_shape(node);
  std::vector<Scheme> all = {single_tile(node)};
  for (const i64 tiles : tile_counts(graph))
    for (const int axis : {1, 2}) {
      if (dw[axis] / tiles < least_columns) continue;
      Scheme scheme = by_rows(graph, node, tiles, 0);
      scheme.name = axis == 1 ? "rows" : "columns";
      const int operand = axis - 1;
      scheme.in[static_cast<size_t>(operand)] = {false, cut(operand == 0 ? x : dy, 1, tiles)};
      scheme.out[0].part = cut(dw, axis, tiles);
      all.push_back(scheme);
    }
  for (Scheme& scheme : all) scheme.scratch = flags_at(x, dw) + dw[0];
  return all;
}

struct BiasArgs {
  ChannelRows loops;
  const float* dy;
  const std::int32_t* experts;
  float* db;
  i64 rows, count, n, tiles;
};
void run_bias_grad(const BiasArgs& a, i64 begin, i64 end, void* scratch) {
  const i64 from = tile_begin(a.n, a.tiles, begin), columns = tile_begin(a.n, a.tiles, end) - from;
  for (i64 e = 0; e < a.count; ++e)
    std::memset(a.db + e * a.n + from, 0, static_cast<size_t>(columns) * sizeof(float));
  for (i64 row = 0; row < a.rows;) {
    const i64 stop = run_end(a.experts, row, a.rows), e = a.experts[row];
    if (e >= 0 && e < a.count)
      a.loops.sums(a.dy + row * a.n + from, stop - row, columns, a.n, a.db + e * a.n + from,
                   static_cast<float*>(scratch));
    row = stop;
  }
}
Call lower_bias_grad(const BoundNode& bound) {
  const Shape& db = bound.out_shape();
  return make_call<BiasArgs>(
      {channel_rows(), bound.input(0), bound.input<std::int32_t>(1), bound.output(),
       bound.in_shape(0)[0], db[0], db[1], bound.scheme.tiles},
      run_bias_grad);
}
std::vector<Scheme> bias_grad_schemes(const Graph& graph, const Node& node) {
  const Shape &dy = graph.in_shape(node, 0), &db = graph.out_shape(node);
  std::vector<Scheme> all = {single_tile(node)};
  for (const i64 tiles : tile_counts(graph)) {
    if (db[1] / tiles < least_columns || dy.elements() / tiles < 4096) continue;
    Scheme scheme = by_rows(graph, node, tiles, 0);
    scheme.name = "columns";
    scheme.in[0] = {false, cut(dy, 1, tiles)};
    scheme.out[0].part = cut(db, 1, tiles);
    all.push_back(scheme);
  }
  for (Scheme& scheme : all) scheme.scratch = channel_rows_scratch(db[1]);
  return all;
}

constexpr KernelDef kernels[] = {
    {"expert_matmul", nullptr, schemes, lower},
    {"expert_weight_grad", nullptr, weight_grad_schemes, lower_weight_grad},
    {"expert_bias_grad", nullptr, bias_grad_schemes, lower_bias_grad}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::expert_matmul_kernel
