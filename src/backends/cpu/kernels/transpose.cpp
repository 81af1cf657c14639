// Transpose: runs are copied where the last axis stays the last, else blocks of the two axes that
// are last before and after; cut by samples where those stay first.
#include "backends/cpu/transpose.h"

#include <cstring>

#include "backends/cpu/broadcast.h"

namespace goneuron::cpu::transpose_kernel {

namespace {

/// One sample, or all of it where the samples do not stay first.
struct Args {
  const float* x;
  float* y;
  i64 samples, tiles, elements;  // elements of one
  // Output axes but for the block's two: how many, and their steps in the input and in the output.
  BroadcastWalk<2> outer;
  i64 outers;
  // The block: rows are the output's last axis, columns the input's.
  i64 rows, columns, from_row, to_row;  // columns 0: `rows` elements are copied as they are
  TransposeBlock block;
};

void run(const Args& a, i64 begin, i64 end, void*) {
  for (i64 s = tile_begin(a.samples, a.tiles, begin); s < tile_begin(a.samples, a.tiles, end); ++s)
    a.outer.each(0, a.outers, [&](i64, const i64* offsets, i64 n) {
      const float* x = a.x + s * a.elements + offsets[0];
      float* y = a.y + s * a.elements + offsets[1];
      for (i64 i = 0; i < n; ++i, x += a.outer.steps[0][0], y += a.outer.steps[1][0])
        if (a.columns == 0)
          std::memcpy(y, x, static_cast<size_t>(a.rows) * sizeof(float));
        else
          a.block(x, a.from_row, a.rows, a.columns, y, a.to_row);
    });
}

/// The output's axes from the innermost, those that stay neighbours joined: length, steps in the
/// input and in the output.
struct Axis {
  i64 dim, from, to;
};
std::vector<Axis> axes_of(const Shape& x, const std::vector<i64>& order, bool samples_stay) {
  std::vector<i64> strides(order.size());
  i64 next = 1;
  for (int i = x.rank() - 1; i >= 0; --i) {
    strides[static_cast<size_t>(i)] = next;
    next *= x[i];
  }
  std::vector<Axis> axes;
  i64 step = 1;
  for (size_t i = order.size(); i-- > (samples_stay ? 1 : 0);) {
    const i64 dim = x[static_cast<int>(order[i])], from = strides[static_cast<size_t>(order[i])];
    if (dim != 1 && !axes.empty() && from == axes.back().from * axes.back().dim)
      axes.back().dim *= dim;
    else if (dim != 1)
      axes.push_back({dim, from, step});
    step *= dim;
  }
  if (axes.empty()) axes.push_back({1, 1, 1});
  return axes;
}

bool samples_stay(const Node& node) {
  const auto& order = node.attrs.list("axes");
  return !order.empty() && order[0] == 0;
}

Call lower(const BoundNode& bound) {
  const Shape& x = bound.in_shape(0);
  const bool stay = samples_stay(bound.node);
  auto axes = axes_of(x, bound.node.attrs.list("axes"), stay);
  Args a{};
  a.x = bound.input(0);
  a.y = bound.output();
  a.samples = stay ? x[0] : 1;
  a.tiles = bound.scheme.tiles;
  a.elements = x.elements() / a.samples;
  a.block = transpose_block();
  a.rows = axes[0].dim;
  a.from_row = axes[0].from;
  size_t last = 0;  // the input's last axis
  if (a.from_row != 1) {
    while (axes[last].from != 1) ++last;
    a.columns = axes[last].dim;
    a.to_row = axes[last].to;
  }
  a.outers = 1;
  for (size_t i = 1; i < axes.size(); ++i) {
    if (i == last) continue;
    a.outer.add(axes[i].dim, {axes[i].from, axes[i].to});
    a.outers *= axes[i].dim;
  }
  a.outer.finish();
  return make_call(a, run);
}

constexpr i64 least_floats = 1024;  // of a tile

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& x = graph.in_shape(node, 0);
  if (!samples_stay(node)) return all;
  for (const i64 tiles : tile_counts(graph))
    if (x[0] >= tiles && x.elements() / tiles >= least_floats)
      all.push_back(by_rows(graph, node, tiles, 1));
  return all;
}

bool supports(const Graph& graph, const Node& node) {
  const TensorType& x = graph.in(node, 0).type;
  return x.shape.elements() > 0 && dtype_size(x.dtype) == 4;
}

constexpr KernelDef kernels[] = {{"transpose", supports, schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::transpose_kernel
