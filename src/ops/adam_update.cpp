// adam_update(p, g, m, v[, scale[]]){beta1, beta2, epsilon, weight_decay, decoupled, rate_scale,
// clip_value}: Adam (Kingma & Ba 2015) and, decoupled, AdamW (Loshchilov & Hutter 2019), in
// PyTorch's arithmetic, of scale g. Writes p, m and v.
#include "ops/update.h"

namespace goneuron::adam_update_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const TensorType type = check_update(c, 4);
  check_rate(c);
  check_real(c, "beta1", 0, 1);
  check_real(c, "beta2", 0, 1);
  check_real(c, "epsilon", 0, huge);
  check_real(c, "weight_decay", 0, huge);
  check_flag(c, "decoupled");
  return {type, type, type};
}

template <class T>
void kernel(const KernelArgs& args) {
  const StepScalars& s = args.scalars;
  if (s.code != status_ok) return keep_variables(args, {0, 2, 3});
  const Clip<T> clip(args, args.inputs.size() > 4 ? 4 : -1);
  const double learning_rate = scaled_rate(args);
  const double beta1 = args.attrs.real("beta1"), beta2 = args.attrs.real("beta2");
  const double epsilon = args.attrs.real("epsilon"), decay = args.attrs.real("weight_decay");
  const bool decoupled = args.attrs.integer("decoupled", 0);
  const T *p = input<T>(args, 0), *g = input<T>(args, 1), *m = input<T>(args, 2),
          *v = input<T>(args, 3);
  T *new_p = output<T>(args, 0), *new_m = output<T>(args, 1), *new_v = output<T>(args, 2);
  const double rate = learning_rate / s.correction1, root = std::sqrt(s.correction2);
  const i64 size = args.outputs[0].size();
  for (i64 i = 0; i < size; ++i) {
    const double weight = decoupled ? double{p[i]} * (1 - learning_rate * decay) : double{p[i]};
    const double slope = decoupled ? clip(g[i]) : clip(g[i]) + decay * double{p[i]};
    const double mean = beta1 * double{m[i]} + (1 - beta1) * slope;
    const double square = beta2 * double{v[i]} + (1 - beta2) * slope * slope;
    new_m[i] = static_cast<T>(mean);
    new_v[i] = static_cast<T>(square);
    new_p[i] = static_cast<T>(weight - rate * mean / (std::sqrt(square) / root + epsilon));
  }
}

double flops(const std::vector<TensorType>&, const std::vector<TensorType>& outputs, const Attrs&) {
  return 12 * count(outputs[0]);
}
Attrs options(double beta1, double decay, i64 decoupled) {
  return {{"beta1", beta1},
          {"beta2", 0.999},
          {"epsilon", 1e-8},
          {"weight_decay", decay},
          {"decoupled", decoupled}};
}
Attrs with(const char* name, double value) {
  Attrs attrs = options(0.9, 0, 0);
  attrs.set(name, value);
  return attrs;
}
std::vector<OpSample> samples() {
  const std::vector<TensorType> four(4, f32({2, 3}));
  return {{four, options(0.9, 0, 0), 0.1, 2},
          {four, options(0.9, 0.1, 0), 0.1, 2},
          {four, options(0.9, 0.1, 1), 0.1, 2},
          {four, with("rate_scale", 0.5), 0.1, 2},
          {four, with("clip_value", 0.5), 0.1, 2},
          {{f32({2, 3}), f32({2, 3}), f32({2, 3}), f32({2, 3}), f32({})},
           options(0.9, 0.1, 0),
           0.1,
           2}};
}
std::vector<OpReject> rejects() {
  return {{{f32({5}), f32({4}), f32({5}), f32({5})}, options(0.9, 0, 0), "[5] and [4] differ"},
          {{f32({5}), f32({5}), f32({5}), f32({5})}, options(1.5, 0, 0), "beta1 is 1.5"},
          {{f32({5}), f32({5}), f32({5}), f32({5})}, options(0.9, 0, 2), "decoupled is 2"},
          {{f32({5}), f32({5}), f32({5}), f32({5})}, options(0.9, -1, 0), "weight_decay is -1"},
          {{f32({5}), f32({5}), f32({5}), f32({5})}, with("beta2", 1.5), "beta2 is 1.5"},
          {{f32({5}), f32({5}), f32({5}), f32({5})}, with("epsilon", -1), "epsilon is -1"},
          {{f32({5}), i32({5}), f32({5}), f32({5})}, options(0.9, 0, 0), "input 2 is i32"},
          {{f32({5}), f32({5}), f32({5})}, options(0.9, 0, 0), "3 inputs"},
          {std::vector<TensorType>(4, f32({5})), with("rate_scale", -1), "rate_scale is -1"},
          {std::vector<TensorType>(4, f32({5})), with("clip_value", -1), "clip_value is -1"},
          {std::vector<TensorType>(5, f32({5})), options(0.9, 0, 0),
           "the scale of the gradient is [5]; it must be []"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "adam_update",
                               .min_inputs = 4,
                               .max_inputs = 5,
                               .infer = infer,
                               .gradient = no_update_gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .batch = Batch::mixed,
                               .mutates = 0b1101,
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::adam_update_op
