// clip_scale(squares[]){max_norm} -> []: what gradients are multiplied by so that their norm, the
// root of `squares`, is at most max_norm: min(1, max_norm / (norm + 1e-6)), as PyTorch's
// clip_grad_norm_ (Pascanu et al. 2013). A norm that is not finite sets the status, so that the
// step changes nothing.
#include "ops/common.h"

namespace goneuron::clip_scale_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  check_real(c, "max_norm", 1e-30, huge);
  check_shape(c, 0, Shape{}, "the sum of squares");
  return {{Shape{}, check_floating(c, {0})}};
}

template <class T>
void kernel(const KernelArgs& args) {
  const double norm = std::sqrt(double{*input<T>(args, 0)});
  if (!std::isfinite(norm) && args.scalars.code == status_ok) {
    args.scalars.value = norm;
    args.scalars.code = status_gradient_not_finite;
  }
  const double scale = args.attrs.real("max_norm") / (norm + 1e-6);
  *output<T>(args, 0) = static_cast<T>(scale < 1 ? scale : 1);
}

std::vector<OpSample> samples() {
  return {{{f32({})}, {{"max_norm", 0.5}}, 1, 2}, {{f32({})}, {{"max_norm", 100.0}}, 0.1, 2}};
}
std::vector<OpReject> rejects() {
  return {{{f32({})}, {{"max_norm", -1.0}}, "max_norm is -1"},
          {{f32({})}, {{"max_norm", 0.0}}, "max_norm is 0"},
          {{f32({2})}, {{"max_norm", 1.0}}, "the sum of squares is [2]"},
          {{i32({})}, {{"max_norm", 1.0}}, "input 1 is i32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {
      {.name = "clip_scale",
       .min_inputs = 1,
       .max_inputs = 1,
       .infer = infer,
       .gradient = Gradient::none("an optimizer update is the end of a step"),
       .reference = {kernel<float>, kernel<double>},
       .batch = Batch::mixed,
       .guards = true,
       .samples = samples,
       .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::clip_scale_op
