// sgd_update(p, g[, velocity]){momentum, nesterov, weight_decay}: PyTorch's SGD with dampening 0.
// Writes p and velocity.
#include "ops/update.h"

namespace goneuron {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  const TensorType type = check_update(c);
  const double momentum = check_real(c, "momentum", 0, 1);
  check_real(c, "weight_decay", 0, huge);
  const bool nesterov = check_flag(c, "nesterov"), velocity = c.inputs.size() == 3;
  if (momentum > 0 && !velocity)
    c.fail("momentum without a velocity", "pass the velocity as third input");
  if (nesterov && momentum == 0) c.fail("Nesterov without momentum", "set momentum, e.g. 0.9");
  return velocity ? std::vector<TensorType>{type, type} : std::vector<TensorType>{type};
}

template <class T>
void kernel(const KernelArgs& args) {
  const bool velocity = args.inputs.size() == 3;
  if (args.scalars.code != status_ok) {
    if (velocity)
      keep_variables(args, {0, 2});
    else
      keep_variables(args, {0});
    return;
  }
  const double rate = args.scalars.learning_rate, momentum = args.attrs.real("momentum");
  const double decay = args.attrs.real("weight_decay");
  const bool nesterov = args.attrs.integer("nesterov", 0);
  const T *p = input<T>(args, 0), *g = input<T>(args, 1);
  const T* v = velocity ? input<T>(args, 2) : nullptr;
  T* new_p = output<T>(args, 0);
  T* new_v = velocity ? output<T>(args, 1) : nullptr;
  const i64 size = args.outputs[0].size();
  for (i64 i = 0; i < size; ++i) {
    double step = double{g[i]} + decay * double{p[i]};
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
std::vector<OpSample> samples() {
  return {{{f32({5}), f32({5})}, options(0, 0, 0)},
          {{f32({5}), f32({5})}, options(0, 0, 0.1)},
          {{f32({2, 3}), f32({2, 3}), f32({2, 3})}, options(0.9, 0, 0)},
          {{f32({2, 3}), f32({2, 3}), f32({2, 3})}, options(0.9, 1, 0.01)}};
}
std::vector<OpReject> rejects() {
  return {{{f32({5}), f32({4})}, options(0, 0, 0), "[5] and [4] differ"},
          {{f32({5}), f32({5})}, options(0.9, 0, 0), "momentum without a velocity"},
          {{f32({5}), f32({5}), f32({5})}, options(0, 1, 0), "Nesterov without momentum"},
          {{f32({5}), f32({5})}, options(0, 0, std::nan("")), "weight_decay is nan"},
          {{f32({5}), f32({5}), f32({5})}, options(1.5, 0, 0), "momentum is 1.5"},
          {{f32({5}), f32({5}), f32({5})}, options(0.9, 2, 0), "nesterov is 2"},
          {{f32({5}), f32({5}), f32({4})}, options(0.9, 0, 0), "[5] and [4] differ"}};
}
}  // namespace

std::span<const OpDef> sgd_update_ops() {
  static const OpDef ops[] = {{.name = "sgd_update",
                               .min_inputs = 2,
                               .max_inputs = 3,
                               .infer = infer,
                               .gradient = no_update_gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .batch = Batch::mixed,
                               .mutates = 0b101,
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron
