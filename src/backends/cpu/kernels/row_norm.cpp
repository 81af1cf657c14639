// Layer norm and RMS norm: rows by rows; the weights' gradients as sums of rows in parts, which a
// tree adds up.
#include "backends/cpu/row_norm.h"

#include <cstring>

#include "backends/cpu/kernel.h"

namespace goneuron::cpu::row_norm_kernel {

namespace {

struct Args {
  RowNormArgs rows;
  float *dgamma, *dbeta;
  Pieces pieces;  // of the rows
  RowNorm loops;
};

/// The arguments from row `row` on.
RowNormArgs at(const Args& a, i64 row) {
  RowNormArgs args = a.rows;
  args.x += row * args.n;
  if (args.dy) args.dy += row * args.n;
  if (args.mean) args.mean += row;
  args.rstd += row;
  if (args.out) args.out += row * args.n;
  return args;
}

void run_forward(const Args& a, i64 begin, i64 end, void*) {
  a.pieces.each(begin, end, [&](i64 row, i64 count) { a.loops.forward(at(a, row), count); });
}
void run_input_grad(const Args& a, i64 begin, i64 end, void*) {
  a.pieces.each(begin, end, [&](i64 row, i64 count) { a.loops.input_grad(at(a, row), count); });
}
void run_weight_grad(const Args& a, i64 begin, i64 end, void*) {
  const i64 n = a.rows.n;
  float* dgamma = a.dgamma + begin * n;
  float* dbeta = a.dbeta ? a.dbeta + begin * n : nullptr;
  std::memset(dgamma, 0, static_cast<size_t>(n) * sizeof(float));
  if (dbeta) std::memset(dbeta, 0, static_cast<size_t>(n) * sizeof(float));
  a.pieces.each(begin, end,
                [&](i64 row, i64 count) { a.loops.weight_sums(at(a, row), count, dgamma, dbeta); });
}

constexpr i64 least_floats = 1024;  // of a tile

bool is(const Node& node, std::string_view name) { return node.op->name == name; }
bool centred(const Node& node) { return std::string_view(node.op->name).substr(0, 5) == "layer"; }

/// Bit i: input i holds numbers for each channel, which every tile reads whole.
unsigned channel_inputs(const Node& node) {
  if (is(node, "layer_norm")) return 0b110;
  return is(node, "layer_norm_weight_grad") || is(node, "rms_norm_weight_grad") ? 0 : 0b10;
}

/// Cuts along the first two axes that are rows; sums become parts.
std::vector<Scheme> schemes(const Graph& graph, const Node& node, bool sums) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& x = graph.in_shape(node, 0);
  for (int axis = 0; axis < std::min(x.rank() - 1, 2); ++axis)
    for (const i64 tiles : tile_counts(graph)) {
      if (x[axis] < tiles || x.elements() / tiles < least_floats) continue;
      Scheme scheme = single_tile(node);
      scheme.name = axis == 0 ? "rows" : "columns";
      scheme.tiles = tiles;
      scheme.merges = !sums;
      scheme.partial = sums;
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        scheme.in[i].all = channel_inputs(node) >> i & 1;
        if (!scheme.in[i].all)
          scheme.in[i].part = cut(graph.in_shape(node, static_cast<int>(i)), axis, tiles);
      }
      for (size_t o = 0; o < node.outputs.size(); ++o)
        scheme.out[o].part = sums ? Partition{1, tiles, tiles}
                                  : cut(graph.out_shape(node, static_cast<int>(o)), axis, tiles);
      all.push_back(scheme);
    }
  return all;
}
std::vector<Scheme> row_schemes(const Graph& graph, const Node& node) {
  return schemes(graph, node, false);
}
std::vector<Scheme> sum_schemes(const Graph& graph, const Node& node) {
  return schemes(graph, node, true);
}

Args args_of(const BoundNode& bound) {
  const Shape& x = bound.in_shape(0);
  Args a{};
  a.rows.x = bound.input(0);
  a.rows.n = columns_of(x);
  a.rows.epsilon = static_cast<float>(bound.node.attrs.real("epsilon", 0));
  a.pieces =
      pieces_of(Shape(std::vector<i64>(x.begin(), x.end() - 1)),
                std::string_view(bound.scheme.name) == "columns" ? 1 : 0, bound.scheme.tiles);
  a.loops = row_norm();
  return a;
}

/// Statistics that a gradient reads: its inputs from `first` on.
size_t read_statistics(const BoundNode& bound, size_t first, RowNormArgs& rows) {
  if (centred(bound.node)) rows.mean = static_cast<float*>(bound.in[first++]);
  rows.rstd = static_cast<float*>(bound.in[first++]);
  return first;
}

Call lower_forward(const BoundNode& bound) {
  Args a = args_of(bound);
  a.rows.gamma = bound.input(1);
  a.rows.beta = bound.input(2);
  a.rows.out = bound.output(0);
  a.rows.mean = centred(bound.node) ? bound.output(1) : nullptr;
  a.rows.rstd = bound.output(centred(bound.node) ? 2 : 1);
  return make_call(a, run_forward);
}
Call lower_input_grad(const BoundNode& bound) {
  Args a = args_of(bound);
  a.rows.gamma = bound.input(1);
  a.rows.dy = bound.input(read_statistics(bound, 2, a.rows));
  a.rows.out = bound.output(0);
  return make_call(a, run_input_grad);
}
Call lower_weight_grad(const BoundNode& bound) {
  Args a = args_of(bound);
  a.rows.dy = bound.input(read_statistics(bound, 1, a.rows));
  a.dgamma = bound.output(0);
  a.dbeta = bound.output(1);
  return make_call(a, run_weight_grad);
}

bool supports(const Graph& graph, const Node& node) {
  return graph.in_shape(node, 0).elements() > 0;
}

constexpr KernelDef kernels[] = {
    {"layer_norm", supports, row_schemes, lower_forward},
    {"layer_norm_input_grad", supports, row_schemes, lower_input_grad},
    {"layer_norm_weight_grad", supports, sum_schemes, lower_weight_grad},
    {"rms_norm", supports, row_schemes, lower_forward},
    {"rms_norm_input_grad", supports, row_schemes, lower_input_grad},
    {"rms_norm_weight_grad", supports, sum_schemes, lower_weight_grad}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::row_norm_kernel
