// Matrix products: matmul and the fused linear, cut by rows, by columns, or by partial sums.
#include <algorithm>

#include "backends/cpu/gemm.h"
#include "backends/cpu/kernel.h"

namespace goneuron::cpu::matmul_kernel {

namespace {

/// The product as [m, k] x [k, n], whatever is transposed.
struct Sizes {
  i64 m, n, k;
  bool ta, tb;
};

Sizes sizes_of(const Graph& graph, const Node& node) {
  const Shape &a = graph.in_shape(node, 0), &b = graph.in_shape(node, 1);
  const bool ta = node.attrs.integer("ta", 0) != 0, tb = node.attrs.integer("tb", 0) != 0;
  if (ta) return {a[-1], b[-1], rows_of(a), true, false};
  return {rows_of(a), tb ? b[0] : b[-1], a[-1], false, tb};
}

bool supports(const Graph& graph, const Node& node) {
  return graph.in_shape(node, 0).rank() >= 1 &&
         (graph.in_shape(node, 1).rank() == 2 || node.attrs.integer("ta", 0));
}

enum Cut : i64 { cut_rows, cut_columns, cut_sums };

constexpr i64 least_rows = 16, least_columns = 64, least_sum_rows = 512, least_sum_features = 128;

/// The part of a matrix that a tile of its columns touches.
Scheme::Access columns_of(const Shape& shape, i64 tiles) {
  return {false, cut(shape, shape.rank() - 1, tiles), shape.rank() == 2 ? shape[1] : 1};
}

Scheme row_scheme(const Graph& graph, const Node& node, i64 tiles, bool ta) {
  Scheme scheme = by_rows(graph, node, tiles, 1);
  if (ta) scheme.in[0] = columns_of(graph.in_shape(node, 0), tiles);
  return scheme;
}

Scheme column_scheme(const Graph& graph, const Node& node, i64 tiles, bool tb) {
  Scheme scheme = single_tile(node);
  scheme.name = "columns";
  scheme.tiles = tiles;
  scheme.merges = true;
  scheme.in[0].all = true;
  const Shape& b = graph.in_shape(node, 1);
  scheme.in[1].part = cut(b, tb ? 0 : b.rank() - 1, tiles);
  if (node.inputs.size() > 2) scheme.in[2].part = cut(graph.in_shape(node, 2), 0, tiles);
  for (size_t o = 0; o < node.outputs.size(); ++o) {
    scheme.out[o] = columns_of(graph.out_shape(node, static_cast<int>(o)), tiles);
    if (node.outputs.size() > 1) scheme.out[o].most_bands = 1;
  }
  return scheme;
}

Scheme sum_scheme(const Graph& graph, const Node& node, i64 tiles, bool ta) {
  Scheme scheme = single_tile(node);
  scheme.name = "sums";
  scheme.tiles = tiles;
  scheme.partial = true;
  const Shape &a = graph.in_shape(node, 0), &b = graph.in_shape(node, 1);
  if (ta)
    scheme.in[0].part = cut(a, 0, tiles);
  else
    scheme.in[0] = columns_of(a, tiles);
  scheme.in[1].part = cut(b, 0, tiles);
  for (auto& out : scheme.out) out.part = {1, tiles, tiles};
  return scheme;
}

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  const Sizes s = sizes_of(graph, node);
  std::vector<Scheme> all = {single_tile(node)};
  const i64 first = s.ta ? s.m : graph.out_shape(node)[0];
  for (const i64 tiles : tile_counts(graph)) {
    if (first >= tiles && s.m / tiles >= least_rows)
      all.push_back(row_scheme(graph, node, tiles, s.ta));
    if (s.n / tiles >= least_columns) all.push_back(column_scheme(graph, node, tiles, s.tb));
    if (s.tb) continue;
    const bool whole_samples =
        graph.in_shape(node, 0)[0] >= tiles && graph.in_shape(node, 1)[0] >= tiles;
    if (s.ta ? s.k / tiles >= least_sum_rows && whole_samples
             : s.k % tiles == 0 && s.k / tiles >= least_sum_features)
      all.push_back(sum_scheme(graph, node, tiles, s.ta));
  }
  for (Scheme& scheme : all) scheme.scratch = gemm_scratch(s.m, s.n, s.k);
  return all;
}

struct Args {
  Gemm gemm;
  GemmKernel kernel;
  Cut cut;
  i64 tiles;
  i64 units;  // rows are cut in whole units of `unit` rows
  i64 unit;
  i64 band;       // of the dimension that is cut, what lies together in an operand in bands
  i64 band_size;  // floats from one band to the next
  Follower follower;
};

/// The rows, columns or steps of the sums [from, to) of the product, which lie in one band.
void run_band(const Args& args, Gemm g, i64 from, i64 to, float* sums, void* scratch) {
  const i64 band = from / args.band * args.band_size, within = from % args.band;
  if (args.cut == cut_columns) {
    g.b += from * g.b_col;
    g.c += band + within;
    if (g.z) g.z += from;
    if (g.bias) g.bias += from;
    g.n = to - from;
  } else if (args.cut == cut_sums) {
    g.a += band + within * g.a_col;
    g.b += from * g.b_row;
    g.c = sums;
    g.k = to - from;
  } else {
    g.a += band + within * g.a_row;
    g.c += from * g.c_row;
    g.first = from * g.c_row;
    if (g.z) g.z += from * g.c_row;
    g.m = to - from;
  }
  args.kernel(g, scratch);
}

void run(const Args& args, i64 begin, i64 end, void* scratch) {
  const i64 from = tile_begin(args.units, args.tiles, begin) * args.unit,
            to = tile_begin(args.units, args.tiles, end) * args.unit;
  float* sums = args.gemm.c + begin * args.gemm.m * args.gemm.n;
  Gemm g = args.gemm;
  if (args.follower.run) {
    g.follower = &args.follower;
    g.alone = end - begin == args.tiles;
  }
  i64 at = from;
  do {
    const i64 next = std::min(to, (at / args.band + 1) * args.band);
    g.fenced = next == to && args.tiles > 1 && args.cut == cut_rows;
    run_band(args, g, at, next, sums, scratch);
    g.add = args.cut == cut_sums;
    at = next;
  } while (at < to);
}

i64 bands_of(const Scheme& scheme, Cut cut) {
  return cut == cut_columns ? scheme.out[0].bands : scheme.in[0].bands;
}

Call lower_leading(const BoundNode& bound, const Follower& follower) {
  const Sizes s = sizes_of(bound.graph, bound.node);
  Args args{};
  args.follower = follower;
  Gemm& g = args.gemm;
  g.a = bound.input(0);
  g.a_row = s.ta ? 1 : s.k;
  g.a_col = s.ta ? s.m : 1;
  g.b = bound.input(1);
  g.b_row = s.tb ? 1 : s.n;
  g.b_col = s.tb ? s.k : 1;
  g.c = bound.output();
  g.c_row = s.n;
  g.m = s.m;
  g.n = s.n;
  g.k = s.k;
  if (bound.node.attrs.has("activation")) {
    g.bias = bound.input(2);
    if (bound.node.attrs.integer("keep_input", 0)) g.z = bound.output(1);
    g.activation = unary_row(bound.node.attrs.text("activation"));
    g.alpha = static_cast<float>(bound.node.attrs.real("alpha", 0));
  }
  const std::string_view name = bound.scheme.name;
  args.cut = name == "columns" ? cut_columns : name == "sums" ? cut_sums : cut_rows;
  args.tiles = bound.scheme.tiles;
  const i64 length = args.cut == cut_columns ? s.n : args.cut == cut_sums ? s.k : s.m;
  args.units = length;
  // Leading dimensions that are rows together are cut in whole samples.
  if (args.cut == cut_sums && s.ta) args.units = bound.in_shape(0)[0];
  if (args.cut == cut_rows && !s.ta && args.tiles > 1) args.units = bound.out_shape()[0];
  args.unit = length / std::max<i64>(args.units, 1);
  args.band = std::max<i64>(length, 1);
  if (const i64 bands = bands_of(bound.scheme, args.cut); bands > 1) {
    args.band = length / bands;
    args.band_size = args.band * (args.cut == cut_columns ? s.m : s.ta ? s.k : s.m);
    (args.cut == cut_columns ? g.c_row : s.ta ? g.a_col : g.a_row) = args.band;
  }
  args.kernel =
      bound.node.attrs.integer("bf16", 0) ? gemm_bf16_kernel() : gemm_kernel_for(s.m, s.n, s.k);
  return make_call(args, run);
}

Call lower(const BoundNode& bound) { return lower_leading(bound, {}); }

/// The gradient of a weight, which an update follows.
bool leads(const Graph& graph, const Node& node, const Scheme& scheme) {
  const Sizes s = sizes_of(graph, node);
  const bool rows = scheme.tiles == 1 || scheme.name == std::string_view("rows");
  return s.ta && rows && gemm_takes_follower(s.m / scheme.tiles, s.n, s.k);
}

constexpr KernelDef kernels[] = {
    {"matmul", supports, schemes, lower, nullptr, leads, lower_leading},
    {"linear", supports, schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::matmul_kernel
