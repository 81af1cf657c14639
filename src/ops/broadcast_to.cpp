// broadcast_to(x){shape} and broadcast_to(x, like): x repeated along axes where it has length 1 or
// that it does not have, as in NumPy. In `shape`, -1 stands for the dimension that x has there.
#include "ops/broadcast.h"

namespace goneuron::broadcast_to_op {

namespace {
Shape target_of(const InferContext& c) {
  if (c.inputs.size() > 1) return c.shape(1);
  const Shape& x = c.shape(0);
  std::vector<i64> dims = c.attrs.list("shape");
  if (dims.size() > Shape::max_rank) c.fail("the shape has more than 8 dimensions", "use fewer");
  const auto lead = static_cast<i64>(dims.size()) - x.rank();
  for (i64 i = 0; i < static_cast<i64>(dims.size()); ++i) {
    i64& dim = dims[static_cast<size_t>(i)];
    if (dim < Any || (dim == Any && i < lead))
      c.fail(
          "the shape has a dimension of " + std::to_string(dim) + " at axis " + std::to_string(i),
          "use -1 only where the input has a dimension to keep");
    if (dim == Any) dim = x[static_cast<int>(i - lead)];
  }
  return Shape(dims);
}

std::vector<TensorType> infer(const InferContext& c) {
  const Shape& x = c.shape(0);
  const Shape to = target_of(c);
  bool fits = x.rank() <= to.rank();
  for (int i = 1; fits && i <= x.rank(); ++i) fits = x[-i] == 1 || agree(x[-i], to[-i]);
  if (!fits)
    c.fail("cannot repeat " + x.str() + " to " + to.str(),
           "only axes of length 1 are repeated; reshape it first");
  return {{to, check_floating(c, {0})}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {reduce_to(c.grad(), c.input(0)), Symbol{}};
}

template <class T>
void kernel(const KernelArgs& args) {
  const Shape& shape = args.outputs[0].shape;
  const Strides steps = broadcast_strides(args.inputs[0].shape, shape);
  const T* x = input<T>(args, 0);
  T* y = output<T>(args, 0);
  const i64 size = shape.elements();
  Strides index{};
  for (i64 i = 0; i < size; ++i) {
    y[i] = *x;
    for (int axis = shape.rank() - 1; axis >= 0; --axis) {
      const auto at = static_cast<size_t>(axis);
      x += steps[at];
      if (++index[at] < shape[axis]) break;
      x -= steps[at] * shape[axis];
      index[at] = 0;
    }
  }
}

Attrs to(std::vector<i64> shape) { return {{"shape", std::move(shape)}}; }
std::vector<OpSample> samples() {
  return {{{f32({2, 1, 3})}, to({2, 4, 3})},
          {{f32({2, 1})}, to({-1, 3})},
          {{f32({3})}, to({2, 2, -1})},
          {{f32({}), f32({2, 3})}},
          {{f32({1, 3}), f32({4, 2, 3})}},
          {{f32({9, 1, 70})}, to({-1, 33, -1}), -2, 2, {}, 2, true},
          {{f32({33, 9, 1})}, to({-1, -1, 50}), -2, 2, {}, 2, true}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3})}, to({2, 4}), "cannot repeat [2, 3] to [2, 4]"},
          {{f32({2, 3})}, to({3}), "cannot repeat [2, 3] to [3]"},
          {{f32({3})}, to({-1, 3}), "a dimension of -1 at axis 0"},
          {{f32({3}), f32({2, 4})}, {}, "cannot repeat [3] to [2, 4]"},
          {{i32({1}), f32({4})}, {}, "is i32; it must be f32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "broadcast_to",
                               .min_inputs = 1,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .shape_only = 0b10,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::broadcast_to_op
