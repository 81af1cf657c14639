// The largest and smallest elements over neighbouring axes, and their gradient; cut by samples.
#include <algorithm>
#include <cmath>
#include <cstring>

#include "backends/cpu/kernel.h"
#include "backends/cpu/reduce_block.h"
#include "backends/cpu/vector_ops.h"

namespace goneuron::cpu::reduce_max_kernel {

namespace {

struct Args {
  const float *x, *y, *dy;
  float* out;
  Block block;
  i64 tiles, samples;
  bool largest;
  BinaryRow row;

  i64 begin(i64 tile) const { return tile_begin(samples, tiles, tile) * (block.outer / samples); }
};

/// Eight running extremes side by side; NaN wins.
template <bool kMax>
float extreme_of(const float* x, i64 n) {
  float best[8];
  std::fill(std::begin(best), std::end(best), x[0]);
  const auto take = [](float& to, float v) { to = (kMax ? v > to : v < to) || v != v ? v : to; };
  i64 i = 0;
  for (; i + 8 <= n; i += 8)
    for (int j = 0; j < 8; ++j) take(best[j], x[i + j]);
  for (; i < n; ++i) take(best[0], x[i]);
  for (int j = 1; j < 8; ++j) take(best[0], best[j]);
  return best[0];
}

void run(const Args& a, i64 begin, i64 end, void*) {
  const Block& b = a.block;
  for (i64 o = a.begin(begin); o < a.begin(end); ++o) {
    const float* x = a.x + o * b.reduced * b.inner;
    float* y = a.out + o * b.inner;
    if (b.inner == 1) {
      *y = a.largest ? extreme_of<true>(x, b.reduced) : extreme_of<false>(x, b.reduced);
      continue;
    }
    std::memcpy(y, x, static_cast<size_t>(b.inner) * sizeof(float));
    for (i64 r = 1; r < b.reduced; ++r) a.row(y, x + r * b.inner, y, b.inner, 0);
  }
}

void run_gradient(const Args& a, i64 begin, i64 end, void* scratch) {
  const Block& b = a.block;
  auto* share = static_cast<float*>(scratch);
  for (i64 o = a.begin(begin); o < a.begin(end); ++o) {
    const float *x = a.x + o * b.reduced * b.inner, *y = a.y + o * b.inner,
                *dy = a.dy + o * b.inner;
    float* dx = a.out + o * b.reduced * b.inner;
    std::fill_n(share, b.inner, 0.0F);
    for (i64 r = 0; r < b.reduced; ++r)
      for (i64 j = 0; j < b.inner; ++j) share[j] += x[r * b.inner + j] == y[j] ? 1.0F : 0.0F;
    for (i64 j = 0; j < b.inner; ++j) share[j] = share[j] > 0 ? dy[j] / share[j] : 0;
    for (i64 r = 0; r < b.reduced; ++r)
      for (i64 j = 0; j < b.inner; ++j)
        dx[r * b.inner + j] = x[r * b.inner + j] == y[j] ? share[j] : 0;
  }
}

Call lower(const BoundNode& bound) {
  const std::string_view name = bound.node.op->name;
  Args a{};
  a.x = bound.input(0);
  a.y = bound.input(1);
  a.dy = bound.input(2);
  a.out = bound.output();
  block_of(bound.in_shape(0), bound.node.attrs.list("axes"), a.block);
  a.tiles = bound.scheme.tiles;
  a.samples = a.tiles > 1 ? bound.in_shape(0)[0] : 1;
  a.largest = name == "reduce_max";
  a.row = binary_row(a.largest ? "maximum" : "minimum");
  return make_call(a, name == "extreme_grad" ? run_gradient : run);
}

constexpr i64 least_floats = 1024;  // of a tile

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& x = graph.in_shape(node, 0);
  if (node.attrs.list("axes").front() > 0)
    for (const i64 tiles : tile_counts(graph))
      if (x[0] >= tiles && x.elements() / tiles >= least_floats)
        all.push_back(by_rows(graph, node, tiles, ~0U));
  Block block;
  block_of(x, node.attrs.list("axes"), block);
  for (Scheme& scheme : all) scheme.scratch = block.inner * i64{sizeof(float)};
  return all;
}

bool supports(const Graph& graph, const Node& node) {
  Block block;
  return block_of(graph.in_shape(node, 0), node.attrs.list("axes"), block) &&
         graph.in_shape(node, 0).elements() > 0;
}

constexpr KernelDef kernels[] = {{"reduce_max", supports, schemes, lower},
                                 {"reduce_min", supports, schemes, lower},
                                 {"extreme_grad", supports, schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::reduce_max_kernel
