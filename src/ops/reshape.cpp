// reshape(x){shape, at most one -1} and reshape_like(x, like): the same memory under another shape.
#include <cstring>

#include "ops/common.h"

namespace goneuron::reshape_op {

namespace {
/// Product of the known dimensions; at most one may be open.
i64 known_product(const InferContext& c, const std::vector<i64>& dims, const std::string& what) {
  i64 product = 1;
  int open = 0;
  for (const i64 dim : dims) {
    if (dim < Any)
      c.fail(what + " has a dimension of " + std::to_string(dim),
             "use -1 for the one to be computed");
    if (dim == Any)
      ++open;
    else
      product = checked_mul(product, dim);
  }
  if (open > 1)
    c.fail(what + " has " + std::to_string(open) + " unknown dimensions", "leave at most one open");
  return product;
}

[[noreturn]] void fail_count(const InferContext& c, const Shape& to) {
  c.fail(
      "cannot reshape " + c.shape(0).str() + " to " + to.str() + ": the number of elements differs",
      "choose a shape with as many elements; each sample keeps its own");
}

std::vector<TensorType> infer(const InferContext& c) {
  const Shape& from = c.shape(0);
  const std::vector<i64>& list = c.attrs.list("shape");
  if (list.size() > Shape::max_rank) c.fail("the shape has more than 8 dimensions", "use fewer");
  const i64 wanted = known_product(c, list, "the shape");
  Shape to(list);
  const i64 have = known_product(c, {from.begin(), from.end()}, "the input");
  if (from.known() && to.known()) {
    if (have != wanted) fail_count(c, to);
    return {{to, c.dtype(0)}};
  }
  if (to.known())
    c.fail("cannot reshape " + from.str() + " to " + to.str(),
           "use -1 for the dimension not known yet");
  if (from.known()) {
    if (wanted == 0 || have % wanted != 0) fail_count(c, to);
    for (int i = 0; i < to.rank(); ++i)
      if (to[i] == Any) to.set(i, have / wanted);
    return {{to, c.dtype(0)}};
  }
  // A batch that stays in front must keep its samples whole; elsewhere the run decides.
  if (from[0] == Any && to[0] == Any && have != wanted) fail_count(c, to);
  return {{to, c.dtype(0)}};
}

std::vector<TensorType> infer_like(const InferContext& c) {
  const Shape &from = c.shape(0), &to = c.shape(1);
  if (from.known() && to.known() && from.elements() != to.elements()) fail_count(c, to);
  return {{to, c.dtype(0)}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  return {make("reshape_like", {c.grad(), c.input(0)})};
}

void kernel(const KernelArgs& args) {
  const TensorRef &x = args.inputs[0], &y = args.outputs[0];
  const i64 bytes = x.size() * dtype_size(x.dtype);
  if (x.data != y.data && bytes > 0) std::memcpy(y.data, x.data, static_cast<size_t>(bytes));
}

Attrs to(std::vector<i64> shape) { return {{"shape", std::move(shape)}}; }
std::vector<OpSample> samples() {
  return {{{f32({2, 3, 4})}, to({2, -1})},
          {{f32({2, 3})}, to({3, 2})},
          {{f32({1, 1})}, to({})},
          {{u8({2, 3})}, to({-1})}};
}
std::vector<OpSample> like_samples() {
  return {{{f32({2, 3, 4}), f32({6, 4})}}, {{f32({4}), f32({1, 4})}}, {{f32({1}), f32({})}}};
}
std::vector<OpReject> rejects() {
  return {{{f32({2, 3})}, to({4, -1}), "cannot reshape [2, 3] to [4, any]"},
          {{f32({2, 3})}, to({7}), "cannot reshape [2, 3] to [7]"},
          {{f32({Any, 3})}, to({Any, 4}), "cannot reshape [batch, 3] to [batch, 4]"},
          {{f32({Any, 3})}, to({6}), "use -1 for the dimension not known yet"},
          {{f32({2, 3})}, to({-1, -1}), "2 unknown dimensions"},
          {{f32({2, 3})}, to({-5, 1}), "a dimension of -5"},
          {{f32({2, 3})}, to({-1, 0}), "the number of elements differs"},
          {{f32({2, 3})}, to({i64{1} << 40, i64{1} << 40}), "does not fit in 64 bits"},
          {{f32({2, 3})}, to({1, 1, 1, 1, 1, 1, 1, 1, 6}), "more than 8"}};
}
std::vector<OpReject> like_rejects() {
  return {{{f32({2, 3}), f32({4})}, {}, "cannot reshape [2, 3] to [4]"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "reshape",
                               .min_inputs = 1,
                               .max_inputs = 1,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel, kernel},
                               .alias = true,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "reshape_like",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer_like,
                               .gradient = gradient,
                               .reference = {kernel, kernel},
                               .shape_only = 0b10,
                               .alias = true,
                               .samples = like_samples,
                               .rejects = like_rejects}};
  return ops;
}

}  // namespace goneuron::reshape_op
