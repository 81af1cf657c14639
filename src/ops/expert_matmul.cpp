// expert_matmul(x[rows, d], w[e, d, n], experts[rows][, b[e, n]]){tb} -> [rows, n]: each row times
// the weight of its expert; tb: w is [e, n, d], without b. Rows of one expert should lie together
// (expert_route): they are one product. expert_weight_grad(x, dy, experts, like w) -> dw: for each
// expert the product over its rows; expert_bias_grad(dy, experts, like b): the sum.
#include "ops/experts.h"

namespace goneuron::expert_matmul_op {

namespace {
/// Inputs x [rows, d] and the experts of its rows.
void check_rows_of_experts(const InferContext& c, int x, int experts) {
  check_rank(c, x, 2, "[rows, features]");
  check_rows(c, c.shape(x)[0], check_row_index(c, experts, "the experts"),
             "input " + std::to_string(x + 1));
}
std::vector<TensorType> infer(const InferContext& c) {
  const bool bias = c.inputs.size() == 4, tb = check_flag(c, "tb");
  const DType dtype = bias ? check_floating(c, {0, 1, 3}) : check_floating(c, {0, 1});
  check_rows_of_experts(c, 0, 2);
  check_rank(c, 1, 3, tb ? "[experts, out, in]" : "[experts, in, out]");
  const Shape &x = c.shape(0), &w = c.shape(1);
  if (!agree(x[1], w[tb ? 2 : 1]))
    c.fail("the last axis is " + std::to_string(x[1]) + ", the experts' weight expects " +
               std::to_string(w[tb ? 2 : 1]),
           "make the two equal");
  if (bias && tb) c.fail("tb and a bias together are not supported", "add the bias apart");
  if (bias) check_shape(c, 3, Shape{w[0], w[2]}, "the bias");
  return {{Shape{x[0], w[tb ? 1 : 2]}, dtype}};
}
std::vector<TensorType> infer_weight_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1});
  check_rows_of_experts(c, 0, 2);
  check_rows_of_experts(c, 1, 2);
  check_rank(c, 3, 3, "[experts, in, out]");
  check_shape(c, 3, Shape{c.shape(3)[0], c.shape(0)[1], c.shape(1)[1]}, "the weight");
  return {{c.shape(3), dtype}};
}
std::vector<TensorType> infer_bias_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  check_rows_of_experts(c, 0, 1);
  check_rank(c, 2, 2, "[experts, out]");
  check_shape(c, 2, Shape{c.shape(2)[0], c.shape(0)[1]}, "the bias");
  return {{c.shape(2), dtype}};
}

std::vector<Symbol> gradient(const GradContext& c) {
  const Symbol x = c.input(0), w = c.input(1), experts = c.input(2), dy = c.grad();
  const bool tb = c.attrs().integer("tb", 0) != 0, bias = c.node.expr()->inputs.size() == 4;
  std::vector<Symbol> all = {make("expert_matmul", {dy, w, experts}, {{"tb", i64{!tb}}}),
                             tb ? make("expert_weight_grad", {dy, x, experts, w})
                                : make("expert_weight_grad", {x, dy, experts, w}),
                             Symbol{}};
  if (bias) all.push_back(make("expert_bias_grad", {dy, experts, c.input(3)}));
  return all;
}

template <class T>
void kernel(const KernelArgs& args) {
  const Shape &x = args.inputs[0].shape, &w = args.inputs[1].shape;
  const bool tb = args.attrs.integer("tb", 0) != 0;
  const i64 d = x[1], n = args.outputs[0].shape[1], wd = tb ? 1 : n, wn = tb ? d : 1;
  for (i64 r = 0; r < x[0]; ++r) {
    const i64 e = input<std::int32_t>(args, 2)[r];
    const bool good = within(e, w[0]);
    for (i64 j = 0; j < n; ++j) {
      double sum = args.inputs.size() == 4 && good ? double{input<T>(args, 3)[e * n + j]} : 0;
      for (i64 p = 0; p < d && good; ++p)
        sum += double{input<T>(args, 0)[r * d + p]} *
               double{input<T>(args, 1)[e * d * n + p * wd + j * wn]};
      output<T>(args, 0)[r * n + j] = static_cast<T>(sum);
    }
  }
}

template <class T>
void weight_grad(const KernelArgs& args) {
  const Shape& w = args.outputs[0].shape;
  const i64 rows = args.inputs[2].size(), d = w[1], n = w[2];
  for (i64 e = 0; e < w[0]; ++e)
    for (i64 p = 0; p < d; ++p)
      for (i64 j = 0; j < n; ++j) {
        double sum = 0;
        for (i64 r = 0; r < rows; ++r)
          if (input<std::int32_t>(args, 2)[r] == e)
            sum += double{input<T>(args, 0)[r * d + p]} * double{input<T>(args, 1)[r * n + j]};
        output<T>(args, 0)[(e * d + p) * n + j] = static_cast<T>(sum);
      }
}

template <class T>
void bias_grad(const KernelArgs& args) {
  const Shape& b = args.outputs[0].shape;
  for (i64 e = 0; e < b[0]; ++e)
    for (i64 j = 0; j < b[1]; ++j) {
      double sum = 0;
      for (i64 r = 0; r < args.inputs[1].size(); ++r)
        if (input<std::int32_t>(args, 1)[r] == e) sum += double{input<T>(args, 0)[r * b[1] + j]};
      output<T>(args, 0)[e * b[1] + j] = static_cast<T>(sum);
    }
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>& outputs,
             const Attrs&) {
  return 2 * count(outputs[0]) * static_cast<double>(inputs[0].shape[1]);
}
double weight_flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&,
                    const Attrs&) {
  return 2 * count(inputs[0]) * static_cast<double>(inputs[1].shape[1]);
}
double bias_flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>&,
                  const Attrs&) {
  return count(inputs[0]);
}

