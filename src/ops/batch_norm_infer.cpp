// batch_norm_infer(x[.., c], gamma, beta, running_mean, running_var){epsilon}: batch norm with
// statistics that are given; (x - mean) gamma / sqrt(var + epsilon) + beta.
#include "ops/batch_norm.h"

namespace goneuron::batch_norm_infer_op {

namespace {
std::vector<TensorType> infer(const InferContext& c) {
  return {{c.shape(0), check_channels(c, {1, 2, 3, 4}).dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  const Symbol x = c.input(0), gamma = c.input(1), mean = c.input(3), var = c.input(4),
               dy = c.grad();
  const Symbol root = make(
      "sqrt", {make("scale_shift", {var}, {{"scale", 1.0}, {"shift", c.attrs().real("epsilon")}})});
  const Symbol normal = make("div", {make("sub", {x, mean}), root});
  std::vector<i64> axes;
  for (i64 i = 0; i + 1 < x.shape().rank(); ++i) axes.push_back(i);
  const Attrs rows{{"axes", axes}, {"keep", i64{0}}};
  return {make("mul", {dy, make("div", {gamma, root})}),
          make("sum", {make("mul", {dy, normal})}, rows), make("sum", {dy}, rows)};
}

template <class T>
void kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[0].shape;
  const i64 channels = last_of(shape), rows = row_count(shape);
  const double epsilon = args.attrs.real("epsilon");
  for (i64 c = 0; c < channels; ++c) {
    const double mean = double{input<T>(args, 3)[c]}, shift = double{input<T>(args, 2)[c]};
    const double scale =
        double{input<T>(args, 1)[c]} / std::sqrt(double{input<T>(args, 4)[c]} + epsilon);
    for (i64 i = c; i < rows * channels; i += channels)
      output<T>(args, 0)[i] = static_cast<T>((double{input<T>(args, 0)[i]} - mean) * scale + shift);
  }
}

double flops(const std::vector<TensorType>&, const std::vector<TensorType>& outputs, const Attrs&) {
  return 2 * count(outputs[0]);
}
std::vector<OpSample> samples() {
  const TensorType c = f32({3});
  return {{{f32({4, 3}), c, c, c, c}, epsilon_attrs(1e-5), 0.2, 2},
          {{f32({2, 2, 2, 3}), c, c, c, c}, epsilon_attrs(1e-3), 0.2, 2},
          {{c, c, c, c, c}, epsilon_attrs(1e-3), 0.2, 2},
          {{f32({9, 7, 5, 19}), f32({19}), f32({19}), f32({19}), f32({19})},
           epsilon_attrs(1e-3),
           0.2,
           2,
           {},
           2,
           true},
          {{f32({33, 70}), f32({70}), f32({70}), f32({70}), f32({70})},
           epsilon_attrs(1e-3),
           0.2,
           2,
           {},
           2,
           true}};
}
std::vector<OpReject> rejects() {
  const TensorType c = f32({3});
  return {{{f32({8, 4}), c, c, c, c}, epsilon_attrs(1e-5), "input 2 is [3]; it must be [4]"},
          {{f32({8, 3}), c, c, c, i32({3})}, epsilon_attrs(1e-5), "input 5 is i32"},
          {{f32({8, 3}), c, c, c, c}, epsilon_attrs(-1), "epsilon is -1"},
          {{f32({}), c, c, c, c}, epsilon_attrs(1e-5), "is a scalar"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "batch_norm_infer",
                               .min_inputs = 5,
                               .max_inputs = 5,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::batch_norm_infer_op
