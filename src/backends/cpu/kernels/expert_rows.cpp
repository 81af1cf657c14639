// Tokens to the rows of their experts and back: whole rows are copied or added. A token's rows are
// gathered by the one tile that has the token, so nothing is added across tiles.
#include <cstring>

#include "backends/cpu/kernel.h"

namespace goneuron::cpu::expert_rows_kernel {

namespace {

struct Args {
  const float *from, *weights, *dy;
  const std::int32_t* index;
  float* to;
  i64 rows, slots, d, k;  // of the sorted rows; slots for each token
  i64 units, unit, tiles;
  i64 begin(i64 tile) const { return tile_begin(units, tiles, tile) * unit; }
};

bool within(i64 at, i64 size) { return at >= 0 && at < size; }

/// to[r] = weight[slot] from[slot / k] for the slot of each row; tiles share the rows.
void run_spread(const Args& a, i64 begin, i64 end, void*) {
  for (i64 r = a.begin(begin); r < a.begin(end); ++r) {
    const i64 slot = a.index[r];
    float* to = a.to + r * a.d;
    if (!within(slot, a.rows)) {
      std::memset(to, 0, static_cast<size_t>(a.d) * sizeof(float));
      continue;
    }
    const float* from = a.from + slot / a.k * a.d;
    if (!a.weights) {
      std::memcpy(to, from, static_cast<size_t>(a.d) * sizeof(float));
      continue;
    }
    const float weight = a.weights[slot];
    for (i64 j = 0; j < a.d; ++j) to[j] = weight * from[j];
  }
}

/// to[t] = sum over the token's slots of weight[slot] from[index[slot]]; tiles share the tokens.
void run_gather(const Args& a, i64 begin, i64 end, void*) {
  for (i64 t = a.begin(begin); t < a.begin(end); ++t) {
    float* to = a.to + t * a.d;
    bool first = true;
    for (i64 slot = t * a.k; slot < (t + 1) * a.k; ++slot) {
      if (!within(a.index[slot], a.rows)) continue;
      const float* from = a.from + a.index[slot] * a.d;
      const float weight = a.weights ? a.weights[slot] : 1;
      if (first)
        for (i64 j = 0; j < a.d; ++j) to[j] = weight * from[j];
      else
        for (i64 j = 0; j < a.d; ++j) to[j] += weight * from[j];
      first = false;
    }
    if (first) std::memset(to, 0, static_cast<size_t>(a.d) * sizeof(float));
  }
}

/// Sixteen running sums, in a fixed order.
float dot(const float* x, const float* y, i64 n) {
  float s[16] = {};
  i64 i = 0;
  for (; i + 16 <= n; i += 16)
    for (int j = 0; j < 16; ++j) s[j] += x[i + j] * y[i + j];
  for (int j = 0; i < n; ++i, ++j) s[j] += x[i] * y[i];
  for (int width = 8; width > 0; width /= 2)
    for (int j = 0; j < width; ++j) s[j] += s[j + width];
  return s[0];
}

/// to[slot] = from[index[slot]] . dy[slot / k]; tiles share the tokens.
void run_dot(const Args& a, i64 begin, i64 end, void*) {
  for (i64 slot = a.begin(begin) * a.k; slot < a.begin(end) * a.k; ++slot)
    a.to[slot] = within(a.index[slot], a.rows)
                     ? dot(a.from + a.index[slot] * a.d, a.dy + slot / a.k * a.d, a.d)
                     : 0;
}

Args args_of(const BoundNode& bound, i64 rows, i64 tokens, bool by_rows) {
  Args args{};
  args.rows = args.slots = rows;
  args.k = tokens == 0 ? 1 : rows / tokens;
  args.to = bound.output();
  args.tiles = bound.scheme.tiles;
  const i64 length = by_rows ? rows : tokens;
  args.units = args.tiles > 1 && !by_rows ? bound.out_shape()[0] : length;
  args.unit = args.units == 0 ? 0 : length / args.units;
  return args;
}

Call lower_dispatch(const BoundNode& bound) {
  Args args = args_of(bound, bound.out_shape()[0], rows_of(bound.in_shape(0)), true);
  args.from = bound.input(0);
  args.index = bound.input<std::int32_t>(1);
  args.d = bound.out_shape()[1];
  return make_call(args, run_spread);
}
Call lower_rows_grad(const BoundNode& bound) {
  Args args = args_of(bound, bound.out_shape()[0], rows_of(bound.in_shape(0)), true);
  args.weights = bound.input(0);
  args.index = bound.input<std::int32_t>(1);
  args.from = bound.input(2);
  args.d = bound.out_shape()[1];
  return make_call(args, run_spread);
}
Call lower_dispatch_grad(const BoundNode& bound) {
  Args args = args_of(bound, bound.in_shape(0)[0], rows_of(bound.out_shape()), false);
  args.from = bound.input(0);
  args.index = bound.input<std::int32_t>(1);
  args.d = columns_of(bound.out_shape());
  return make_call(args, run_gather);
}
Call lower_combine(const BoundNode& bound) {
  Args args = args_of(bound, bound.in_shape(0)[0], rows_of(bound.out_shape()), false);
  args.from = bound.input(0);
  args.weights = bound.input(1);
  args.index = bound.input<std::int32_t>(2);
  args.d = columns_of(bound.out_shape());
  return make_call(args, run_gather);
}
Call lower_weight_grad(const BoundNode& bound) {
  Args args = args_of(bound, bound.in_shape(0)[0], rows_of(bound.out_shape()), false);
  args.from = bound.input(0);
  args.index = bound.input<std::int32_t>(1);
  args.dy = bound.input(2);
  args.d = columns_of(bound.in_shape(2));
  return make_call(args, run_dot);
}

constexpr i64 least_floats = 4096;

/// Sorted rows are cut evenly, whichever experts they belong to; inputs in `mask` alike.
std::vector<Scheme> row_schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& y = graph.out_shape(node);
  for (const i64 tiles : tile_counts(graph))
    if (y[0] >= tiles && y.elements() / tiles >= least_floats)
      all.push_back(by_rows(graph, node, tiles, 0b10));  // the order
  return all;
}

/// Cut by samples, with what has a place for each token (bits of `mask`).
std::vector<Scheme> sample_schemes(const Graph& graph, const Node& node, unsigned mask,
                                   i64 floats) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& y = graph.out_shape(node);
  if (y.rank() < 2) return all;
  for (const i64 tiles : tile_counts(graph)) {
    if (y[0] < tiles || floats / tiles < least_floats) continue;
    Scheme scheme = by_rows(graph, node, tiles, 0);
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (mask >> i & 1) scheme.in[i] = {false, scheme.out[0].part};
    all.push_back(scheme);
  }
  return all;
}
std::vector<Scheme> dispatch_grad_schemes(const Graph& graph, const Node& node) {
  return sample_schemes(graph, node, 0b10, graph.in_shape(node, 0).elements());
}
std::vector<Scheme> combine_schemes(const Graph& graph, const Node& node) {
  return sample_schemes(graph, node, 0b110, graph.in_shape(node, 0).elements());
}
std::vector<Scheme> weight_grad_schemes(const Graph& graph, const Node& node) {
  return sample_schemes(graph, node, 0b110, graph.in_shape(node, 0).elements());
}

constexpr KernelDef kernels[] = {
    {"expert_dispatch", nullptr, row_schemes, lower_dispatch},
    {"expert_dispatch_grad", nullptr, dispatch_grad_schemes, lower_dispatch_grad},
    {"expert_combine", nullptr, combine_schemes, lower_combine},
    {"expert_combine_rows_grad", nullptr, row_schemes, lower_rows_grad},
    {"expert_combine_weight_grad", nullptr, weight_grad_schemes, lower_weight_grad}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::expert_rows_kernel
