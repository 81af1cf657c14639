// Softmax, cross-entropy and accuracy: rows of a few classes.
#include <algorithm>
#include <cmath>
#include <cstring>
#include <mutex>

#include "backends/cpu/kernel.h"
#include "backends/cpu/vector_ops.h"

namespace goneuron::cpu::loss_kernel {

namespace {

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& x = graph.in_shape(node, 0);
  if (x.rank() < 2) return all;
  for (const i64 tiles : tile_counts(graph))
    if (x[0] >= tiles && x.elements() / tiles >= 4096) {
      unsigned mask = 0;
      for (size_t i = 0; i < node.inputs.size(); ++i)
        if (graph.in_shape(node, static_cast<int>(i)).rank() > 0 &&
            graph.in_shape(node, static_cast<int>(i))[0] == x[0])
          mask |= 1U << i;
      all.push_back(by_rows(graph, node, tiles, mask));
    }
  return all;
}

struct RowRange {
  i64 rows, tiles;
  i64 begin(i64 tile) const { return tile_begin(samples, tiles, tile) * positions(); }
  i64 samples;
  i64 positions() const { return rows / std::max<i64>(samples, 1); }
};
RowRange range_of(const BoundNode& bound) {
  const Shape& x = bound.in_shape(0);
  return {rows_of(x), bound.scheme.tiles, x.rank() > 1 ? x[0] : 1};
}

struct SoftmaxArgs {
  SoftmaxRows rows;
  const float* x;
  float* y;
  i64 n;
  RowRange range;
};
Call lower_softmax(const BoundNode& bound) {
  const bool log = std::string_view(bound.node.op->name) == "log_softmax";
  return make_call<SoftmaxArgs>({softmax_rows(log), bound.input(0), bound.output(),
                                 columns_of(bound.in_shape(0)), range_of(bound)},
                                [](const SoftmaxArgs& s, i64 begin, i64 end, void*) {
                                  const i64 r = s.range.begin(begin);
                                  s.rows(s.x + r * s.n, s.y + r * s.n, s.range.begin(end) - r, s.n);
                                });
}

struct SoftmaxGradArgs {
  const float *y, *dy;
  float* dx;
  i64 n;
  RowRange range;
  bool log;
  UnaryRow exp;
  BinaryRow mul;
};

/// Four running sums, in a fixed order.
float sum_of(const float* x, i64 n) {
  float s[4] = {};
  for (i64 i = 0; i < n; ++i) s[i % 4] += x[i];
  return (s[0] + s[1]) + (s[2] + s[3]);
}

/// dy - exp(y) sum(dy) of a log softmax; y (dy - sum(y dy)) of a softmax.
void run_softmax_grad(const SoftmaxGradArgs& s, i64 begin, i64 end, void* scratch) {
  auto* row = static_cast<float*>(scratch);
  for (i64 r = s.range.begin(begin); r < s.range.begin(end); ++r) {
    const float *y = s.y + r * s.n, *dy = s.dy + r * s.n;
    float* dx = s.dx + r * s.n;
    if (s.log)
      s.exp(y, row, s.n, 0, 0);
    else
      s.mul(y, dy, row, s.n, 0);
    const float total = sum_of(s.log ? dy : row, s.n);
    for (i64 j = 0; j < s.n; ++j) dx[j] = s.log ? dy[j] - row[j] * total : row[j] - y[j] * total;
  }
}

Call lower_softmax_grad(const BoundNode& bound) {
  const bool log = std::string_view(bound.node.op->name) == "log_softmax_grad";
  return make_call<SoftmaxGradArgs>(
      {bound.input(0), bound.input(1), bound.output(), columns_of(bound.in_shape(0)),
       range_of(bound), log, unary_row("exp"), binary_row("mul")},
      run_softmax_grad);
}

std::vector<Scheme> softmax_grad_schemes(const Graph& graph, const Node& node) {
  auto all = schemes(graph, node);
  for (Scheme& scheme : all)
    scheme.scratch = columns_of(graph.in_shape(node, 0)) * i64{sizeof(float)};
  return all;
}

struct CrossEntropyArgs {
  SoftmaxRows log_softmax, softmax;
  const float* logits;
  const std::int32_t* labels;  // or
  const float* targets;
  const float* dloss;
  float* out;  // losses, or the gradient of the logits
  i64 n;
  float smoothing;
  bool ignores;
  std::int32_t ignored;
  StepScalars* scalars;
  RowRange range;
};

/// The weight of class j in the target of row r: PyTorch's smoothing spreads it over all classes.
inline float target(const CrossEntropyArgs& c, i64 r, i64 j) {
  const float sharp = c.labels ? static_cast<float>(c.labels[r] == j) : c.targets[r * c.n + j];
  return sharp * (1 - c.smoothing) + c.smoothing / static_cast<float>(c.n);
}

/// Names the bad label of the first sample that has one, whichever worker comes first.
void report_label(const CrossEntropyArgs& c, i64 r) {
  static std::mutex writing;
  const std::lock_guard lock(writing);
  StepScalars& status = *c.scalars;
  const i64 sample = r / c.range.positions();
  if (status.code != status_ok && (status.code != status_label_range || status.row <= sample))
    return;
  status.row = sample;
  status.value = c.labels[r];
  status.code = status_label_range;
}

/// True where row r counts for nothing: its label is the ignored one, or no class, and then the
/// status is written.
inline bool passed_over(const CrossEntropyArgs& c, i64 r) {
  if (!c.labels) return false;
  if (c.ignores && c.labels[r] == c.ignored) return true;
  if (c.labels[r] >= 0 && c.labels[r] < c.n) return false;
  report_label(c, r);
  return true;
}

constexpr i64 loss_rows = 8;  // whose logarithms are in the scratch memory

void run_loss(const CrossEntropyArgs& c, i64 begin, i64 end, void* scratch) {
  auto* logs = static_cast<float*>(scratch);
  const i64 first = c.range.begin(begin), last = c.range.begin(end);
  for (i64 r = first; r < last; ++r) {
    const i64 at = (r - first) % loss_rows;
    const float* logp = logs + at * c.n;
    if (at == 0) c.log_softmax(c.logits + r * c.n, logs, std::min(loss_rows, last - r), c.n);
    c.out[r] = 0;
    if (passed_over(c, r)) continue;
    if (c.labels && c.smoothing == 0) {
      c.out[r] = -logp[c.labels[r]];
      continue;
    }
    float sum = 0;
    for (i64 j = 0; j < c.n; ++j) {
      const float t = target(c, r, j);
      if (t != 0) sum -= t * logp[j];
    }
    c.out[r] = sum;
  }
}

void run_gradient(const CrossEntropyArgs& c, i64 begin, i64 end, void*) {
  const i64 first = c.range.begin(begin), last = c.range.begin(end);
  c.softmax(c.logits + first * c.n, c.out + first * c.n, last - first, c.n);
  for (i64 r = first; r < last; ++r) {
    float* out = c.out + r * c.n;
    if (passed_over(c, r)) {
      std::memset(out, 0, static_cast<size_t>(c.n) * sizeof(float));
      continue;
    }
    const float scale = c.dloss[r];
    if (c.labels && c.smoothing == 0) {
      for (i64 j = 0; j < c.n; ++j) out[j] *= scale;
      out[c.labels[r]] -= scale;
      continue;
    }
    float weight = 0;  // targets need not sum to one
    for (i64 j = 0; j < c.n; ++j) weight += target(c, r, j);
    for (i64 j = 0; j < c.n; ++j) out[j] = (out[j] * weight - target(c, r, j)) * scale;
  }
}

Call lower_cross_entropy(const BoundNode& bound) {
  const bool gradient = bound.in.size() > 2;
  const bool indices = bound.graph.in(bound.node, 1).type.dtype == DType::i32;
  CrossEntropyArgs args{softmax_rows(true),
                        softmax_rows(false),
                        bound.input(0),
                        indices ? bound.input<std::int32_t>(1) : nullptr,
                        indices ? nullptr : bound.input(1),
                        gradient ? bound.input(2) : nullptr,
                        bound.output(),
                        columns_of(bound.in_shape(0)),
                        static_cast<float>(bound.node.attrs.real("label_smoothing", 0)),
                        bound.node.attrs.has("ignore_index"),
                        static_cast<std::int32_t>(bound.node.attrs.integer("ignore_index", 0)),
                        bound.scalars,
                        range_of(bound)};
  return make_call<CrossEntropyArgs>(args, gradient ? run_gradient : run_loss);
}

std::vector<Scheme> cross_entropy_schemes(const Graph& graph, const Node& node) {
  auto all = schemes(graph, node);
  for (Scheme& scheme : all)
    scheme.scratch = loss_rows * columns_of(graph.in_shape(node, 0)) * i64{sizeof(float)};
  return all;
}

struct AccuracyArgs {
  const std::int32_t* labels;
  const float* targets;
  const float* p;
  float* out;
  i64 samples, positions, classes;
};

i64 arg_max(const float* x, i64 n) {
  i64 best = 0;
  for (i64 j = 1; j < n; ++j)
    if (x[j] > x[best]) best = j;
  return best;
}

void run_accuracy(const AccuracyArgs& a, i64, i64, void*) {
  for (i64 s = 0; s < a.samples; ++s) {
    i64 right = 0;
    for (i64 q = 0; q < a.positions; ++q) {
      const i64 r = s * a.positions + q;
      if (a.classes == 1)
        right += (a.p[r] > 0.5F) == (a.labels ? a.labels[r] > 0 : a.targets[r] > 0.5F);
      else
        right += arg_max(a.p + r * a.classes, a.classes) ==
                 (a.labels ? a.labels[r] : arg_max(a.targets + r * a.classes, a.classes));
    }
    a.out[s] = static_cast<float>(right) / static_cast<float>(a.positions);
  }
}

Call lower_accuracy(const BoundNode& bound) {
  const bool indices = bound.graph.in(bound.node, 0).type.dtype == DType::i32;
  const Shape& p = bound.in_shape(1);
  const i64 classes = p.rank() > 1 ? p[-1] : 1;
  // One by one, each prediction is a sample of its own.
  const bool each = bound.node.attrs.integer("each", 0) != 0;
  const i64 samples = each ? p.elements() / std::max<i64>(classes, 1) : p[0];
  return make_call<AccuracyArgs>(
      {indices ? bound.input<std::int32_t>(0) : nullptr, indices ? nullptr : bound.input(0),
       bound.input(1), bound.output(), samples, samples == 0 ? 0 : p.elements() / classes / samples,
       classes},
      run_accuracy);
}

struct CheckRangeArgs {
  const float* x;
  float* y;
  i64 size;
  float low, high;
  StepScalars* scalars;
};

void run_check_range(const CheckRangeArgs& c, i64, i64, void*) {
  bool out = false;
  for (i64 i = 0; i < c.size; ++i) {
    out |= c.x[i] < c.low || c.x[i] > c.high;
    c.y[i] = c.x[i];
  }
  if (out && c.scalars->code == status_ok) c.scalars->code = status_value_range;
}

Call lower_check_range(const BoundNode& bound) {
  const Attrs& attrs = bound.node.attrs;
  return make_call<CheckRangeArgs>({bound.input(0), bound.output(), bound.out_shape().elements(),
                                    static_cast<float>(attrs.real("low")),
                                    static_cast<float>(attrs.real("high")), bound.scalars},
                                   run_check_range);
}

constexpr KernelDef kernels[] = {
    {"softmax", nullptr, schemes, lower_softmax},
    {"log_softmax", nullptr, schemes, lower_softmax},
    {"softmax_grad", nullptr, softmax_grad_schemes, lower_softmax_grad},
    {"log_softmax_grad", nullptr, softmax_grad_schemes, lower_softmax_grad},
    {"softmax_cross_entropy", nullptr, cross_entropy_schemes, lower_cross_entropy},
    {"softmax_cross_entropy_grad", nullptr, cross_entropy_schemes, lower_cross_entropy},
    {"check_range", nullptr, nullptr, lower_check_range},
    {"accuracy", nullptr, nullptr, lower_accuracy}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::loss_kernel
