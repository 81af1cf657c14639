// The moving average of a weight, in place, right after the weight's update.
#include "backends/cpu/gradient_rows.h"
#include "backends/cpu/update_tiles.h"

namespace goneuron::cpu::ema_update_kernel {

namespace {

struct Args {
  EmaRow row;
  float* average;
  const float* weight;
  double share;
  const StepScalars* scalars;
  UpdateTiles tiles;
};

void run(const Args& a, i64 begin, i64 end, void*) {
  if (a.scalars->code != status_ok) return;
  const auto share = static_cast<float>(a.scalars->step > 1 ? a.share : 1);
  a.tiles.each(begin, end, [&](i64 at, i64 n) { a.row(a.average + at, a.weight + at, n, share); });
}

Call lower(const BoundNode& bound) {
  return make_call<Args>(
      {ema_row(), static_cast<float*>(bound.in[0]), bound.input(1),
       1 - bound.node.attrs.real("momentum"), bound.scalars, update_tiles(bound)},
      run);
}

constexpr KernelDef kernels[] = {{"ema_update", nullptr, update_schemes, lower}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::ema_update_kernel
