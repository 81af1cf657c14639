// A product for each of the leading indices, cut along the first two of them.
#include "backends/cpu/gemm.h"
#include "backends/cpu/kernel.h"

namespace goneuron::cpu::batch_matmul_kernel {

namespace {

struct Args {
  Gemm gemm;  // of the first product
  GemmKernel kernel;
  Pieces pieces;  // of the products
};

void run(const Args& args, i64 begin, i64 end, void* scratch) {
  const Gemm& first = args.gemm;
  args.pieces.each(begin, end, [&](i64 from, i64 count) {
    for (i64 s = from; s < from + count; ++s) {
      Gemm g = first;
      g.a += s * g.m * g.k;
      g.b += s * g.k * g.n;
      g.c += s * g.m * g.n;
      args.kernel(g, scratch);
    }
  });
}

bool flag(const Node& node, const char* name) { return node.attrs.integer(name, 0) == 1; }
i64 inner_of(const Graph& graph, const Node& node) {
  return graph.in_shape(node, 0)[flag(node, "ta") ? -2 : -1];
}

Call lower(const BoundNode& bound) {
  const Shape& y = bound.out_shape();
  const bool ta = flag(bound.node, "ta"), tb = flag(bound.node, "tb");
  Args args{};
  Gemm& g = args.gemm;
  g.m = y[-2];
  g.n = y[-1];
  g.k = inner_of(bound.graph, bound.node);
  g.a = bound.input(0);
  g.a_row = ta ? 1 : g.k;
  g.a_col = ta ? g.m : 1;
  g.b = bound.input(1);
  g.b_row = tb ? 1 : g.n;
  g.b_col = tb ? g.k : 1;
  g.c = bound.output();
  g.c_row = g.n;
  args.kernel = gemm_kernel_for(g.m, g.n, g.k);
  args.pieces =
      pieces_of(Shape(std::vector<i64>(y.begin(), y.end() - 2)),
                std::string_view(bound.scheme.name) == "columns" ? 1 : 0, bound.scheme.tiles);
  return make_call(args, run);
}

constexpr double least_flops = 8192;  // of a tile

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& y = graph.out_shape(node);
  const i64 k = inner_of(graph, node);
  for (int axis = 0; axis < std::min(y.rank() - 2, 2); ++axis)
    for (const i64 tiles : tile_counts(graph)) {
      if (y[axis] < tiles || 2.0 * static_cast<double>(y.elements()) * static_cast<double>(k) /
                                     static_cast<double>(tiles) <
                                 least_flops)
        continue;
      Scheme scheme = single_tile(node);
      scheme.name = axis == 0 ? "rows" : "columns";
      scheme.tiles = tiles;
      scheme.merges = true;
      for (int i = 0; i < 2; ++i)
        scheme.in[static_cast<size_t>(i)].part = cut(graph.in_shape(node, i), axis, tiles);
      scheme.out[0].part = cut(y, axis, tiles);
      all.push_back(scheme);
    }
  for (Scheme& scheme : all) scheme.scratch = gemm_scratch(y[-2], y[-1], k);
  return all;
}

bool supports(const Graph& graph, const Node& node) {
  return graph.out_shape(node).elements() > 0 && inner_of(graph, node) > 0;
}

constexpr KernelDef kernels[] = {{"batch_matmul", supports, schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::batch_matmul_kernel
