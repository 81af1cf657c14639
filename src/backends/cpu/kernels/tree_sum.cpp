// The fixed tree over partial sums, cut by elements: each has a tree of its own.
#include <cstring>

#include "backends/cpu/kernel.h"
#include "backends/cpu/vector_ops.h"

namespace goneuron::cpu::tree_sum_kernel {

namespace {

struct Tree {
  float* x;  // [parts, n]
  float* y;
  i64 parts, n, tiles;
  BinaryRow add;
};

/// The tree of the op's definition for elements [from, from + count), added up in the partial sums'
/// own memory.
void add_up(const Tree& t, i64 from, i64 count) {
  float* x = t.x + from;
  i64 width = 1;
  while (width < t.parts) width *= 2;
  for (i64 half = width / 2; half > 1; half /= 2)
    for (i64 i = 0; i + half < std::min(t.parts, 2 * half); ++i)
      t.add(x + i * t.n, x + (i + half) * t.n, x + i * t.n, count, 0);
  if (t.parts > 1)
    t.add(x, x + t.n, t.y + from, count, 0);
  else
    std::memcpy(t.y + from, x, static_cast<size_t>(count) * sizeof(float));
}

void run(const Tree& t, i64 begin, i64 end, void*) {
  constexpr i64 block = 1024;  // all parts of it stay in the cache while they are added up
  const i64 last = tile_begin(t.n, t.tiles, end);
  for (i64 i = tile_begin(t.n, t.tiles, begin); i < last; i += block)
    add_up(t, i, std::min(block, last - i));
}

Call lower(const BoundNode& bound) {
  return make_call<Tree>({static_cast<float*>(bound.in[0]), bound.output(), bound.in_shape(0)[0],
                          bound.out_shape().elements(), bound.scheme.tiles, binary_row("add")},
                         run);
}

/// The last is the best: large sums in tiles.
std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  constexpr i64 tiles = 16, least = 1024;  // elements of a tile
  std::vector<Scheme> all = {single_tile(node)};
  const i64 n = graph.out_shape(node).elements();
  if (n / tiles < least || n % tiles != 0) return all;
  Scheme scheme = single_tile(node);
  scheme.name = "elements";
  scheme.tiles = tiles;
  scheme.merges = true;
  scheme.in[0].part = {graph.in_shape(node, 0)[0], tiles, tiles};
  scheme.out[0].part = {1, tiles, tiles};
  all.push_back(scheme);
  return all;
}

constexpr KernelDef kernels[] = {{"tree_sum", nullptr, schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::tree_sum_kernel
