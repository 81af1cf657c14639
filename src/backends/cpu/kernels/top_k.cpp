// The largest of each row and the log-sum-exp of each row, with their gradients: short rows, cut
// by samples.
#include "ops/top_k.h"

#include <cmath>
#include <cstring>

#include "backends/cpu/kernel.h"
#include "backends/cpu/vector_ops.h"

namespace goneuron::cpu::top_k_kernel {

namespace {

/// Cut by samples, with every input that has a row for each.
std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape &y = graph.out_shape(node), &x = graph.in_shape(node, 0);
  if (y.rank() == 0 || x.rank() < 2) return all;
  for (const i64 tiles : tile_counts(graph))
    if (x[0] >= tiles && x.elements() / tiles >= 1024)
      all.push_back(by_rows(graph, node, tiles, ~0U));
  return all;
}

struct Rows {
  i64 rows = 1, samples = 1, tiles = 1;
  i64 begin(i64 tile) const {
    return tile_begin(samples, tiles, tile) * (rows / std::max<i64>(samples, 1));
  }
};
Rows rows_of(const BoundNode& bound, const Shape& x) {
  return {cpu::rows_of(x), x.rank() > 1 ? x[0] : 1, bound.scheme.tiles};
}

struct TopKArgs {
  const float* x;
  float* values;
  std::int32_t* indices;
  i64 n, k;
  Rows rows;
};
Call lower_top_k(const BoundNode& bound) {
  return make_call<TopKArgs>({bound.input(0), bound.output(0), bound.output<std::int32_t>(1),
                              columns_of(bound.in_shape(0)), columns_of(bound.out_shape()),
                              rows_of(bound, bound.in_shape(0))},
                             [](const TopKArgs& a, i64 begin, i64 end, void*) {
                               for (i64 r = a.rows.begin(begin); r < a.rows.begin(end); ++r) {
                                 const float* x = a.x + r * a.n;
                                 i64 pick = -1;
                                 for (i64 j = 0; j < a.k; ++j) {
                                   pick = next_pick(x, a.n, pick);
                                   a.values[r * a.k + j] = x[pick];
                                   a.indices[r * a.k + j] = static_cast<std::int32_t>(pick);
                                 }
                               }
                             });
}

struct ScatterArgs {
  const std::int32_t* indices;
  const float* dy;
  float* dx;
  i64 n, k;
  Rows rows;
};
Call lower_top_k_grad(const BoundNode& bound) {
  return make_call<ScatterArgs>(
      {bound.input<std::int32_t>(0), bound.input(1), bound.output(), columns_of(bound.out_shape()),
       columns_of(bound.in_shape(0)), rows_of(bound, bound.out_shape())},
      [](const ScatterArgs& a, i64 begin, i64 end, void*) {
        for (i64 r = a.rows.begin(begin); r < a.rows.begin(end); ++r) {
          float* dx = a.dx + r * a.n;
          std::memset(dx, 0, static_cast<size_t>(a.n) * sizeof(float));
          for (i64 j = r * a.k; j < (r + 1) * a.k; ++j)
            if (a.indices[j] >= 0 && a.indices[j] < a.n) dx[a.indices[j]] += a.dy[j];
        }
      });
}

struct LogSumExpArgs {
  UnaryRow exp, shift;
  const float *x, *y, *dy;
  float* out;
  i64 n;
  Rows rows;
};

void run_log_sum_exp(const LogSumExpArgs& a, i64 begin, i64 end, void* scratch) {
  auto* part = static_cast<float*>(scratch);
  for (i64 r = a.rows.begin(begin); r < a.rows.begin(end); ++r) {
    const float* x = a.x + r * a.n;
    float top = x[0], sum = 0;
    for (i64 j = 1; j < a.n; ++j) top = x[j] > top ? x[j] : top;
    a.shift(x, part, a.n, 1, std::isinf(top) ? 0 : -top);
    a.exp(part, part, a.n, 0, 0);
    for (i64 j = 0; j < a.n; ++j) sum += part[j];
    a.out[r] = (std::isinf(top) ? 0 : top) + std::log(sum);
  }
}
void run_log_sum_exp_grad(const LogSumExpArgs& a, i64 begin, i64 end, void*) {
  for (i64 r = a.rows.begin(begin); r < a.rows.begin(end); ++r) {
    float* dx = a.out + r * a.n;
    a.shift(a.x + r * a.n, dx, a.n, 1, -a.y[r]);
    a.exp(dx, dx, a.n, 0, 0);
    a.shift(dx, dx, a.n, a.dy[r], 0);
  }
}

Call lower_log_sum_exp(const BoundNode& bound) {
  const bool gradient = bound.in.size() == 3;
  return make_call<LogSumExpArgs>(
      {unary_row("exp"), unary_row("scale_shift"), bound.input(0), bound.input(1), bound.input(2),
       bound.output(), columns_of(bound.in_shape(0)), rows_of(bound, bound.in_shape(0))},
      gradient ? run_log_sum_exp_grad : run_log_sum_exp);
}
std::vector<Scheme> log_sum_exp_schemes(const Graph& graph, const Node& node) {
  auto all = schemes(graph, node);
  for (Scheme& scheme : all)
    scheme.scratch = columns_of(graph.in_shape(node, 0)) * i64{sizeof(float)};
  return all;
}
bool has_columns(const Graph& graph, const Node& node) {
  return columns_of(graph.in_shape(node, 0)) > 0;
}

constexpr KernelDef kernels[] = {
    {"top_k", nullptr, schemes, lower_top_k},
    {"top_k_grad", nullptr, schemes, lower_top_k_grad},
    {"log_sum_exp", has_columns, log_sum_exp_schemes, lower_log_sum_exp},
    {"log_sum_exp_grad", has_columns, schemes, lower_log_sum_exp}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::top_k_kernel
