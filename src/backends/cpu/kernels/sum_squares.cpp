// Sums of squares: a partial sum a tile of the gradient, while it is in the cache.
#include "backends/cpu/gradient_rows.h"
#include "backends/cpu/update_tiles.h"

namespace goneuron::cpu::sum_squares_kernel {

namespace {

struct Args {
  SquaresRow row;
  const float* x;
  float* y;
  UpdateTiles tiles;
};

void run(const Args& a, i64 begin, i64 end, void*) {
  for (i64 tile = begin; tile < end; ++tile) {
    double sum = 0;
    a.tiles.each(tile, tile + 1, [&](i64 at, i64 n) { sum += a.row(a.x + at, n); });
    a.y[tile] = static_cast<float>(sum);
  }
}

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  auto all = update_schemes(graph, node);
  for (Scheme& scheme : all)
    if (scheme.tiles > 1) {
      scheme.partial = true;
      scheme.out[0].part = cut(Shape{scheme.tiles}, 0, scheme.tiles);
    }
  return all;
}

Call lower(const BoundNode& bound) {
  return make_call<Args>({squares_row(), bound.input(0), bound.output(), update_tiles(bound)}, run);
}

constexpr KernelDef kernels[] = {{"sum_squares", nullptr, schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::sum_squares_kernel
