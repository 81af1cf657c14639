// Batch norm in its parts: sums over rows, cut by rows, whose parts a tree adds up, and what is
// done to each element.
#include "backends/cpu/channel_rows.h"
#include "backends/cpu/kernel.h"

namespace goneuron::cpu::batch_norm_kernel {

namespace {

struct Args {
  const float *x, *dy, *gamma, *beta, *mean, *var, *dgamma, *dbeta, *residual;
  float *out, *out2;
  i64 channels, rows, tile_floats;
  float epsilon;
  bool relu;  // follows forwards, and masks dy backwards
  Pieces pieces;
  ChannelRows loops;
};

float inverse(const Args& a, i64 c) { return 1 / std::sqrt(a.var[c] + a.epsilon); }
/// The factor of x - mean; forwards and backwards the same bits, since relu's mask is made again.
void scales(const Args& a, float* scale) {
  for (i64 j = 0; j < a.channels; ++j) scale[j] = a.gamma[j] * inverse(a, j);
}

/// Deviations from the mean, squared or times dy: this tile's part of the sums.
void run_sums(const Args& a, i64 begin, i64 end, void* scratch) {
  const i64 c = a.channels;
  float* first = a.out + begin * a.tile_floats;
  float* second = a.out2 ? a.out2 + begin * a.tile_floats : nullptr;
  std::fill_n(first, c, 0.0F);
  if (second) std::fill_n(second, c, 0.0F);
  auto* scale = static_cast<float*>(scratch);
  if (a.relu) scales(a, scale);
  a.pieces.each(begin, end, [&](i64 from, i64 count) {
    if (a.relu)
      a.loops.masked_deviations(a.x + from, a.dy + from, a.mean, scale, a.beta, count / c, c, first,
                                second, scale + c);
    else
      a.loops.deviations(a.x + from, a.dy ? a.dy + from : nullptr, a.mean, count / c, c, first,
                         second, scale + c);
  });
  for (i64 j = 0; j < c; ++j) first[j] *= a.dy ? inverse(a, j) : 1 / static_cast<float>(a.rows);
}

/// (x - mean) * scale + shift, or relu(.. + residual)
void run_infer(const Args& a, i64 begin, i64 end, void* scratch) {
  const i64 c = a.channels;
  auto* scale = static_cast<float*>(scratch);
  scales(a, scale);
  a.pieces.each(begin, end, [&](i64 from, i64 count) {
    a.loops.normalise({a.x + from, nullptr, a.out + from, a.mean, scale, a.beta, nullptr,
                       a.residual ? a.residual + from : nullptr, a.relu},
                      count / c, c, scale + c);
  });
}

/// scale * (dy - dbeta / n - (x - mean) * inverse * dgamma / n)
void run_input_grad(const Args& a, i64 begin, i64 end, void* scratch) {
  const i64 c = a.channels;
  auto* scale = static_cast<float*>(scratch);
  float *mean_dy = scale + c, *slope = mean_dy + c;
  const auto n = static_cast<float>(a.rows);
  scales(a, scale);
  for (i64 j = 0; j < c; ++j) {
    const float by = inverse(a, j);
    mean_dy[j] = a.dbeta[j] / n;
    slope[j] = by * (a.dgamma[j] / n);
  }
  a.pieces.each(begin, end, [&](i64 from, i64 count) {
    a.loops.normalise({a.x + from, a.dy + from, a.out + from, a.mean, scale, mean_dy, slope,
                       nullptr, false, a.relu ? a.beta : nullptr},
                      count / c, c, slope + c);
  });
}

/// Elements are cut by the first two axes; sums likewise, in parts.
std::vector<Scheme> schemes(const Graph& graph, const Node& node, bool sums) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& x = graph.in_shape(node, 0);
  for (int axis = 0; axis < std::min(x.rank() - 1, 2); ++axis)
    for (const i64 tiles : tile_counts(graph)) {
      if (x[axis] < tiles || x.elements() / tiles < 1024) continue;
      Scheme scheme = single_tile(node);
      scheme.name = axis == 0 ? "rows" : "columns";
      scheme.tiles = tiles;
      scheme.merges = !sums;
      scheme.partial = sums;
      for (size_t i = 0; i < node.inputs.size(); ++i)
        if (graph.in_shape(node, static_cast<int>(i)) == x)
          scheme.in[i].part = cut(x, axis, tiles);
        else
          scheme.in[i].all = true;
      for (auto& out : scheme.out)
        out.part = sums ? Partition{1, tiles, tiles} : cut(x, axis, tiles);
      all.push_back(scheme);
    }
  for (Scheme& scheme : all)
    scheme.scratch = channel_rows_scratch(columns_of(x)) + 3 * columns_of(x) * i64{sizeof(float)};
  return all;
}
std::vector<Scheme> sum_schemes(const Graph& graph, const Node& node) {
  return schemes(graph, node, true);
}
std::vector<Scheme> element_schemes(const Graph& graph, const Node& node) {
  return schemes(graph, node, false);
}

Args args_of(const BoundNode& bound) {
  const Shape& x = bound.in_shape(0);
  Args a{};
  a.x = bound.input(0);
  a.out = bound.output(0);
  a.channels = a.tile_floats = columns_of(x);
  a.rows = rows_of(x);
  a.epsilon = static_cast<float>(bound.node.attrs.real("epsilon"));
  a.pieces =
      pieces_of(x, std::string_view(bound.scheme.name) == "columns" ? 1 : 0, bound.scheme.tiles);
  a.loops = channel_rows();
  return a;
}

Call lower_var(const BoundNode& bound) {
  Args a = args_of(bound);
  a.mean = bound.input(1);
  return make_call(a, run_sums);
}
Call lower_weight_grad(const BoundNode& bound) {
  Args a = args_of(bound);
  a.mean = bound.input(1);
  a.var = bound.input(2);
  a.dy = bound.input(3);
  a.out2 = bound.output(1);
  return make_call(a, run_sums);
}
Call lower_infer(const BoundNode& bound) {
  Args a = args_of(bound);
  a.gamma = bound.input(1);
  a.beta = bound.input(2);
  a.mean = bound.input(3);
  a.var = bound.input(4);
  return make_call(a, run_infer);
}
Call lower_input_grad(const BoundNode& bound) {
  Args a = args_of(bound);
  a.gamma = bound.input(1);
  a.mean = bound.input(2);
  a.var = bound.input(3);
  a.dy = bound.input(4);
  a.dgamma = bound.input(5);
  a.dbeta = bound.input(6);
  return make_call(a, run_input_grad);
}

Call lower_relu(const BoundNode& bound) {
  Args a = args_of(bound);
  a.gamma = bound.input(1);
  a.beta = bound.input(2);
  a.mean = bound.input(3);
  a.var = bound.input(4);
  a.residual = bound.input(5);
  a.relu = true;
  return make_call(a, run_infer);
}
Call lower_relu_weight_grad(const BoundNode& bound) {
  Args a = args_of(bound);
  a.gamma = bound.input(1);
  a.beta = bound.input(2);
  a.mean = bound.input(3);
  a.var = bound.input(4);
  a.dy = bound.input(5);
  a.out2 = bound.output(1);
  a.relu = true;
  return make_call(a, run_sums);
}
Call lower_relu_input_grad(const BoundNode& bound) {
  Args a = args_of(bound);
  a.gamma = bound.input(1);
  a.beta = bound.input(2);
  a.mean = bound.input(3);
  a.var = bound.input(4);
  a.dy = bound.input(5);
  a.dgamma = bound.input(6);
  a.dbeta = bound.input(7);
  a.relu = true;
  return make_call(a, run_input_grad);
}

bool supports(const Graph& graph, const Node& node) {
  return graph.in_shape(node, 0).elements() > 0;
}

constexpr KernelDef kernels[] = {
    {"batch_norm_var", supports, sum_schemes, lower_var},
    {"batch_norm_weight_grad", supports, sum_schemes, lower_weight_grad},
    {"batch_norm_infer", supports, element_schemes, lower_infer},
    {"batch_norm_input_grad", supports, element_schemes, lower_input_grad},
    {"batch_norm_relu", supports, element_schemes, lower_relu},
    {"batch_norm_relu_weight_grad", supports, sum_schemes, lower_relu_weight_grad},
    {"batch_norm_relu_input_grad", supports, element_schemes, lower_relu_input_grad}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::batch_norm_kernel
