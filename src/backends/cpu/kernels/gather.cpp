// Elements of an axis by index, each sample's own or the same for all, and their gradient; cut by
// samples, so that every sum is one thread's.
#include <cstring>

#include "backends/cpu/kernel.h"
#include "backends/cpu/vector_ops.h"

namespace goneuron::cpu::gather_kernel {

namespace {

/// The data as [parts, length, inner]; `per` parts share one list of `count` indices.
struct Args {
  const std::int32_t* indices;
  const float* from;
  float* to;
  i64 parts, length, inner, count, per;
  i64 samples, tiles;
  BinaryRow add;

  i64 begin(i64 tile) const { return tile_begin(samples, tiles, tile) * (parts / samples); }
};

/// Calls f(row of the data, row of the gathered) for the indices of a part.
template <class F>
void each_index(const Args& a, i64 part, const F& f) {
  const std::int32_t* indices = a.indices + part / a.per * a.count;
  for (i64 k = 0; k < a.count; ++k) {
    const bool good = indices[k] >= 0 && indices[k] < a.length;
    f(good ? part * a.length + indices[k] : -1, part * a.count + k);
  }
}

void run(const Args& a, i64 begin, i64 end, void*) {
  const auto bytes = static_cast<size_t>(a.inner) * sizeof(float);
  for (i64 part = a.begin(begin); part < a.begin(end); ++part)
    each_index(a, part, [&](i64 row, i64 at) {
      if (row < 0)
        std::memset(a.to + at * a.inner, 0, bytes);
      else if (a.inner == 1)
        a.to[at] = a.from[row];
      else
        std::memcpy(a.to + at * a.inner, a.from + row * a.inner, bytes);
    });
}

void run_gradient(const Args& a, i64 begin, i64 end, void*) {
  const i64 first = a.begin(begin), last = a.begin(end), part_floats = a.length * a.inner;
  std::memset(a.to + first * part_floats, 0,
              static_cast<size_t>((last - first) * part_floats) * sizeof(float));
  for (i64 part = first; part < last; ++part)
    each_index(a, part, [&](i64 row, i64 at) {
      if (row < 0) return;
      float* to = a.to + row * a.inner;
      if (a.inner == 1)
        *to += a.from[at];
      else
        a.add(to, a.from + at * a.inner, to, a.inner, 0);
    });
}

bool own_indices(const Node& node) { return node.attrs.integer("samples", 0) == 1; }
bool is_gradient(const Node& node) { return node.op->shape_only != 0; }
const Shape& data_of(const Graph& graph, const Node& node) {
  return is_gradient(node) ? graph.out_shape(node) : graph.in_shape(node, 0);
}

Call lower(const BoundNode& bound) {
  const Node& node = bound.node;
  const bool gradient = is_gradient(node), own = own_indices(node);
  const Shape& data = data_of(bound.graph, node);
  const Shape& indices = bound.in_shape(gradient ? 0 : 1);
  Args a{};
  a.indices = bound.input<std::int32_t>(gradient ? 0 : 1);
  a.from = bound.input(gradient ? 1 : 0);
  a.to = bound.output();
  a.parts = a.inner = 1;
  const auto axis = static_cast<int>(node.attrs.integer("axis"));
  for (int i = 0; i < data.rank(); ++i)
    (i < axis ? a.parts : i == axis ? a.length : a.inner) *= i == axis ? 1 : data[i];
  a.length = data[axis];
  a.count = own ? indices.elements() / indices[0] : indices.elements();
  a.per = own ? a.parts / data[0] : a.parts;
  a.tiles = bound.scheme.tiles;
  a.samples = a.tiles > 1 ? data[0] : 1;
  a.add = binary_row("add");
  return make_call(a, gradient ? run_gradient : run);
}

constexpr i64 least_floats = 1024;  // of a tile

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape &data = data_of(graph, node), &y = graph.out_shape(node);
  if (node.attrs.integer("axis") == 0) return all;
  const unsigned indices = is_gradient(node) ? 0b1 : 0b10;
  for (const i64 tiles : tile_counts(graph))
    if (data[0] >= tiles && y.elements() / tiles >= least_floats)
      all.push_back(by_rows(graph, node, tiles, own_indices(node) ? ~0U : ~indices));
  return all;
}

bool supports(const Graph& graph, const Node& node) {
  return data_of(graph, node).elements() > 0 &&
         graph.in_shape(node, is_gradient(node) ? 0 : 1).elements() > 0;
}

constexpr KernelDef kernels[] = {{"gather", supports, schemes, lower},
                                 {"gather_grad", supports, schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::gather_kernel