const Attrs plain{{"tb", i64{0}}}, turned{{"tb", i64{1}}};
/// Rows sorted by expert as in use; the small samples leave them as they come, one of them beyond
/// the last expert.
std::vector<OpSample> samples() {
  const std::vector<std::int32_t> sorted = SampleRouting(330, 5).experts;
  return {{{f32({5, 3}), f32({2, 3, 4}), i32({5})}, plain, -2, 2, {}, 2},
          {{f32({6, 3}), f32({4, 3, 2}), i32({6}), f32({4, 2})}, plain, -2, 2, {}, 5},
          {{f32({5, 3}), f32({3, 4, 3}), i32({5})}, turned, -2, 2, {}, 3},
          {{f32({330, 70}), f32({5, 70, 150}), i32({330}), f32({5, 150})},
           plain,
           -1,
           1,
           {},
           2,
           true,
           {{}, {}, sorted}},
          {{f32({330, 150}), f32({5, 70, 150}), i32({330})},
           turned,
           -1,
           1,
           {},
           2,
           true,
           {{}, {}, sorted}}};
}
std::vector<OpSample> weight_grad_samples() {
  const std::vector<std::int32_t> sorted = SampleRouting(330, 5).experts;
  return {{{f32({5, 3}), f32({5, 4}), i32({5}), f32({2, 3, 4})}, {}, -2, 2, {}, 3},
          {{f32({6, 2}), f32({6, 3}), i32({6}), f32({8, 2, 3})}, {}, -2, 2, {}, 3},
          {{f32({330, 140}), f32({330, 150}), i32({330}), f32({6, 140, 150})},
           {},
           -1,
           1,
           {},
           2,
           true,
           {{}, {}, sorted}}};
}
std::vector<OpSample> bias_grad_samples() {
  const std::vector<std::int32_t> sorted = SampleRouting(330, 5).experts;
  return {{{f32({5, 3}), i32({5}), f32({2, 3})}, {}, -2, 2, {}, 3},
          {{f32({330, 150}), i32({330}), f32({6, 150})}, {}, -1, 1, {}, 2, true, {{}, sorted}}};
}
std::vector<OpReject> rejects() {
  return {{{f32({5, 3}), f32({2, 4, 4}), i32({5})},
           plain,
           "last axis is 3, the experts' weight expects 4"},
          {{f32({5, 3}), f32({3, 4}), i32({5})}, plain, "[experts, in, out]"},
          {{f32({5, 3}), f32({2, 3, 4}), i32({4})}, plain, "input 1 has 5 rows; it must have 4"},
          {{f32({5, 3}), f32({2, 3, 4}), f32({5})}, plain, "the experts are f32; they must be i32"},
          {{f32({5, 3}), f32({2, 3, 4}), i32({5}), f32({2, 3})},
           plain,
           "the bias is [2, 3]; it must be [2, 4]"},
          {{f32({5, 3}), f32({2, 4, 3}), i32({5}), f32({2, 4})}, turned, "tb and a bias together"},
          {{i32({5, 3}), f32({2, 3, 4}), i32({5})}, plain, "input 1 is i32"}};
}
std::vector<OpReject> weight_grad_rejects() {
  return {{{f32({5, 3}), f32({5, 4}), i32({5}), f32({2, 4, 4})},
           {},
           "the weight is [2, 4, 4]; it must be [2, 3, 4]"},
          {{f32({5, 3}), f32({6, 4}), i32({5}), f32({2, 3, 4})},
           {},
           "input 2 has 6 rows; it must have 5"}};
}
std::vector<OpReject> bias_grad_rejects() {
  return {{{f32({5, 3}), i32({5}), f32({2, 4})}, {}, "the bias is [2, 4]; it must be [2, 3]"},
          {{f32({5, 3}), i32({4}), f32({2, 3})}, {}, "input 1 has 5 rows; it must have 4"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "expert_matmul",
                               .min_inputs = 3,
                               .max_inputs = 4,
                               .infer = infer,
                               .gradient = gradient,
                               .reference = {kernel<float>, kernel<double>},
                               .batch = Batch::mixed,
                               .bf16 = true,
                               .flops = flops,
                               .samples = samples,
                               .rejects = rejects},
                              {.name = "expert_weight_grad",
                               .min_inputs = 4,
                               .max_inputs = 4,
                               .infer = infer_weight_grad,
                               .gradient = expert_second_order,
                               .reference = {weight_grad<float>, weight_grad<double>},
                               .batch = Batch::mixed,
                               .shape_only = 0b1000,
                               .bf16 = true,
                               .flops = weight_flops,
                               .samples = weight_grad_samples,
                               .rejects = weight_grad_rejects},
                              {.name = "expert_bias_grad",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer_bias_grad,
                               .gradient = expert_second_order,
                               .reference = {bias_grad<float>, bias_grad<double>},
                               .batch = Batch::mixed,
                               .shape_only = 0b100,
                               .flops = bias_flops,
                               .samples = bias_grad_samples,
                               .rejects = bias_grad_rejects}};
  return ops;
}

}  // namespace goneuron::expert_matmul_op
