// Optimizer updates in place, cut by the rows of the weight so that they follow its gradient's
// tiles.
#include <hwy/cache_control.h>

#include <cmath>
#include <limits>

#include "backends/cpu/update_tiles.h"
#include "backends/cpu/vector_ops.h"

namespace goneuron::cpu {

namespace {

/// What clipping an update reads: the node's bound, and the gradient's scale in memory, or null.
struct ClipArgs {
  bool any;
  float bound;
  const float* scale;
};
ClipArgs clip_of(const BoundNode& bound, const float* scale) {
  const double value = bound.node.attrs.real("clip_value", 0);
  return {scale != nullptr || value > 0,
          value > 0 ? static_cast<float>(value) : std::numeric_limits<float>::infinity(), scale};
}

/// A weight that other workers read is in their caches when it is updated. Taking each line back
/// from them costs several times what it costs to write past the caches and to read it from memory,
/// on two core complexes of a server 47 ns a line and 6. One worker alone keeps it in its own.
template <class Row>
struct UpdateRow {
  Row usual, streaming;  // `streaming` is null when no other worker reads the weight

  template <class Each>
  void run(const UpdateTiles& tiles, i64 begin, i64 end, const Each& each) const {
    const bool alone = end - begin == tiles.tiles, stream = streaming != nullptr && !alone;
    const Row row = stream ? streaming : usual;
    tiles.each(begin, end, [&](i64 at, i64 n) { each(row, at, n); });
    if (stream) hwy::FlushStream();  // the barrier that follows does not wait for such stores
  }
};

template <class Row>
UpdateRow<Row> update_row(const BoundNode& bound, const ClipArgs& clip, Row (*find)(bool, bool)) {
  return {find(clip.any, false), bound.scheme.crosses ? find(clip.any, true) : nullptr};
}

struct AdamArgs {
  UpdateRow<AdamRow> row;
  float *p, *m, *v;
  const float* g;
  AdamStep step;
  const StepScalars* scalars;
  UpdateTiles tiles;
  double rate_scale;
  ClipArgs clip;
};

void run_adam(const AdamArgs& a, i64 begin, i64 end, void*) {
  if (a.scalars->code != status_ok) return;
  AdamStep step = a.step;
  const double rate = a.scalars->learning_rate * a.rate_scale;
  step.learning_rate = static_cast<float>(rate);
  step.step_size = static_cast<float>(rate / a.scalars->correction1);
  step.correction2_sqrt = static_cast<float>(std::sqrt(a.scalars->correction2));
  if (a.clip.scale) step.scale = *a.clip.scale;
  a.row.run(a.tiles, begin, end, [&](AdamRow row, i64 at, i64 n) {
    row(a.p + at, a.g + at, a.m + at, a.v + at, n, step);
  });
}

Call lower_adam(const BoundNode& bound) {
  const Attrs& attrs = bound.node.attrs;
  AdamStep step{};
  step.beta1 = static_cast<float>(attrs.real("beta1"));
  step.beta2 = static_cast<float>(attrs.real("beta2"));
  step.epsilon = static_cast<float>(attrs.real("epsilon"));
  step.weight_decay = static_cast<float>(attrs.real("weight_decay"));
  step.decoupled = attrs.integer("decoupled") != 0;
  const ClipArgs clip = clip_of(bound, bound.input(4));
  step.bound = clip.bound;
  return make_call<AdamArgs>(
      {update_row(bound, clip, adam_row), static_cast<float*>(bound.in[0]),
       static_cast<float*>(bound.in[2]), static_cast<float*>(bound.in[3]), bound.input(1), step,
       bound.scalars, update_tiles(bound), attrs.real("rate_scale", 1), clip},
      run_adam);
}

struct SgdArgs {
  UpdateRow<SgdRow> row;
  float *p, *velocity;
  const float* g;
  SgdStep step;
  const StepScalars* scalars;
  UpdateTiles tiles;
  double rate_scale;
  ClipArgs clip;
};

void run_sgd(const SgdArgs& a, i64 begin, i64 end, void*) {
  if (a.scalars->code != status_ok) return;
  SgdStep step = a.step;
  step.learning_rate = static_cast<float>(a.scalars->learning_rate * a.rate_scale);
  if (a.clip.scale) step.scale = *a.clip.scale;
  a.row.run(a.tiles, begin, end, [&](SgdRow row, i64 at, i64 n) {
    row(a.p + at, a.g + at, a.velocity ? a.velocity + at : nullptr, n, step);
  });
}

Call lower_sgd(const BoundNode& bound) {
  const Attrs& attrs = bound.node.attrs;
  const bool scaled = bound.node.op->name == std::string_view("sgd_update_clipped");
  const size_t velocity = scaled ? 3 : 2;
  const ClipArgs clip = clip_of(bound, scaled ? bound.input(2) : nullptr);
  const SgdStep step{0,
                     static_cast<float>(attrs.real("momentum")),
                     static_cast<float>(attrs.real("weight_decay")),
                     attrs.integer("nesterov") != 0,
                     1,
                     clip.bound};
  return make_call<SgdArgs>(
      {update_row(bound, clip, sgd_row), static_cast<float*>(bound.in[0]),
       bound.in.size() > velocity ? static_cast<float*>(bound.in[velocity]) : nullptr,
       bound.input(1), step, bound.scalars, update_tiles(bound), attrs.real("rate_scale", 1), clip},
      run_sgd);
}

constexpr KernelDef kernels[] = {{"adam_update", nullptr, update_schemes, lower_adam},
                                 {"sgd_update", nullptr, update_schemes, lower_sgd},
                                 {"sgd_update_clipped", nullptr, update_schemes, lower_sgd}};

}  // namespace

std::span<const KernelDef> update_kernels() { return kernels; }

}  // namespace goneuron::cpu
