// attention(queries, keys and values packed, mask?): softmax(scale Q K^T) V for each head (Vaswani
// et al. 2017), with shared key heads (Ainslie et al. 2023). Outputs [batch, queries, heads dim]
// and the log-sum-exp of each row of the scores [batch, heads, queries], from which
// attention_grad makes the scores again (Dao et al. 2022). A query without a key gives zeros.
#include "ops/attention.h"

#include "core/rng.h"

namespace goneuron::attention_op {

namespace {

/// Checked sizes; `has` inputs are there besides the operands.
AttentionSizes check_sizes(const InferContext& c, size_t more) {
  const bool cross = check_flag(c, "cross"), mask = check_flag(c, "mask");
  check_flag(c, "causal");
  const size_t operands = 1 + (cross ? 1 : 0) + (mask ? 1 : 0);
  if (c.inputs.size() < operands + more)
    c.fail(std::to_string(c.inputs.size()) + " inputs; expected " + std::to_string(operands + more),
           "the attributes \"cross\" and \"mask\" say what there is");
  check_rank(c, 0, 3, "[batch, length, features]");
  if (cross) check_rank(c, 1, 3, "[batch, keys, features]");
  const i64 heads = check_integer(c, "heads", c.attrs.integer("heads"), 1, 1 << 20);
  const i64 kv_heads = check_integer(c, "kv_heads", c.attrs.integer("kv_heads"), 1, heads);
  if (heads % kv_heads != 0)
    c.fail(std::to_string(kv_heads) + " kv_heads do not divide " + std::to_string(heads) + " heads",
           "each key head serves as many query heads");
  check_integer(c, "window", c.attrs.integer("window", 0), 0, i64{1} << 40);
  check_real(c, "scale", -huge, huge);
  const double dropout = c.attrs.real("dropout", 0);
  if (!(dropout >= 0 && dropout < 1))
    c.fail("dropout is " + std::to_string(dropout) + "; it must be in [0, 1)", "use e.g. 0.1");
  if (c.attrs.has("stream")) check_integer(c, "stream", c.attrs.integer("stream"), 0, 0xFFFFFFFF);
  const i64 width = c.shape(0)[2], parts = cross ? heads : heads + 2 * kv_heads;
  if (width == Any || width % parts != 0 || width == 0)
    c.fail("the last axis of " + c.shape(0).str() + " is not " + std::to_string(parts) +
               " heads of one size",
           "project to heads times their size first");
  return attention_sizes(c.shape(0), c.shape(cross ? 1 : 0), c.attrs);
}

/// The packed keys and values of cross-attention, and the mask.
void check_operands(const InferContext& c, const AttentionSizes& s) {
  if (s.cross) {
    check_floating(c, {0, 1});
    check_shape(c, 1, {s.batch, c.shape(1)[1], s.kv_row()}, "the keys and values");
  }
  if ((s.causal || s.window) && !agree(s.queries, s.keys))
    c.fail("a causal or windowed attention of " + std::to_string(s.queries) + " queries and " +
               std::to_string(s.keys) + " keys; expected one length",
           "positions are compared: both need one length");
  if (!s.mask) return;
  const int at = s.operands() - 1;
  check_floating(c, {0, at});
  check_shape(c, at, {s.batch, s.keys}, "the mask of the keys", mask_hint);
}

std::vector<TensorType> infer(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  const AttentionSizes s = check_sizes(c, 0);
  check_operands(c, s);
  return {{{s.batch, s.queries, s.out_row()}, dtype}, {{s.batch, s.heads, s.queries}, dtype}};
}

std::vector<TensorType> infer_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  const AttentionSizes s = check_sizes(c, 3);
  check_operands(c, s);
  const int at = s.operands();
  for (int i = at; i < static_cast<int>(c.inputs.size()); ++i) check_floating(c, {0, i});
  const Shape out{s.batch, s.queries, s.out_row()}, rows{s.batch, s.heads, s.queries};
  check_shape(c, at, out, "the output");
  check_shape(c, at + 1, rows, "the log-sum-exp");
  check_shape(c, at + 2, out, "the output's gradient");
  if (static_cast<int>(c.inputs.size()) > at + 3)
    check_shape(c, at + 3, rows, "the gradient of the log-sum-exp");
  if (s.cross) return {{c.shape(0), dtype}, {c.shape(1), dtype}};
  return {{c.shape(0), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  std::vector<Symbol> inputs = c.node.expr()->inputs;
  const size_t operands = inputs.size();
  const Symbol dy =
      c.grad(0) ? c.grad(0) : make("scale_shift", {c.output(0)}, {{"scale", 0.0}, {"shift", 0.0}});
  for (const Symbol& more : {c.output(0), c.output(1), dy}) inputs.push_back(more);
  if (c.grad(1)) inputs.push_back(c.grad(1));
  const Symbol node = make("attention_grad", inputs, c.attrs());
  std::vector<Symbol> gradients(operands);
  gradients[0] = output_of(node, 0);
  if (c.attrs().integer("cross", 0)) gradients[1] = output_of(node, 1);
  return gradients;
}

/// One query's weights, in double, for both kernels.
template <class T>
class Row {
 public:
  Row(const KernelArgs& args, const AttentionSizes& s)
      : s_(s),
        scalars_(args.scalars),
        q_(input<T>(args, 0)),
        kv_(input<T>(args, s.cross ? 1 : 0)),
        mask_(s.mask ? input<T>(args, static_cast<size_t>(s.operands()) - 1) : nullptr),
        stream_(static_cast<std::uint32_t>(args.attrs.integer("stream", 0))) {}

  void select(i64 batch, i64 head, i64 query) { b_ = batch, h_ = head, i_ = query; }
  const T* q() const { return q_ + (b_ * s_.queries + i_) * s_.q_row() + h_ * s_.dim; }
  const T* k(i64 j) const { return head_of(j, s_.k_at()); }
  const T* v(i64 j) const { return head_of(j, s_.v_at()); }
  bool sees(i64 j) const { return !mask_ || mask_[b_ * s_.keys + j] > 0; }
  double score(i64 j) const {
    double dot = 0;
    for (i64 p = 0; p < s_.dim; ++p) dot += double{q()[p]} * double{k(j)[p]};
    return dot * s_.scale;
  }
  /// What dropout multiplies weight j by.
  double kept(i64 j) const {
    if (s_.dropout == 0) return 1;
    const i64 row = ((scalars_.first_sample + b_) * s_.heads + h_) * s_.queries + i_;
    const auto at = static_cast<std::uint64_t>(row * s_.dropout_row() + j);
    const auto step = static_cast<std::uint32_t>(scalars_.counter);
    const std::uint32_t word = philox_at(at / 4, stream_, step, scalars_.seed)[at % 4];
    return to_unit(word) >= static_cast<float>(s_.dropout) ? 1 / (1 - s_.dropout) : 0;
  }

 private:
  const T* head_of(i64 j, i64 at) const {
    return kv_ + (b_ * s_.keys + j) * s_.kv_row() + at + h_ / s_.group() * s_.dim;
  }
  const AttentionSizes& s_;
  const StepScalars& scalars_;
  const T *q_, *kv_, *mask_;
  std::uint32_t stream_;
  i64 b_ = 0, h_ = 0, i_ = 0;
};

/// Calls f(batch, head, query) for each row of the scores.
template <class F>
void for_rows_of(const AttentionSizes& s, const F& f) {
  for (i64 b = 0; b < s.batch; ++b)
    for (i64 h = 0; h < s.heads; ++h)
      for (i64 i = 0; i < s.queries; ++i) f(b, h, i);
}

AttentionSizes sizes_of(const KernelArgs& args) {
  const bool cross = args.attrs.integer("cross", 0) != 0;
  return attention_sizes(args.inputs[0].shape, args.inputs[cross ? 1 : 0].shape, args.attrs);
}

template <class T>
void kernel(const KernelArgs& args) {
  const AttentionSizes s = sizes_of(args);
  Row<T> row(args, s);
  std::vector<double> weight(static_cast<size_t>(s.keys)), sum(static_cast<size_t>(s.dim));
  for_rows_of(s, [&](i64 b, i64 h, i64 i) {
    row.select(b, h, i);
    const i64 from = s.first_key(i), to = s.end_key(i);
    double top = -INFINITY, total = 0;
    for (i64 j = from; j < to; ++j) {
      double& w = weight[static_cast<size_t>(j)];
      w = row.sees(j) ? row.score(j) : -INFINITY;
      top = std::max(top, w);
    }
    std::fill(sum.begin(), sum.end(), 0);
    for (i64 j = from; j < to; ++j) {
      if (!row.sees(j)) continue;
      const double e = std::exp(weight[static_cast<size_t>(j)] - top);
      total += e;
      for (i64 p = 0; p < s.dim; ++p)
        sum[static_cast<size_t>(p)] += e * row.kept(j) * double{row.v(j)[p]};
    }
    T* y = output<T>(args, 0) + (b * s.queries + i) * s.out_row() + h * s.dim;
    for (i64 p = 0; p < s.dim; ++p)
      y[p] = total == 0 ? T{0} : static_cast<T>(sum[static_cast<size_t>(p)] / total);
    output<T>(args, 1)[(b * s.heads + h) * s.queries + i] =
        total == 0 ? T{0} : static_cast<T>(top + std::log(total));
  });
}

/// ds = p (dp - sum(dy y) + d lse); dq = scale ds k, dk = scale ds q, dv = p dy.
template <class T>
void grad_kernel(const KernelArgs& args) {
  const AttentionSizes s = sizes_of(args);
  const auto at = static_cast<size_t>(s.operands());
  const T *out = input<T>(args, at), *lse = input<T>(args, at + 1), *dout = input<T>(args, at + 2);
  const T* dlse = args.inputs.size() > at + 3 ? input<T>(args, at + 3) : nullptr;
  std::vector<double> dq(static_cast<size_t>(args.outputs[0].size())), dkv;
  if (s.cross) dkv.resize(static_cast<size_t>(args.outputs[1].size()));
  double *to_q = dq.data(), *to_kv = s.cross ? dkv.data() : dq.data();
  Row<T> row(args, s);
  for_rows_of(s, [&](i64 b, i64 h, i64 i) {
    row.select(b, h, i);
    const i64 r = (b * s.heads + h) * s.queries + i, o = (b * s.queries + i) * s.out_row();
    const T *y = out + o + h * s.dim, *dy = dout + o + h * s.dim;
    double shift = dlse ? -double{dlse[r]} : 0;
    for (i64 p = 0; p < s.dim; ++p) shift += double{y[p]} * double{dy[p]};
    double* to = to_q + (b * s.queries + i) * s.q_row() + h * s.dim;
    for (i64 j = s.first_key(i); j < s.end_key(i); ++j) {
      if (!row.sees(j)) continue;
      double* key = to_kv + (b * s.keys + j) * s.kv_row() + h / s.group() * s.dim;
      const double weight = std::exp(row.score(j) - double{lse[r]}), kept = row.kept(j);
      double dp = 0;
      for (i64 p = 0; p < s.dim; ++p) dp += double{dy[p]} * double{row.v(j)[p]};
      const double ds = weight * (dp * kept - shift) * s.scale;
      for (i64 p = 0; p < s.dim; ++p) {
        to[p] += ds * double{row.k(j)[p]};
        key[s.k_at() + p] += ds * double{row.q()[p]};
        key[s.v_at() + p] += weight * kept * double{dy[p]};
      }
    }
  });
  std::copy(dq.begin(), dq.end(), output<T>(args, 0));
  if (s.cross) std::copy(dkv.begin(), dkv.end(), output<T>(args, 1));
}

double flops_of(const std::vector<TensorType>& inputs, const Attrs& attrs, double a_pair) {
  const bool cross = attrs.integer("cross", 0) != 0;
  const AttentionSizes s = attention_sizes(inputs[0].shape, inputs[cross ? 1 : 0].shape, attrs);
  return a_pair * s.pairs() * static_cast<double>(s.dim);
}
double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&,
             const Attrs& attrs) {
  return flops_of(inputs, attrs, 4);
}
double grad_flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&,
                  const Attrs& attrs) {
  return flops_of(inputs, attrs, 10);
}

struct Form {
  i64 heads = 2, kv_heads = 2, causal = 0, window = 0;
  double dropout = 0;
  i64 cross = 0, mask = 0;
  Attrs attrs(double scale = 0.6) const {
    Attrs all{{"heads", heads}, {"kv_heads", kv_heads}, {"causal", causal}, {"window", window},
              {"cross", cross}, {"mask", mask},         {"scale", scale},   {"dropout", dropout}};
    if (dropout > 0) all.set("stream", i64{3});
    return all;
  }
};
OpSample sample(i64 batch, i64 length, i64 dim, const Form& form, bool bench = false) {
  OpSample one{{f32({batch, length, (form.heads + 2 * form.kv_heads) * dim})}, form.attrs()};
  if (form.mask) one.inputs.push_back(f32({batch, length}));
  one.avoid = {0};
  one.bench = bench;
  if (bench) one.attrs.set("scale", 1 / std::sqrt(static_cast<double>(dim)));
  return one;
}
OpSample cross_sample(i64 batch, i64 queries, i64 keys, i64 dim, Form form, bool bench = false) {
  form.cross = 1;
  OpSample one = sample(batch, queries, dim, form, bench);
  one.inputs[0] = f32({batch, queries, form.heads * dim});
  one.inputs.insert(one.inputs.begin() + 1, f32({batch, keys, 2 * form.kv_heads * dim}));
  if (form.mask) one.inputs[2] = f32({batch, keys});
  return one;
}
std::vector<OpSample> samples() {
  return {sample(2, 3, 2, {}),
          sample(1, 5, 3, {.causal = 1}),
          sample(2, 5, 2, {.heads = 4, .causal = 1, .window = 2}),
          sample(1, 6, 1, {.heads = 1, .kv_heads = 1, .window = 2}),
          sample(2, 4, 2, {.heads = 4, .kv_heads = 2, .mask = 1}),
          sample(2, 4, 2, {.causal = 1, .dropout = 0.4}),
          cross_sample(2, 3, 5, 2, {}),
          cross_sample(1, 4, 2, 3, {.heads = 6, .kv_heads = 2, .dropout = 0.3, .mask = 1}),
          sample(3, 70, 32, {.heads = 4, .kv_heads = 4, .causal = 1}, true),
          sample(2, 300, 20, {.heads = 4, .causal = 1}, true),
          sample(2, 300, 16, {.heads = 2, .window = 37}, true),
          sample(2, 300, 48, {.heads = 2, .causal = 1, .window = 70, .mask = 1}, true),
          sample(4, 150, 8, {.causal = 1, .dropout = 0.3, .mask = 1}, true),
          cross_sample(2, 45, 170, 64, {.heads = 8, .dropout = 0.2}, true),
          cross_sample(17, 1, 33, 5, {.heads = 4, .kv_heads = 1, .mask = 1}, true)};
}
/// The same, with the output and its gradients behind them.
std::vector<OpSample> grad_samples() {
  std::vector<OpSample> all = samples();
  for (size_t i = 0; i < all.size(); ++i) {
    const Shape &q = all[i].inputs[0].shape, &kv = all[i].inputs.back().shape;
    const AttentionSizes s =
        attention_sizes(q, all[i].attrs.integer("cross") ? kv : q, all[i].attrs);
    const TensorType out = f32({s.batch, s.queries, s.out_row()});
    for (const TensorType& more : {out, f32({s.batch, s.heads, s.queries}), out})
      all[i].inputs.push_back(more);
    if (i % 2) all[i].inputs.push_back(f32({s.batch, s.heads, s.queries}));
  }
  return all;
}

std::vector<OpReject> rejects() {
  const Attrs plain = Form{}.attrs();
  return {
      {{f32({2, 3, 13})}, plain, "is not 6 heads of one size"},
      {{f32({2, 12})}, plain, "it must have 3"},
      {{i32({2, 3, 12})}, plain, "is i32"},
      {{f32({2, 3, 12})}, Form{.heads = 3, .kv_heads = 2}.attrs(), "2 kv_heads do not divide"},
      {{f32({2, 3, 12})}, Form{.heads = 0}.attrs(), "heads is 0"},
      {{f32({2, 3, 12})}, Form{.kv_heads = 3}.attrs(), "kv_heads is 3"},
      {{f32({2, 3, 12})}, Form{.window = -1}.attrs(), "window is -1"},
      {{f32({2, 3, 12})}, Form{.dropout = 1}.attrs(), "dropout is 1"},
      {{f32({2, 3, 12})}, Form{}.attrs(std::nan("")), "scale is nan"},
      {{f32({2, 3, 12})}, Form{.mask = 1}.attrs(), "1 inputs; expected 2"},
      {{f32({2, 3, 12}), f32({2, 4})}, Form{.mask = 1}.attrs(), "the mask of the keys is [2, 4]"},
      {{f32({2, 3, 4}), f32({3, 5, 8})}, Form{.cross = 1}.attrs(), "the keys and values is"},
      {{f32({2, 3, 4}), f32({2, 5, 8})},
       Form{.causal = 1, .cross = 1}.attrs(),
       "3 queries and 5 keys"}};
}
std::vector<OpReject> grad_rejects() {
  const TensorType x = f32({2, 3, 12}), y = f32({2, 3, 4}), rows = f32({2, 2, 3});
  return {{{x, y, rows}, Form{}.attrs(), "3 inputs; expected 4"},
          {{x, y, y, y}, Form{}.attrs(), "the log-sum-exp is"},
          {{x, y, rows, y, y}, Form{}.attrs(), "the gradient of the log-sum-exp is"},
          {{x, x, rows, y}, Form{}.attrs(), "the output is"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {
      {.name = "attention",
       .min_inputs = 1,
       .max_inputs = 3,
       .infer = infer,
       .gradient = gradient,
       .reference = {kernel<float>, kernel<double>},
       .bf16 = true,
       .flops = flops,
       .samples = samples,
       .rejects = rejects},
      {.name = "attention_grad",
       .min_inputs = 3,
       .max_inputs = 7,
       .infer = infer_grad,
       .gradient = Gradient::none("second derivatives of attention are not supported"),
       .reference = {grad_kernel<float>, grad_kernel<double>},
       .bf16 = true,
       .flops = grad_flops,
       .samples = grad_samples,
       .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::attention_op
