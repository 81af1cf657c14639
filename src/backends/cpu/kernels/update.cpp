// Optimizer updates in place, cut by the rows of the weight so that they follow its gradient's
// tiles.
#include <cmath>

#include "backends/cpu/kernel.h"
#include "backends/cpu/vector_ops.h"

namespace goneuron::cpu {

namespace {

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& shape = graph.in_shape(node, 0);
  for (int axis = 0; axis < std::min(shape.rank(), 2); ++axis)
    for (const i64 tiles : tile_counts(graph)) {
      if (shape[axis] < tiles || shape.elements() / tiles < 256) continue;
      Scheme scheme = single_tile(node);
      scheme.name = axis == 0 ? "rows" : "columns";
      scheme.tiles = tiles;
      scheme.merges = true;
      for (auto& in : scheme.in) in.part = cut(shape, axis, tiles);
      for (auto& out : scheme.out) out.part = cut(shape, axis, tiles);
      all.push_back(scheme);
    }
  return all;
}

/// Calls row(offset, length) for the parts of a range of tiles.
struct Parts {
  i64 outer, stride, unit, units, tiles;
  template <class F>
  void each(i64 begin, i64 end, const F& row) const {
    const i64 from = tile_begin(units, tiles, begin) * unit,
              to = tile_begin(units, tiles, end) * unit;
    for (i64 o = 0; o < outer; ++o) row(o * stride + from, to - from);
  }
};

Parts parts_of(const BoundNode& bound) {
  const Shape& shape = bound.in_shape(0);
  if (bound.scheme.tiles == 1) return {1, 0, shape.elements(), 1, 1};
  if (std::string_view(bound.scheme.name) == "rows")
    return {1, 0, shape.elements() / shape[0], shape[0], bound.scheme.tiles};
  return {shape[0], shape.elements() / shape[0], shape.elements() / shape[0] / shape[1], shape[1],
          bound.scheme.tiles};
}

struct AdamArgs {
  AdamRow row;
  float *p, *m, *v;
  const float* g;
  AdamStep step;
  const StepScalars* scalars;
  Parts parts;
};

void run_adam(const AdamArgs& a, i64 begin, i64 end, void*) {
  if (a.scalars->code != status_ok) return;
  AdamStep step = a.step;
  step.learning_rate = static_cast<float>(a.scalars->learning_rate);
  step.step_size = static_cast<float>(a.scalars->learning_rate / a.scalars->correction1);
  step.correction2_sqrt = static_cast<float>(std::sqrt(a.scalars->correction2));
  a.parts.each(begin, end,
               [&](i64 at, i64 n) { a.row(a.p + at, a.g + at, a.m + at, a.v + at, n, step); });
}

Call lower_adam(const BoundNode& bound) {
  const Attrs& attrs = bound.node.attrs;
  AdamStep step{};
  step.beta1 = static_cast<float>(attrs.real("beta1"));
  step.beta2 = static_cast<float>(attrs.real("beta2"));
  step.epsilon = static_cast<float>(attrs.real("epsilon"));
  step.weight_decay = static_cast<float>(attrs.real("weight_decay"));
  step.decoupled = attrs.integer("decoupled") != 0;
  return make_call<AdamArgs>(
      {adam_row(), static_cast<float*>(bound.in[0]), static_cast<float*>(bound.in[2]),
       static_cast<float*>(bound.in[3]), bound.input(1), step, bound.scalars, parts_of(bound)},
      run_adam);
}

struct SgdArgs {
  SgdRow row;
  float *p, *velocity;
  const float* g;
  SgdStep step;
  const StepScalars* scalars;
  Parts parts;
};

void run_sgd(const SgdArgs& a, i64 begin, i64 end, void*) {
  if (a.scalars->code != status_ok) return;
  SgdStep step = a.step;
  step.learning_rate = static_cast<float>(a.scalars->learning_rate);
  a.parts.each(begin, end, [&](i64 at, i64 n) {
    a.row(a.p + at, a.g + at, a.velocity ? a.velocity + at : nullptr, n, step);
  });
}

Call lower_sgd(const BoundNode& bound) {
  const Attrs& attrs = bound.node.attrs;
  const SgdStep step{0, static_cast<float>(attrs.real("momentum")),
                     static_cast<float>(attrs.real("weight_decay")),
                     attrs.integer("nesterov") != 0};
  return make_call<SgdArgs>({sgd_row(), static_cast<float*>(bound.in[0]),
                             bound.in.size() > 2 ? static_cast<float*>(bound.in[2]) : nullptr,
                             bound.input(1), step, bound.scalars, parts_of(bound)},
                            run_sgd);
}

constexpr KernelDef kernels[] = {{"adam_update", nullptr, schemes, lower_adam},
                                 {"sgd_update", nullptr, schemes, lower_sgd}};

}  // namespace

std::span<const KernelDef> update_kernels() { return kernels; }

}  // namespace goneuron::cpu
