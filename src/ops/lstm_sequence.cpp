// lstm_sequence(x [b, t, in], w_ih [in, 4h], w_hh [h, 4h], bias [4h], h0?, c0? [b, h], mask? [b,
// t]){state, masked, reverse, zero_masked}: an LSTM (Hochreiter & Schmidhuber 1997, with the forget
// gate of Gers et al. 2000) over all steps; gates in the order input, forget, cell, output.
// -> activated gates [b, t, 4h], y [b, t, h], last h and c [b, h], c of every step, x and the h
// before of every step side by side [b, t, in + h].
// A step whose mask is 0 leaves h and c as they are; y is then h, or 0 with zero_masked.
#include "ops/recurrent.h"

namespace goneuron::lstm_sequence_op {

namespace {
constexpr std::array<const char*, 3> optional_names = {"state", "state", "masked"};
constexpr std::array<const char*, 5> grad_names = {"state", "masked", "dy", "dh", "dc"};

std::vector<TensorType> infer(const InferContext& c) {
  const auto [h0, c0, mask] = recurrent::check_optional_inputs(c, 4, optional_names);
  const i64 units = recurrent::check_weight(c, 2, 4), wide = checked_mul(4, units);
  const Shape x = recurrent::check_input(c, wide);
  check_shape(c, 3, Shape{wide}, "the bias");
  const Shape state{x[0], units}, steps{x[0], x[1]};
  if (h0 >= 0) check_shape(c, h0, state, "the initial state h");
  if (c0 >= 0) check_shape(c, c0, state, "the initial state c");
  if (mask >= 0) check_shape(c, mask, steps, "the mask", mask_hint);
  const auto wide_as = [&](i64 columns) {
    return TensorType{Shape{x[0], x[1], columns}, c.dtype(0)};
  };
  const TensorType last{state, c.dtype(0)};
  return {wide_as(wide), wide_as(units), last,
          last,          wide_as(units), wide_as(checked_add(x[2], units))};
}

// lstm_sequence_grad(activated gates, c of every step, w, c0?, mask?, dy?, dh?, dc?){.., dy, dh,
// dc} -> d gates, with state also dh0 and dc0.
std::vector<TensorType> infer_grad(const InferContext& c) {
  const auto [c0, mask, dy, dh, dc] = recurrent::check_optional_inputs(c, 3, grad_names);
  const i64 units = recurrent::check_weight(c, 2, 4);
  const Shape gates = recurrent::check_sequence(c, 0, checked_mul(4, units), "the gates");
  recurrent::check_sequence(c, 1, units, "c of every step");
  const Shape state{gates[0], units}, steps{gates[0], gates[1]};
  if (dy >= 0) recurrent::check_sequence(c, dy, units, "the gradient of y");
  if (mask >= 0) check_shape(c, mask, steps, "the mask", mask_hint);
  for (const int i : {c0, dh, dc})
    if (i >= 0) check_shape(c, i, state, "a state");
  const TensorType last{state, c.dtype(0)};
  std::vector<TensorType> outputs{{gates, c.dtype(0)}};
  if (c0 >= 0) outputs.insert(outputs.end(), 2, last);
  return outputs;
}

std::vector<Symbol> gradient(const GradContext& c) {
  const auto [h0, c0, mask] = recurrent::optional_inputs(c.attrs(), 4, optional_names);
  std::vector<Symbol> inputs{c.output(0), c.output(4), c.input(2)};
  Attrs attrs = c.attrs();
  if (c0 >= 0) inputs.push_back(c.input(c0));
  if (mask >= 0) inputs.push_back(c.input(mask));
  for (const auto& [flag, output] : {std::pair{"dy", 1}, {"dh", 2}, {"dc", 3}}) {
    attrs.set(flag, i64{c.grad(output) ? 1 : 0});
    if (c.grad(output)) inputs.push_back(c.grad(output));
  }
  const Symbol dgates = make("lstm_sequence_grad", inputs, attrs);
  // Both weights' gradients are one product over all steps.
  const Symbol dw = make("matmul", {c.output(5), dgates}, {{"ta", i64{1}}});
  const i64 in = c.input(1).shape()[0], all = dw.shape()[0];
  const auto rows = [&](i64 begin, i64 end) {
    return make("slice", {dw}, {{"axis", i64{0}}, {"begin", begin}, {"end", end}});
  };
  std::vector<Symbol> gradients{
      make("matmul", {dgates, c.input(1)}, {{"tb", i64{1}}}), rows(0, in), rows(in, all),
      make("sum", {dgates}, {{"axes", std::vector<i64>{0, 1}}, {"keep", i64{0}}})};
  if (h0 >= 0) gradients.insert(gradients.end(), {output_of(dgates, 1), output_of(dgates, 2)});
  return gradients;
}

/// Everything is double inside, so that rounding happens once.
template <class T>
void kernel(const KernelArgs& args) {
  const auto [h0, c0, mask] = recurrent::optional_inputs(args.attrs, 4, optional_names);
  const recurrent::Walk walk(args, args.inputs[2].shape[0]);
  const T *w_ih = input<T>(args, 1), *w_hh = input<T>(args, 2), *bias = input<T>(args, 3);
  T *acts = output<T>(args, 0), *y = output<T>(args, 1), *cells = output<T>(args, 4);
  const i64 units = walk.units, in = args.inputs[1].shape[0];
  for (i64 b = 0; b < walk.batch; ++b) {
    auto h = recurrent::row_of<T>(args, h0, b, units), c = recurrent::row_of<T>(args, c0, b, units);
    for (i64 at = 0; at < walk.steps; ++at) {
      const i64 step = walk.step(b, at);
      const bool kept = walk.kept<T>(args, mask, step);
      const auto x = recurrent::row_of(input<T>(args, 0), step, in);
      recurrent::put(x, output<T>(args, 5) + step * (in + units));
      recurrent::put(h, output<T>(args, 5) + step * (in + units) + in);
      auto next = h;
      for (i64 u = 0; u < units; ++u) {
        double gate[4];
        for (i64 k = 0; k < 4; ++k) {
          const i64 column = k * units + u;
          gate[k] = double{bias[column]} + recurrent::product(x, w_ih + column, 4 * units) +
                    recurrent::product(h, w_hh + column, 4 * units);
          gate[k] = k == 2 ? std::tanh(gate[k]) : recurrent::sigmoid(gate[k]);
          acts[step * 4 * units + column] = static_cast<T>(gate[k]);
        }
        if (!kept) continue;
        double& cell = c[static_cast<size_t>(u)];
        cell = gate[1] * cell + gate[0] * gate[2];
        next[static_cast<size_t>(u)] = gate[3] * std::tanh(cell);
      }
      h = next;
      recurrent::put(c, cells + step * units);
      recurrent::put(h, y + step * units, kept || !walk.zero_masked);
    }
    recurrent::put(h, output<T>(args, 2) + b * units);
    recurrent::put(c, output<T>(args, 3) + b * units);
  }
}

template <class T>
void grad_kernel(const KernelArgs& args) {
  const auto [c0, mask, dy, dh0, dc0] = recurrent::optional_inputs(args.attrs, 3, grad_names);
  const recurrent::Walk walk(args, args.inputs[2].shape[0]);
  const T *acts = input<T>(args, 0), *cells = input<T>(args, 1), *w = input<T>(args, 2);
  T* dgates = output<T>(args, 0);
  const i64 units = walk.units;
  std::vector<double> d(static_cast<size_t>(4 * units));
  for (i64 b = 0; b < walk.batch; ++b) {
    auto dh = recurrent::row_of<T>(args, dh0, b, units);
    auto dc = recurrent::row_of<T>(args, dc0, b, units);
    for (i64 at = walk.steps - 1; at >= 0; --at) {
      const i64 step = walk.step(b, at);
      const bool kept = walk.kept<T>(args, mask, step);
      if (dy >= 0 && (kept || !walk.zero_masked))
        recurrent::add(input<T>(args, static_cast<size_t>(dy)) + step * units, dh);
      const auto before = at > 0 ? recurrent::row_of(cells, walk.step(b, at - 1), units)
                                 : recurrent::row_of<T>(args, c0, b, units);
      for (size_t u = 0; u < dh.size(); ++u) {
        const T* gate = acts + step * 4 * units + u;
        const double i = double{gate[0]}, f = double{gate[units]}, g = double{gate[2 * units]},
                     o = double{gate[3 * units]};
        const double tc = std::tanh(double{cells[step * units + static_cast<i64>(u)]});
        const double cell = dc[u] + dh[u] * o * (1 - tc * tc);
        const double parts[4] = {cell * g * i * (1 - i), cell * before[u] * f * (1 - f),
                                 cell * i * (1 - g * g), dh[u] * tc * o * (1 - o)};
        if (kept) dc[u] = cell * f;
        for (size_t k = 0; k < 4; ++k) {
          d[k * dh.size() + u] = kept ? parts[k] : 0;
          dgates[(step * 4 + static_cast<i64>(k)) * units + static_cast<i64>(u)] =
              static_cast<T>(d[k * dh.size() + u]);
        }
      }
      if (kept)
        for (size_t p = 0; p < dh.size(); ++p)
          dh[p] = recurrent::product(d, w + static_cast<i64>(p) * 4 * units, 1);
    }
    if (c0 < 0) continue;
    recurrent::put(dh, output<T>(args, 1) + b * units);
    recurrent::put(dc, output<T>(args, 2) + b * units);
  }
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>& outputs,
             const Attrs&) {
  return 2 * count(outputs[0]) * static_cast<double>(inputs[1].shape[0] + inputs[2].shape[0]);
}
double grad_flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&,
                  const Attrs&) {
  return 2 * count(inputs[0]) * static_cast<double>(inputs[2].shape[0]);
}

Attrs flags(i64 state, i64 masked, i64 reverse = 0, i64 zero = 0) {
  return {{"state", state}, {"masked", masked}, {"reverse", reverse}, {"zero_masked", zero}};
}
Attrs grad_flags(const Attrs& forward, i64 dy, i64 dh, i64 dc) {
  Attrs all = forward;
  all.set("dy", dy);
  all.set("dh", dh);
  all.set("dc", dc);
  return all;
}

/// An op on [b, t, in] with `h` units; inputs in the order of the op's line above.
OpSample sample(i64 b, i64 t, i64 in, i64 h, const Attrs& attrs, bool bench = false) {
  std::vector<TensorType> inputs{f32({b, t, in}), f32({in, 4 * h}), f32({h, 4 * h}), f32({4 * h})};
  if (attrs.integer("state")) inputs.insert(inputs.end(), 2, f32({b, h}));
  if (attrs.integer("masked")) inputs.push_back(f32({b, t}));
  // Large weights make the steps chaotic: rounding would grow from step to step.
  const double range = bench ? 1 / std::sqrt(static_cast<double>(h)) : 1.5;
  return {inputs, attrs, -range, attrs.integer("masked") ? std::max(range, 1.0) : range,
          {0.5},  2,     bench};
}
OpSample grad_sample(i64 b, i64 t, i64 h, const Attrs& attrs, bool bench = false) {
  std::vector<TensorType> inputs{f32({b, t, 4 * h}), f32({b, t, h}), f32({h, 4 * h})};
  if (attrs.integer("state")) inputs.push_back(f32({b, h}));
  if (attrs.integer("masked")) inputs.push_back(f32({b, t}));
  if (attrs.integer("dy")) inputs.push_back(f32({b, t, h}));
  for (const char* last : {"dh", "dc"})
    if (attrs.integer(last)) inputs.push_back(f32({b, h}));
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
  return {grad_sample(2, 3, 2, grad_flags(flags(0, 0), 1, 1, 1)),
          grad_sample(3, 4, 3, grad_flags(flags(1, 1), 1, 0, 0)),
          grad_sample(2, 3, 2, grad_flags(flags(1, 1, 1, 1), 1, 1, 0)),
          grad_sample(2, 3, 2, grad_flags(flags(0, 0, 1), 0, 0, 1)),
          grad_sample(37, 9, 21, grad_flags(flags(1, 1, 0, 1), 1, 1, 1), true),
          grad_sample(70, 5, 32, grad_flags(flags(0, 1, 1), 1, 0, 0), true),
          grad_sample(64, 28, 128, grad_flags(flags(0, 0), 0, 1, 0), true)};
}
std::vector<OpReject> rejects() {
  const TensorType x = f32({2, 3, 5}), w = f32({5, 8}), v = f32({2, 8}), b = f32({8}),
                   s = f32({2, 2});
  return {{{x, w, f32({2, 6}), b},
           flags(0, 0),
           "the recurrent weight is [2, 6]; its columns must be 4 "},
          {{x, f32({4, 8}), v, b}, flags(0, 0), "the input weight is [4, 8]; it must be [5, 8]"},
          {{x, w, v, f32({2})}, flags(0, 0), "the bias is [2]; it must be [8]"},
          {{f32({3, 5}), w, v, b}, flags(0, 0), "input 1 has 2 dimensions"},
          {{x, w, v, b, s, f32({2, 3})},
           flags(1, 0),
           "the initial state c is [2, 3]; it must be [2, 2]"},
          {{x, w, v, b, f32({1, 2}), s}, flags(1, 0), "the initial state h is [1, 2]"},
          {{x, w, v, b, f32({2, 4})}, flags(0, 1), "the mask is [2, 4]; it must be [2, 3]"},
          {{x, w, v, b, s}, flags(1, 0), "5 inputs; the flags ask for 6"},
          {{x, w, v, b}, flags(0, 0, 2), "reverse is 2"},
          {{i32({2, 3, 5}), w, v, b}, flags(0, 0), "input 1 is i32"}};
}
std::vector<OpReject> grad_rejects() {
  const TensorType x = f32({2, 3, 8}), c = f32({2, 3, 2}), w = f32({2, 8});
  const Attrs attrs = grad_flags(flags(0, 0), 1, 0, 0);
  return {
      {{x, c, w, f32({2, 3, 3})}, attrs, "the gradient of y is [2, 3, 3]; it must be [2, 3, 2]"},
      {{x, f32({2, 2, 2}), w, c}, attrs, "c of every step is [2, 2, 2]"},
      {{x, c, w}, attrs, "3 inputs; the flags ask for 4"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {
      {.name = "lstm_sequence",
       .min_inputs = 4,
       .max_inputs = 7,
       .infer = infer,
       .gradient = gradient,
       .reference = {kernel<float>, kernel<double>},
       .detached = 0b110001,
       .flops = flops,
       .samples = samples,
       .rejects = rejects},
      {.name = "lstm_sequence_grad",
       .min_inputs = 3,
       .max_inputs = 8,
       .infer = infer_grad,
       .gradient = Gradient::none("second derivatives of an LSTM are not supported"),
       .reference = {grad_kernel<float>, grad_kernel<double>},
       .in_place = 1,
       .flops = grad_flops,
       .samples = grad_samples,
       .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::lstm_sequence_op
