// Sinusoidal positions: a table, made when the step is prepared, added to every sample.
#include "backends/cpu/kernel.h"
#include "backends/cpu/vector_ops.h"
#include "ops/sinusoids.h"

namespace goneuron::cpu::sinusoidal_positions_kernel {

namespace {

struct Args {
  const float* x;
  float* y;
  std::vector<float> table;  // [time, width]
  Pieces pieces;
  BinaryRow add;
};

void run(const Args& a, i64 begin, i64 end, void*) {
  const auto period = static_cast<i64>(a.table.size());
  a.pieces.each(begin, end, [&](i64 from, i64 count) {
    while (count > 0) {
      const i64 at = from % period, n = std::min(period - at, count);
      a.add(a.x + from, a.table.data() + at, a.y + from, n, 0);
      from += n;
      count -= n;
    }
  });
}

Call lower(const BoundNode& bound) {
  const Shape& x = bound.in_shape(0);
  const i64 time = x[-2], width = x[-1];
  Args a{bound.input(0), bound.output(), {}, {}, binary_row("add")};
  a.table.resize(static_cast<size_t>(time * width));
  for (i64 i = 0; i < time * width; ++i)
    a.table[static_cast<size_t>(i)] = static_cast<float>(sinusoid(i / width, i % width, width));
  a.pieces =
      pieces_of(x, std::string_view(bound.scheme.name) == "columns" ? 1 : 0, bound.scheme.tiles);
  return make_call(std::move(a), run);
}

bool supports(const Graph& graph, const Node& node) {
  return graph.in_shape(node, 0).elements() > 0;
}

constexpr KernelDef kernels[] = {{"sinusoidal_positions", supports, elementwise_schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::sinusoidal_positions_kernel
