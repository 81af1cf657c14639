// Rows of a table by index: gather_rows copies them, cut by indices; scatter_rows adds them up, cut
// by rows of the table, so that every row is summed by one thread in the order of the indices.
#include <cstring>

#include "backends/cpu/kernel.h"
#include "backends/cpu/vector_ops.h"

namespace goneuron::cpu::gather_rows_kernel {

namespace {

constexpr i64 least_floats = 1024;  // of a tile

struct Args {
  const std::int32_t* indices;
  const float* from;
  float* to;
  i64 count, rows, width;  // indices; rows of the table
  Pieces pieces;           // of the indices, or of the table's rows
  BinaryRow add;
};

void run_gather(const Args& a, i64 begin, i64 end, void*) {
  const auto bytes = static_cast<size_t>(a.width) * sizeof(float);
  a.pieces.each(begin, end, [&](i64 first, i64 count) {
    for (i64 i = first; i < first + count; ++i) {
      float* to = a.to + i * a.width;
      if (a.indices[i] >= 0 && a.indices[i] < a.rows)
        std::memcpy(to, a.from + a.indices[i] * a.width, bytes);
      else
        std::memset(to, 0, bytes);
    }
  });
}

void run_scatter(const Args& a, i64 begin, i64 end, void*) {
  a.pieces.each(begin, end, [&](i64 first, i64 count) {
    std::memset(a.to + first * a.width, 0, static_cast<size_t>(count * a.width) * sizeof(float));
    for (i64 i = 0; i < a.count; ++i) {
      const i64 row = a.indices[i];
      if (row < first || row >= first + count) continue;
      float* to = a.to + row * a.width;
      a.add(to, a.from + i * a.width, to, a.width, 0);
    }
  });
}

std::vector<Scheme> gather_schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape &indices = graph.in_shape(node, 1), &y = graph.out_shape(node);
  for (int axis = 0; axis < std::min(indices.rank(), 2); ++axis)
    for (const i64 tiles : tile_counts(graph)) {
      if (indices[axis] < tiles || y.elements() / tiles < least_floats) continue;
      Scheme scheme = single_tile(node);
      scheme.name = axis == 0 ? "rows" : "columns";
      scheme.tiles = tiles;
      scheme.merges = true;
      scheme.in[0].all = true;
      scheme.in[1].part = cut(indices, axis, tiles);
      scheme.out[0].part = cut(y, axis, tiles);
      all.push_back(scheme);
    }
  return all;
}

std::vector<Scheme> scatter_schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape &table = graph.out_shape(node), &dy = graph.in_shape(node, 1);
  for (const i64 tiles : tile_counts(graph))
    if (table[0] >= tiles && std::max(table.elements(), dy.elements()) / tiles >= least_floats)
      all.push_back(by_rows(graph, node, tiles, 0));
  return all;
}

Args args_of(const BoundNode& bound, size_t indices, size_t from, const Shape& table) {
  Args a{};
  a.indices = bound.input<std::int32_t>(indices);
  a.from = bound.input(from);
  a.to = bound.output();
  a.count = bound.in_shape(static_cast<int>(indices)).elements();
  a.rows = table[0];
  a.width = table.elements() / table[0];
  a.add = binary_row("add");
  return a;
}

Call lower_gather(const BoundNode& bound) {
  Args a = args_of(bound, 1, 0, bound.in_shape(0));
  a.pieces = pieces_of(bound.in_shape(1), std::string_view(bound.scheme.name) == "columns" ? 1 : 0,
                       bound.scheme.tiles);
  return make_call(a, run_gather);
}
Call lower_scatter(const BoundNode& bound) {
  Args a = args_of(bound, 0, 1, bound.out_shape());
  a.pieces = pieces_of(Shape{a.rows}, 0, bound.scheme.tiles);
  return make_call(a, run_scatter);
}

bool supports_gather(const Graph& graph, const Node& node) {
  return graph.in_shape(node, 0).elements() > 0;
}
bool supports_scatter(const Graph& graph, const Node& node) {
  return graph.out_shape(node).elements() > 0;
}

constexpr KernelDef kernels[] = {
    {"gather_rows", supports_gather, gather_schemes, lower_gather},
    {"scatter_rows", supports_scatter, scatter_schemes, lower_scatter}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::gather_rows_kernel
