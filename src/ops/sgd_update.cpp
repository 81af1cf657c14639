// sgd_update(p, g[, velocity]){momentum, nesterov, weight_decay, rate_scale, clip_value}: PyTorch's
// SGD with dampening 0. sgd_update_clipped(p, g, scale[][, velocity]) takes scale g. Both write p
// and velocity.
#include "ops/update.h"

namespace goneuron::sgd_update_op {

namespace {
bool is_clipped(const OpDef& op) { return (op.mutates & 0b100) == 0; }

std::vector<TensorType> infer(const InferContext& c) {
  const bool clipped = is_clipped(c.op);
  const TensorType type = check_update(c, clipped ? 2 : -1);
  const double momentum = check_real(c, "momentum", 0, 1);
  check_real(c, "weight_decay", 0, huge);
  check_rate(c);
  const bool nesterov = check_flag(c, "nesterov"), velocity = c.inputs.size() == (clipped ? 4 : 3);
  if (momentum > 0 && !velocity)
    c.fail("momentum without a velocity", "pass the velocity as last input");
  if (nesterov && momentum == 0) c.fail("Nesterov without momentum", "set momentum, e.g. 0.9");
  return velocity ? std::vector<TensorType>{type, type} : std::vector<TensorType>{type};
}

template <class T, bool kClipped>
void kernel(const KernelArgs& args) {
  constexpr size_t at = kClipped ? 3 : 2;  // of the velocity
  const bool velocity = args.inputs.size() > at;
  if (args.scalars.code != status_ok) {
    if (velocity)
      keep_variables(args, {0, at});
    else
      keep_variables(args, {0});
    return;
  }
  const Clip<T> clip(args, kClipped ? 2 : -1);
  const double rate = scaled_rate(args), momentum = args.attrs.real("momentum");
  const double decay = args.attrs.real("weight_decay");
  const bool nesterov = args.attrs.integer("nesterov", 0);
  const T *p = input<T>(args, 0), *g = input<T>(args, 1);
  const T* v = velocity ? input<T>(args, at) : nullptr;
  T* new_p = output<T>(args, 0);
  T* new_v = velocity ? output<T>(args, 1) : nullptr;
  const i64 size = args.outputs[0].size();
  for (i64 i = 0; i < size; ++i) {
    double step = clip(g[i]) + decay * double{p[i]};
    if (velocity) {
      const double speed = momentum * double{v[i]} + step;
      new_v[i] = static_cast<T>(speed);
      step = nesterov ? step + momentum * speed : speed;
    }
    new_p[i] = static_cast<T>(double{p[i]} - rate * step);
  }
}

double flops(const std::vector<TensorType>&, const std::vector<TensorType>& outputs, const Attrs&) {
  return 2 * count(outputs[0]) * static_cast<double>(outputs.size());
}
Attrs options(double momentum, i64 nesterov, double decay) {
  return {{"momentum", momentum}, {"nesterov", nesterov}, {"weight_decay", decay}};
}
Attrs with(Attrs attrs, const char* name, double value) {
  attrs.set(name, value);
  return attrs;
}
std::vector<OpSample> samples() {
  return {{{f32({5}), f32({5})}, options(0, 0, 0)},
          {{f32({5}), f32({5})}, options(0, 0, 0.1)},
          {{f32({2, 3}), f32({2, 3}), f32({2, 3})}, options(0.9, 0, 0)},
          {{f32({2, 3}), f32({2, 3}), f32({2, 3})}, options(0.9, 1, 0.01)},
          {{f32({5}), f32({5})}, with(options(0, 0, 0.1), "rate_scale", 0.5)},
          {{f32({5}), f32({5})}, with(options(0, 0, 0.1), "clip_value", 0.5)}};
}
std::vector<OpSample> clipped_samples() {
  const TensorType x = f32({2, 3}), scale = f32({});
  return {{{x, x, scale}, options(0, 0, 0.1)},
          {{x, x, scale, x}, options(0.9, 0, 0)},
          {{x, x, scale, x}, with(options(0.9, 1, 0.01), "rate_scale", 0.5)}};
}
std::vector<OpReject> rejects() {
  return {{{f32({5}), f32({5})}, with(options(0, 0, 0), "rate_scale", -1), "rate_scale is -1"},
          {{f32({5}), f32({5})}, with(options(0, 0, 0), "clip_value", -1), "clip_value is -1"},
          {{f32({5}), f32({4})}, options(0, 0, 0), "[5] and [4] differ"},
          {{f32({5}), f32({5})}, options(0.9, 0, 0), "momentum without a velocity"},
          {{f32({5}), f32({5}), f32({5})}, options(0, 1, 0), "Nesterov without momentum"},
          {{f32({5}), f32({5})}, options(0, 0, std::nan("")), "weight_decay is nan"},
          {{f32({5}), f32({5}), f32({5})}, options(1.5, 0, 0), "momentum is 1.5"},
          {{f32({5}), f32({5}), f32({5})}, options(0.9, 2, 0), "nesterov is 2"},
          {{f32({5}), f32({5}), f32({4})}, options(0.9, 0, 0), "[5] and [4] differ"}};
}
std::vector<OpReject> clipped_rejects() {
  const TensorType x = f32({5});
  return {{{x, x, x}, options(0, 0, 0), "the scale of the gradient is [5]; it must be []"},
          {{x, x, i32({})}, options(0, 0, 0), "input 3 is i32"},
          {{x, x, f32({})}, options(0.9, 0, 0), "momentum without a velocity"},
          {{x, x, f32({}), f32({4})}, options(0.9, 0, 0), "[5] and [4] differ"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "sgd_update",
                               .min_inputs = 2,
                               .max_inputs = 3,
                               .infer = infer,
                               .gradient = no_update_gradient,
                               .reference = {kernel<float, false>, kernel<double, false>},
                               .batch = Batch::mixed,
                               .mutates = 0b101,
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "sgd_update_clipped",
                               .min_inputs = 3,
                               .max_inputs = 4,
                               .infer = infer,
                               .gradient = no_update_gradient,
                               .reference = {kernel<float, true>, kernel<double, true>},
                               .batch = Batch::mixed,
                               .mutates = 0b1001,
                               .flops = flops,
                               .samples = clipped_samples,
                               .rejects = clipped_rejects}};
  return ops;
}

}  // namespace goneuron::sgd_update_op
