// Gradients of several batches, added up in place.
#include "backends/cpu/gradient_rows.h"
#include "backends/cpu/update_tiles.h"

namespace goneuron::cpu::accumulate_kernel {

namespace {

struct Args {
  AccumulateRow row;
  float* sum;
  const float* g;
  const StepScalars* scalars;
  UpdateTiles tiles;
};

void run(const Args& a, i64 begin, i64 end, void*) {
  if (a.scalars->code != status_ok) return;
  const auto share = static_cast<float>(a.scalars->share);
  a.tiles.each(begin, end,
               [&](i64 at, i64 n) { a.row(a.sum + at, a.g + at, n, share, a.scalars->adds); });
}

Call lower(const BoundNode& bound) {
  return make_call<Args>({accumulate_row(), static_cast<float*>(bound.in[0]), bound.input(1),
                          bound.scalars, update_tiles(bound)},
                         run);
}

constexpr KernelDef kernels[] = {{"accumulate", nullptr, update_schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::accumulate_kernel
