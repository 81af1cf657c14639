// expert_balance(probs[.., e], choices i32 [.., k]) -> []: e sum_i f_i P_i, f_i expert i's part of
// the slots, P_i its mean probability over the whole batch; 1 when both are even (Shazeer et al.
// 2017, Fedus et al. 2021). expert_balance_grad(choices, dy, like probs): e f_i dy / tokens.
#include "ops/experts.h"

namespace goneuron::expert_balance_op {

namespace {
void check(const InferContext& c, int probs, int choices) {
  check_dtype(c, choices, DType::i32, "the choices");
  check_last_axis(c, probs);
  check_last_axis(c, choices);
  const Shape tokens = without_last(c.shape(probs)), chosen = without_last(c.shape(choices));
  if (!agree(tokens, chosen))
    c.fail("probabilities of " + c.shape(probs).str() + " and choices of " +
               c.shape(choices).str() + " must agree in all but the last axis",
           "take both from one router");
}
std::vector<TensorType> infer(const InferContext& c) {
  check(c, 0, 1);
  return {{Shape{}, check_floating(c, {0})}};
}
std::vector<TensorType> infer_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {1});
  check_shape(c, 1, Shape{}, "the gradient of the output");
  check(c, 2, 0);
  return {{c.shape(2), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {make("expert_balance_grad", {c.input(1), c.grad(), c.input(0)}), Symbol{}};
}

/// f_e.
double share_of(const TensorRef& choices, i64 e) {
  i64 hits = 0;
  for (i64 i = 0; i < choices.size(); ++i) hits += choices.as<const std::int32_t>()[i] == e;
  return static_cast<double>(hits) / static_cast<double>(choices.size());
}

template <class T>
void kernel(const KernelArgs& args) {
  const i64 n = last_of(args.inputs[0].shape), tokens = row_count(args.inputs[0].shape);
  double sum = 0;
  for (i64 e = 0; e < n && tokens > 0; ++e) {
    double p = 0;
    for (i64 t = 0; t < tokens; ++t) p += double{input<T>(args, 0)[t * n + e]};
    sum += share_of(args.inputs[1], e) * p / static_cast<double>(tokens);
  }
  output<T>(args, 0)[0] = static_cast<T>(static_cast<double>(n) * sum);
}

template <class T>
void grad_kernel(const KernelArgs& args) {
  const i64 n = last_of(args.outputs[0].shape), tokens = row_count(args.outputs[0].shape);
  const double scale =
      double{input<T>(args, 1)[0]} * static_cast<double>(n) / static_cast<double>(tokens);
  for (i64 e = 0; e < n && tokens > 0; ++e) {
    const T value = static_cast<T>(share_of(args.inputs[0], e) * scale);
    for (i64 t = 0; t < tokens; ++t) output<T>(args, 0)[t * n + e] = value;
  }
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>& outputs,
             const Attrs&) {
  return std::max(count(inputs[0]), count(outputs[0]));
}
std::vector<OpSample> samples() {
  return {{{f32({5, 3}), i32({5, 2})}, {}, 0, 1, {}, 3},
          {{f32({2, 4, 6}), i32({2, 4, 1})}, {}, 0, 1, {}, 4},
          {{f32({33, 41, 8}), i32({33, 41, 2})}, {}, 0, 1, {}, 8, true}};
}
std::vector<OpSample> grad_samples() {
  return {{{i32({5, 2}), f32({}), f32({5, 3})}, {}, -2, 2, {}, 3},
          {{i32({33, 41, 2}), f32({}), f32({33, 41, 8})}, {}, -2, 2, {}, 8, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({5, 3}), i32({4, 2})}, {}, "must agree in all but the last axis"},
          {{f32({5, 3}), f32({5, 2})}, {}, "the choices are f32; they must be i32"},
          {{i32({5, 3}), i32({5, 2})}, {}, "input 1 is i32"},
          {{f32({}), i32({5, 2})}, {}, "is a scalar"}};
}
std::vector<OpReject> grad_rejects() {
  return {{{i32({5, 2}), f32({1}), f32({5, 3})}, {}, "the gradient of the output is [1]"},
          {{i32({4, 2}), f32({}), f32({5, 3})}, {}, "must agree in all but the last axis"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "expert_balance",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .batch = Batch::mixed,
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "expert_balance_grad",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer_grad,
                               .gradient = expert_second_order,
                               .reference = {grad_kernel<float>, grad_kernel<double>},
                               .batch = Batch::mixed,
                               .shape_only = 0b100,
                               .flops = flops,
                               .samples = grad_samples,
                               .rejects = grad_rejects}};
  return ops;
}

}  // namespace goneuron::expert_balance_op
