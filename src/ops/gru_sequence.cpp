// gru_sequence(x [b, t, in], w_ih [in, 3h], w_hh [h, 3h], bias [3h], bias_hn [h], h0? [b, h], mask?
// [b, t]){state, masked, reverse, zero_masked}: a GRU (Cho et al. 2014) over all steps, with the
// reset gate after the product as in PyTorch: n = tanh(x w_in + b_n + r (h w_hn + bias_hn)), h' =
// (1 - z) n + z h; gates in the order reset, update, new. -> activated gates [b, t, 3h], y [b, t,
// h], last h [b, h], h w_hn + bias_hn of every step, h before every step. Masks as in
// lstm_sequence.
#include "ops/recurrent.h"

namespace goneuron::gru_sequence_op {

namespace {
constexpr std::array<const char*, 2> optional_names = {"state", "masked"};
constexpr std::array<const char*, 3> grad_names = {"masked", "dy", "dh"};

std::vector<TensorType> infer(const InferContext& c) {
  const auto [h0, mask] = recurrent::check_optional_inputs(c, 5, optional_names);
  const i64 units = recurrent::check_weight(c, 2, 3), wide = checked_mul(3, units);
  const Shape x = recurrent::check_input(c, wide);
  check_shape(c, 3, Shape{wide}, "the bias");
  check_shape(c, 4, Shape{units}, "the recurrent bias");
  const Shape state{x[0], units}, steps{x[0], x[1]};
  if (h0 >= 0) check_shape(c, h0, state, "the initial state h");
  if (mask >= 0) check_shape(c, mask, steps, "the mask", mask_hint);
  const DType dtype = c.dtype(0);
  const TensorType all{Shape{x[0], x[1], units}, dtype}, last{state, dtype};
  return {{Shape{x[0], x[1], wide}, dtype}, all, last, all, all};
}

// gru_sequence_grad(activated gates, h w_n + bias, h before every step, w, mask?, dy?, dh?){state,
// masked, .., dy, dh} -> d gates, d (h w + bias) [b, t, 3h], with state also dh0.
std::vector<TensorType> infer_grad(const InferContext& c) {
  const auto [mask, dy, dh] = recurrent::check_optional_inputs(c, 4, grad_names);
  const i64 units = recurrent::check_weight(c, 3, 3);
  const Shape gates = recurrent::check_sequence(c, 0, checked_mul(3, units), "the gates");
  recurrent::check_sequence(c, 1, units, "h w_n + bias");
  recurrent::check_sequence(c, 2, units, "h before every step");
  const Shape state{gates[0], units}, steps{gates[0], gates[1]};
  if (dy >= 0) recurrent::check_sequence(c, dy, units, "the gradient of y");
  if (mask >= 0) check_shape(c, mask, steps, "the mask", mask_hint);
  if (dh >= 0) check_shape(c, dh, state, "the gradient of h");
  std::vector<TensorType> outputs(2, {gates, c.dtype(0)});
  if (check_flag(c, "state")) outputs.push_back({state, c.dtype(0)});
  return outputs;
}

std::vector<Symbol> gradient(const GradContext& c) {
  const auto [h0, mask] = recurrent::optional_inputs(c.attrs(), 5, optional_names);
  std::vector<Symbol> inputs{c.output(0), c.output(3), c.output(4), c.input(2)};
  Attrs attrs = c.attrs();
  if (mask >= 0) inputs.push_back(c.input(mask));
  for (const auto& [flag, output] : {std::pair{"dy", 1}, {"dh", 2}}) {
    attrs.set(flag, i64{c.grad(output) ? 1 : 0});
    if (c.grad(output)) inputs.push_back(c.grad(output));
  }
  const Symbol dgates = make("gru_sequence_grad", inputs, attrs), dproduct = output_of(dgates, 1);
  const i64 units = c.input(2).shape()[0];
  const auto columns = [](const Symbol& x) {
    return make("sum", {x}, {{"axes", std::vector<i64>{0, 1}}, {"keep", i64{0}}});
  };
  std::vector<Symbol> gradients{make("matmul", {dgates, c.input(1)}, {{"tb", i64{1}}}),
                                make("matmul", {c.input(0), dgates}, {{"ta", i64{1}}}),
                                make("matmul", {c.output(4), dproduct}, {{"ta", i64{1}}}),
                                columns(dgates),
                                make("slice", {columns(dproduct)},
                                     {{"axis", i64{0}}, {"begin", 2 * units}, {"end", 3 * units}})};
  if (h0 >= 0) gradients.push_back(output_of(dgates, 2));
  return gradients;
}

/// Everything is double inside, so that rounding happens once.
template <class T>
void kernel(const KernelArgs& args) {
  const auto [h0, mask] = recurrent::optional_inputs(args.attrs, 5, optional_names);
  const recurrent::Walk walk(args, args.inputs[2].shape[0]);
  const T *w_ih = input<T>(args, 1), *w_hh = input<T>(args, 2);
  const T *bias = input<T>(args, 3), *bias_hn = input<T>(args, 4);
  T *acts = output<T>(args, 0), *y = output<T>(args, 1), *products = output<T>(args, 3);
  const i64 units = walk.units, in = args.inputs[1].shape[0];
  for (i64 b = 0; b < walk.batch; ++b) {
    auto h = recurrent::row_of<T>(args, h0, b, units);
    for (i64 at = 0; at < walk.steps; ++at) {
      const i64 step = walk.step(b, at);
      const bool kept = walk.kept<T>(args, mask, step);
      const auto x = recurrent::row_of(input<T>(args, 0), step, in);
      recurrent::put(h, output<T>(args, 4) + step * units);
      auto next = h;
      for (i64 u = 0; u < units; ++u) {
        double gate[3], last = 0;
        for (i64 k = 0; k < 3; ++k) {
          const i64 column = k * units + u;
          const double own = double{bias[column]} + recurrent::product(x, w_ih + column, 3 * units);
          const double product = recurrent::product(h, w_hh + column, 3 * units);
          if (k == 2) last = product + double{bias_hn[u]};
          gate[k] = k == 2 ? std::tanh(own + gate[0] * last) : recurrent::sigmoid(own + product);
          acts[step * 3 * units + column] = static_cast<T>(gate[k]);
        }
        products[step * units + u] = static_cast<T>(last);
        double& now = next[static_cast<size_t>(u)];
        if (kept) now = gate[2] + gate[1] * (now - gate[2]);
      }
      h = next;
      recurrent::put(h, y + step * units, kept || !walk.zero_masked);
    }
    recurrent::put(h, output<T>(args, 2) + b * units);
  }
}

template <class T>
void grad_kernel(const KernelArgs& args) {
  const auto [mask, dy, dh_last] = recurrent::optional_inputs(args.attrs, 4, grad_names);
  const recurrent::Walk walk(args, args.inputs[3].shape[0]);
  const T *acts = input<T>(args, 0), *products = input<T>(args, 1), *before = input<T>(args, 2),
          *w = input<T>(args, 3);
  T *dgates = output<T>(args, 0), *dproducts = output<T>(args, 1);
  const i64 units = walk.units;
  recurrent::Row d(static_cast<size_t>(3 * units));
  for (i64 b = 0; b < walk.batch; ++b) {
    auto dh = recurrent::row_of<T>(args, dh_last, b, units);
    for (i64 at = walk.steps - 1; at >= 0; --at) {
      const i64 step = walk.step(b, at);
      const bool kept = walk.kept<T>(args, mask, step);
      if (dy >= 0 && (kept || !walk.zero_masked))
        recurrent::add(input<T>(args, static_cast<size_t>(dy)) + step * units, dh);
      for (i64 u = 0; u < units; ++u) {
        const i64 i = step * 3 * units + u, one = step * units + u;
        const double r = double{acts[i]}, z = double{acts[i + units]},
                     n = double{acts[i + 2 * units]};
        double& gradient = dh[static_cast<size_t>(u)];
        const double dn = gradient * (1 - z) * (1 - n * n);
        const double parts[3] = {dn * double{products[one]} * r * (1 - r),
                                 gradient * (double{before[one]} - n) * z * (1 - z), dn};
        for (i64 k = 0; k < 3; ++k) {
          const double part = kept ? parts[k] : 0, through = k == 2 ? part * r : part;
          dgates[i + k * units] = static_cast<T>(part);
          dproducts[i + k * units] = static_cast<T>(through);
          d[static_cast<size_t>(k * units + u)] = through;
        }
        if (kept) gradient *= z;
      }
      for (i64 p = 0; kept && p < units; ++p)
        dh[static_cast<size_t>(p)] += recurrent::product(d, w + p * 3 * units, 1);
    }
    if (args.outputs.size() > 2) recurrent::put(dh, output<T>(args, 2) + b * units);
  }
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>& outputs,
             const Attrs&) {
  return 2 * count(outputs[0]) * static_cast<double>(inputs[1].shape[0] + inputs[2].shape[0]);
}
double grad_flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&,
                  const Attrs&) {
  return 2 * count(inputs[0]) * static_cast<double>(inputs[3].shape[0]);
}

Attrs flags(i64 state, i64 masked, i64 reverse = 0, i64 zero = 0) {
  return {{"state", state}, {"masked", masked}, {"reverse", reverse}, {"zero_masked", zero}};
}
Attrs grad_flags(const Attrs& forward, i64 dy, i64 dh) {
  Attrs all = forward;
  all.set("dy", dy);
  all.set("dh", dh);
  return all;
}

/// An op on [b, t, in] with `h` units; inputs in the order of the op's line above.
OpSample sample(i64 b, i64 t, i64 in, i64 h, const Attrs& attrs, bool bench = false) {
  std::vector<TensorType> inputs{f32({b, t, in}), f32({in, 3 * h}), f32({h, 3 * h}), f32({3 * h}),
                                 f32({h})};
  if (attrs.integer("state")) inputs.push_back(f32({b, h}));
  if (attrs.integer("masked")) inputs.push_back(f32({b, t}));
  // Large weights make the steps chaotic: rounding would grow from step to step.
  const double range = bench ? 1 / std::sqrt(static_cast<double>(h)) : 1.5;
  return {inputs, attrs, -range, attrs.integer("masked") ? std::max(range, 1.0) : range,
          {0.5},  2,     bench};
}
OpSample grad_sample(i64 b, i64 t, i64 h, const Attrs& attrs, bool bench = false) {
  std::vector<TensorType> inputs{f32({b, t, 3 * h}), f32({b, t, h}), f32({b, t, h}),
                                 f32({h, 3 * h})};
  if (attrs.integer("masked")) inputs.push_back(f32({b, t}));
  if (attrs.integer("dy")) inputs.push_back(f32({b, t, h}));
  if (attrs.integer("dh")) inputs.push_back(f32({b, h}));
  // Activated gates are in [0, 1); the product with w stays below 1.
  const double range = bench ? 1 / std::sqrt(static_cast<double>(h)) : 0.9;
  return {inputs, attrs, attrs.integer("masked") ? -0.2 : 0.05, range, {0.5}, 2, bench};
}

std::vector<OpSample> samples() {
  return {sample(2, 3, 4, 2, flags(0, 0)),
          sample(3, 4, 2, 3, flags(1, 1)),
          sample(2, 4, 1, 2, flags(0, 1, 1)),
          sample(2, 4, 3, 3, flags(1, 1, 1, 1)),
          sample(1, 3, 2, 2, flags(1, 0, 1)),
          sample(2, 1, 3, 5, flags(0, 0)),
          sample(37, 9, 13, 21, flags(1, 1, 0, 1), true),
          sample(70, 5, 40, 32, flags(0, 1, 1), true),
          sample(64, 28, 28, 128, flags(0, 0), true)};
}
std::vector<OpSample> grad_samples() {
  return {grad_sample(2, 3, 2, grad_flags(flags(0, 0), 1, 1)),
          grad_sample(3, 4, 3, grad_flags(flags(1, 1), 1, 0)),
          grad_sample(2, 3, 2, grad_flags(flags(1, 1, 1, 1), 1, 1)),
          grad_sample(2, 3, 2, grad_flags(flags(0, 0, 1), 0, 1)),
          grad_sample(37, 9, 21, grad_flags(flags(1, 1, 0, 1), 1, 1), true),
          grad_sample(70, 5, 32, grad_flags(flags(0, 1, 1), 1, 0), true),
          grad_sample(64, 28, 128, grad_flags(flags(0, 0), 0, 1), true)};
}
std::vector<OpReject> rejects() {
  const TensorType x = f32({2, 3, 5}), w = f32({5, 6}), v = f32({2, 6}), b = f32({6}), n = f32({2});
  return {{{x, w, f32({2, 8}), b, n},
           flags(0, 0),
           "the recurrent weight is [2, 8]; its columns must be 3"},
          {{x, f32({4, 6}), v, b, n}, flags(0, 0), "the input weight is [4, 6]; it must be [5, 6]"},
          {{x, w, v, f32({2}), n}, flags(0, 0), "the bias is [2]; it must be [6]"},
          {{x, w, v, b, b}, flags(0, 0), "the recurrent bias is [6]; it must be [2]"},
          {{x, w, v, b, n, f32({2, 3})},
           flags(1, 0),
           "the initial state h is [2, 3]; it must be [2, 2]"},
          {{x, w, v, b, n, f32({2, 4})}, flags(0, 1), "the mask is [2, 4]; it must be [2, 3]"},
          {{x, w, v, b, n}, flags(0, 1), "5 inputs; the flags ask for 6"},
          {{i32({2, 3, 5}), w, v, b, n}, flags(0, 0), "input 1 is i32"}};
}
std::vector<OpReject> grad_rejects() {
  const TensorType x = f32({2, 3, 6}), c = f32({2, 3, 2}), w = f32({2, 6});
  const Attrs attrs = grad_flags(flags(0, 0), 1, 0);
  return {
      {{x, c, c, w, f32({2, 3, 3})}, attrs, "the gradient of y is [2, 3, 3]; it must be [2, 3, 2]"},
      {{x, c, f32({2, 2, 2}), w, c}, attrs, "h before every step is [2, 2, 2]"},
      {{x, c, c, w}, attrs, "4 inputs; the flags ask for 5"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {
      {.name = "gru_sequence",
       .min_inputs = 5,
       .max_inputs = 7,
       .infer = infer,
       .gradient = gradient,
       .reference = {kernel<float>, kernel<double>},
       .detached = 0b11001,
       .flops = flops,
       .samples = samples,
       .rejects = rejects},
      {.name = "gru_sequence_grad",
       .min_inputs = 4,
       .max_inputs = 7,
       .infer = infer_grad,
       .gradient = Gradient::none("second derivatives of a GRU are not supported"),
       .reference = {grad_kernel<float>, grad_kernel<double>},
       .in_place = 1,
       .flops = grad_flops,
       .samples = grad_samples,
       .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::gru_sequence_op
