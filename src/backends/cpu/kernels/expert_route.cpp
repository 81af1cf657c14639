// The routing of a mixture of experts: slots sorted by expert, the experts' shares, the balancing
// loss. Over the whole batch, on one thread: a few numbers for each token.
#include <algorithm>

#include "backends/cpu/kernel.h"

namespace goneuron::cpu::expert_route_kernel {

namespace {

/// Scratch: two numbers of 8 bytes for each expert.
std::vector<Scheme> schemes(const Graph&, const Node& node) {
  Scheme scheme = single_tile(node);
  const i64 experts = node.attrs.integer("experts", 0);
  scheme.scratch = experts * 16;
  return {scheme};
}
std::vector<Scheme> balance_schemes(const Graph& graph, const Node& node) {
  Scheme scheme = single_tile(node);
  const bool gradient = node.op->shape_only != 0;
  scheme.scratch = columns_of(gradient ? graph.out_shape(node) : graph.in_shape(node, 0)) * 16;
  return {scheme};
}

struct RouteArgs {
  const std::int32_t* choices;
  std::int32_t *order, *places, *experts;
  i64 slots;
  std::int32_t count;
};
void run_route(const RouteArgs& a, i64, i64, void* scratch) {
  auto* next = static_cast<i64*>(scratch);  // the row that an expert's next slot gets
  std::fill_n(next, a.count, 0);
  for (i64 s = 0; s < a.slots; ++s) ++next[std::clamp(a.choices[s], 0, a.count - 1)];
  for (i64 e = 0, begin = 0; e < a.count; ++e) {
    const i64 rows = next[e];
    next[e] = begin;
    std::fill_n(a.experts + begin, rows, static_cast<std::int32_t>(e));
    begin += rows;
  }
  for (i64 s = 0; s < a.slots; ++s) {
    const i64 row = next[std::clamp(a.choices[s], 0, a.count - 1)]++;
    a.order[row] = static_cast<std::int32_t>(s);
    a.places[s] = static_cast<std::int32_t>(row);
  }
}
Call lower_route(const BoundNode& bound) {
  return make_call<RouteArgs>(
      {bound.input<std::int32_t>(0), bound.output<std::int32_t>(0), bound.output<std::int32_t>(1),
       bound.output<std::int32_t>(2), bound.in_shape(0).elements(),
       static_cast<std::int32_t>(bound.node.attrs.integer("experts"))},
      run_route);
}

/// Slots of each expert.
void count_slots(const std::int32_t* choices, i64 slots, i64 experts, i64* hits) {
  std::fill_n(hits, experts, 0);
  for (i64 s = 0; s < slots; ++s)
    if (choices[s] >= 0 && choices[s] < experts) ++hits[choices[s]];
}
double share(i64 hits, i64 slots) {
  return slots == 0 ? 0 : static_cast<double>(hits) / static_cast<double>(slots);
}

struct ShareArgs {
  const std::int32_t* choices;
  const float *probs, *dy;
  float* out;
  i64 slots, experts, tokens;
};
void run_share(const ShareArgs& a, i64, i64, void* scratch) {
  auto* hits = static_cast<i64*>(scratch);
  count_slots(a.choices, a.slots, a.experts, hits);
  for (i64 e = 0; e < a.experts; ++e) a.out[e] = static_cast<float>(share(hits[e], a.slots));
}
Call lower_share(const BoundNode& bound) {
  return make_call<ShareArgs>({bound.input<std::int32_t>(0), nullptr, nullptr, bound.output(),
                               bound.in_shape(0).elements(), bound.out_shape().elements(), 0},
                              run_share);
}

void run_balance(const ShareArgs& a, i64, i64, void* scratch) {
  auto* hits = static_cast<i64*>(scratch);
  auto* sums = static_cast<double*>(scratch) + a.experts;
  count_slots(a.choices, a.slots, a.experts, hits);
  std::fill_n(sums, a.experts, 0.0);
  for (i64 t = 0; t < a.tokens; ++t)
    for (i64 e = 0; e < a.experts; ++e) sums[e] += double{a.probs[t * a.experts + e]};
  double total = 0;
  for (i64 e = 0; e < a.experts; ++e) total += share(hits[e], a.slots) * sums[e];
  *a.out = a.tokens == 0 ? 0.0F
                         : static_cast<float>(total * static_cast<double>(a.experts) /
                                              static_cast<double>(a.tokens));
}
void run_balance_grad(const ShareArgs& a, i64, i64, void* scratch) {
  auto* hits = static_cast<i64*>(scratch);
  auto* row = static_cast<float*>(scratch) + 2 * a.experts;
  count_slots(a.choices, a.slots, a.experts, hits);
  const double scale =
      double{*a.dy} * static_cast<double>(a.experts) / static_cast<double>(a.tokens);
  for (i64 e = 0; e < a.experts; ++e) row[e] = static_cast<float>(share(hits[e], a.slots) * scale);
  for (i64 t = 0; t < a.tokens; ++t) std::copy_n(row, a.experts, a.out + t * a.experts);
}
Call lower_balance(const BoundNode& bound) {
  const Shape &probs = bound.in_shape(0), &choices = bound.in_shape(1);
  return make_call<ShareArgs>(
      {bound.input<std::int32_t>(1), bound.input(0), nullptr, bound.output(), choices.elements(),
       columns_of(probs), rows_of(probs)},
      run_balance);
}
Call lower_balance_grad(const BoundNode& bound) {
  const Shape &choices = bound.in_shape(0), &probs = bound.out_shape();
  return make_call<ShareArgs>(
      {bound.input<std::int32_t>(0), nullptr, bound.input(1), bound.output(), choices.elements(),
       columns_of(probs), rows_of(probs)},
      run_balance_grad);
}

constexpr KernelDef kernels[] = {
    {"expert_route", nullptr, schemes, lower_route},
    {"expert_share", nullptr, schemes, lower_share},
    {"expert_balance", nullptr, balance_schemes, lower_balance},
    {"expert_balance_grad", nullptr, balance_schemes, lower_balance_grad}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::expert_route_kernel
