// Tokens to experts and back (see ops/experts.h). expert_dispatch(x[.., d], order, places) ->
// [rows, d]: row r is the token of slot order[r]; its gradient expert_dispatch_grad(drows, places,
// like x) adds up each token's rows. expert_combine(rows[rows, d], weights[.., k], places, order)
// -> [.., d]: the weighted sum of each token's rows; gradients expert_combine_rows_grad(weights,
// order, dy) -> [rows, d] and expert_combine_weight_grad(rows, places, dy, like weights) -> [..,
// k].
#include "ops/experts.h"

namespace goneuron::expert_rows_op {

namespace {
i64 check_pair(const InferContext& c, int order, int places) {
  const i64 rows = check_row_index(c, order, "the order");
  check_rows(c, check_row_index(c, places, "the places"), rows, "places");
  return rows;
}
/// Input i: [rows, d].
i64 check_matrix(const InferContext& c, int i, i64 rows, const std::string& what) {
  check_rank(c, i, 2, "[rows, features]");
  check_rows(c, c.shape(i)[0], rows, what);
  return c.shape(i)[1];
}

std::vector<TensorType> infer_dispatch(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  check_last_axis(c, 0);
  const i64 rows = check_pair(c, 1, 2);
  check_slots(c, rows, known_rows(c.shape(0)));
  return {{Shape{rows, c.shape(0)[-1]}, dtype}};
}
std::vector<TensorType> infer_dispatch_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0});
  check_last_axis(c, 2);
  const i64 rows = check_row_index(c, 1, "the places");
  check_slots(c, rows, known_rows(c.shape(2)));
  if (!agree(check_matrix(c, 0, rows, "the gradient"), c.shape(2)[-1]))
    c.fail("rows of " + c.shape(0).str() + " for tokens of " + c.shape(2).str() +
               "; the last axis must be the same",
           "check what feeds it");
  return {{c.shape(2), dtype}};
}
std::vector<TensorType> infer_combine(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 1});
  check_last_axis(c, 1);
  const i64 rows = check_pair(c, 3, 2), features = check_matrix(c, 0, rows, "what is combined");
  check_rows(c, rows, known_elements(c.shape(1)), "the order");
  Shape shape = c.shape(1);
  shape.set(-1, features);
  return {{shape, dtype}};
}
void check_tokens(const InferContext& c, int weights, int dy) {
  if (!agree(without_last(c.shape(weights)), without_last(c.shape(dy))))
    c.fail("weights of " + c.shape(weights).str() + " and a gradient of " + c.shape(dy).str() +
               " must agree in all but the last axis",
           "check what feeds it");
}
std::vector<TensorType> infer_rows_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 2});
  check_last_axis(c, 0);
  check_last_axis(c, 2);
  check_tokens(c, 0, 2);
  const i64 rows = check_row_index(c, 1, "the order");
  check_rows(c, rows, known_elements(c.shape(0)), "the order");
  return {{Shape{rows, c.shape(2)[-1]}, dtype}};
}
std::vector<TensorType> infer_weight_grad(const InferContext& c) {
  const DType dtype = check_floating(c, {0, 2});
  check_last_axis(c, 2);
  check_last_axis(c, 3);
  check_tokens(c, 3, 2);
  const i64 rows = check_row_index(c, 1, "the places");
  check_rows(c, rows, known_elements(c.shape(3)), "places");
  if (!agree(check_matrix(c, 0, rows, "what is combined"), c.shape(2)[-1]))
    c.fail("rows of " + c.shape(0).str() + " for a gradient of " + c.shape(2).str() +
               "; the last axis must be the same",
           "check what feeds it");
  return {{c.shape(3), dtype}};
}

std::vector<Symbol> dispatch_gradient(const GradContext& c) {
  return {make("expert_dispatch_grad", {c.grad(), c.input(2), c.input(0)}), Symbol{}, Symbol{}};
}
std::vector<Symbol> combine_gradient(const GradContext& c) {
  return {make("expert_combine_rows_grad", {c.input(1), c.input(3), c.grad()}),
          make("expert_combine_weight_grad", {c.input(0), c.input(2), c.grad(), c.input(1)}),
          Symbol{}, Symbol{}};
}

template <class T>
void dispatch(const KernelArgs& args) {
  const Shape& shape = args.outputs[0].shape;
  const i64 rows = shape[0], d = shape[1], tokens = row_count(args.inputs[0].shape);
  for (i64 r = 0; r < rows; ++r) {
    const i64 slot = input<std::int32_t>(args, 1)[r];
    for (i64 j = 0; j < d; ++j)
      output<T>(args, 0)[r * d + j] =
          within(slot, rows) ? input<T>(args, 0)[slot / (rows / tokens) * d + j] : T{0};
  }
}

/// y[t] = sum over the token's slots of weight[slot] rows[places[slot]]; without weights, 1.
template <class T>
void gather(const TensorRef& rows, const T* weights, const std::int32_t* places, i64 slots,
            const TensorRef& y) {
  const i64 d = last_of(y.shape), tokens = row_count(y.shape), k = tokens == 0 ? 0 : slots / tokens;
  for (i64 t = 0; t < tokens; ++t)
    for (i64 j = 0; j < d; ++j) {
      double sum = 0;
      for (i64 s = t * k; s < (t + 1) * k; ++s)
        if (within(places[s], rows.shape[0]))
          sum += (weights ? double{weights[s]} : 1) * double{rows.as<const T>()[places[s] * d + j]};
      y.as<T>()[t * d + j] = static_cast<T>(sum);
    }
}
template <class T>
void dispatch_grad(const KernelArgs& args) {
  gather<T>(args.inputs[0], nullptr, input<std::int32_t>(args, 1), args.inputs[1].size(),
            args.outputs[0]);
}
template <class T>
void combine(const KernelArgs& args) {
  gather<T>(args.inputs[0], input<T>(args, 1), input<std::int32_t>(args, 2), args.inputs[2].size(),
            args.outputs[0]);
}

template <class T>
void rows_grad(const KernelArgs& args) {
  const Shape& shape = args.outputs[0].shape;
  const i64 rows = shape[0], d = shape[1], k = last_of(args.inputs[0].shape);
  for (i64 r = 0; r < rows; ++r) {
    const i64 slot = input<std::int32_t>(args, 1)[r];
    for (i64 j = 0; j < d; ++j)
      output<T>(args, 0)[r * d + j] =
          within(slot, rows) ? static_cast<T>(double{input<T>(args, 0)[slot]} *
                                              double{input<T>(args, 2)[slot / k * d + j]})
                             : T{0};
  }
}

template <class T>
void weight_grad(const KernelArgs& args) {
  const i64 slots = args.inputs[1].size(), d = last_of(args.inputs[2].shape);
  const i64 k = last_of(args.outputs[0].shape);
  for (i64 s = 0; s < slots; ++s) {
    const i64 row = input<std::int32_t>(args, 1)[s];
    double sum = 0;
    for (i64 j = 0; j < d && within(row, slots); ++j)
      sum += double{input<T>(args, 0)[row * d + j]} * double{input<T>(args, 2)[s / k * d + j]};
    output<T>(args, 0)[s] = static_cast<T>(sum);
  }
}

double flops(const std::vector<TensorType>& inputs, const std::vector<TensorType>& outputs,
             const Attrs&) {
  return 2 * std::max(count(inputs[0]), count(outputs[0]));
}

std::vector<OpSample> dispatch_samples() {
  const SampleRouting ten(10, 3), six(6, 4), large(33 * 41 * 2, 8);
  return {
      {{f32({5, 3}), i32({10}), i32({10})}, {}, -2, 2, {}, 2, false, {{}, ten.order, ten.places}},
      {{f32({2, 3, 4}), i32({6}), i32({6})}, {}, -2, 2, {}, 2, false, {{}, six.order, six.places}},
      {{f32({33, 41, 37}), i32({33 * 41 * 2}), i32({33 * 41 * 2})},
       {},
       -2,
       2,
       {},
       2,
       true,
       {{}, large.order, large.places}}};
}
std::vector<OpSample> dispatch_grad_samples() {
  const SampleRouting large(33 * 41 * 2, 8);
  return {{{f32({10, 3}), i32({10}), f32({5, 3})}, {}, -2, 2, {}, 12},  // some rows do not exist
          {{f32({33 * 41 * 2, 37}), i32({33 * 41 * 2}), f32({33, 41, 37})},
           {},
           -2,
           2,
           {},
           2,
           true,
           {{}, large.places}}};
}
std::vector<OpSample> combine_samples() {
  const SampleRouting ten(10, 3), six(6, 4), large(33 * 41 * 2, 8);
  const auto sample = [](std::initializer_list<i64> weights, i64 rows, i64 d,
                         const SampleRouting& routing, bool bench = false) {
    return OpSample{{f32({rows, d}), f32(weights), i32({rows}), i32({rows})},
                    {},
                    -2,
                    2,
                    {},
                    2,
                    bench,
                    {{}, {}, routing.places, routing.order}};
  };
  return {sample({5, 2}, 10, 3, ten), sample({2, 3, 1}, 6, 4, six),
          sample({33, 41, 2}, 33 * 41 * 2, 37, large, true)};
}
std::vector<OpSample> rows_grad_samples() {
  const SampleRouting large(33 * 41 * 2, 8);
  return {{{f32({5, 2}), i32({10}), f32({5, 3})}, {}, -2, 2, {}, 12},
          {{f32({33, 41, 2}), i32({33 * 41 * 2}), f32({33, 41, 37})},
           {},
           -2,
           2,
           {},
           2,
           true,
           {{}, large.order}}};
}
std::vector<OpSample> weight_grad_samples() {
  const SampleRouting large(33 * 41 * 2, 8);
  return {{{f32({10, 3}), i32({10}), f32({5, 3}), f32({5, 2})}, {}, -2, 2, {}, 12},
          {{f32({33 * 41 * 2, 37}), i32({33 * 41 * 2}), f32({33, 41, 37}), f32({33, 41, 2})},
           {},
           -2,
           2,
           {},
           2,
           true,
           {{}, large.places}}};
}

std::vector<OpReject> dispatch_rejects() {
  return {{{f32({5, 3}), i32({9}), i32({9})}, {}, "9 rows for 5 tokens"},
          {{f32({5, 3}), i32({10}), i32({9})}, {}, "places has 9 rows; it must have 10"},
          {{f32({5, 3}), f32({10}), i32({10})}, {}, "the order are f32; they must be i32"},
          {{f32({5, 3}), i32({5, 2}), i32({10})}, {}, "the order is [5, 2]; it must be [rows]"},
          {{f32({}), i32({10}), i32({10})}, {}, "is a scalar"}};
}
std::vector<OpReject> dispatch_grad_rejects() {
  return {{{f32({10, 3}), i32({10}), f32({5, 4})}, {}, "the last axis must be the same"},
          {{f32({9, 3}), i32({10}), f32({5, 3})}, {}, "the gradient has 9 rows; it must have 10"},
          {{f32({10, 3}), i32({10}), f32({4, 3})}, {}, "10 rows for 4 tokens"}};
}
std::vector<OpReject> combine_rejects() {
  return {{{f32({10, 3}), f32({4, 2}), i32({10}), i32({10})},
           {},
           "the order has 10 rows; it must have 8"},
          {{f32({8, 3}), f32({5, 2}), i32({10}), i32({10})},
           {},
           "what is combined has 8 rows; it must have 10"},
          {{f32({10}), f32({5, 2}), i32({10}), i32({10})}, {}, "[rows, features]"},
          {{f32({10, 3}), f32({}), i32({10}), i32({10})}, {}, "is a scalar"}};
}
std::vector<OpReject> rows_grad_rejects() {
  return {{{f32({5, 2}), i32({10}), f32({4, 3})}, {}, "must agree in all but the last axis"},
          {{f32({5, 2}), i32({9}), f32({5, 3})}, {}, "the order has 9 rows; it must have 10"}};
}
std::vector<OpReject> weight_grad_rejects() {
  return {
      {{f32({10, 3}), i32({10}), f32({5, 4}), f32({5, 2})}, {}, "the last axis must be the same"},
      {{f32({10, 3}), i32({10}), f32({5, 3}), f32({4, 2})},
       {},
       "must agree in all but the last axis"},
      {{f32({10, 3}), i32({10}), f32({5, 3}), f32({5, 3})},
       {},
       "places has 10 rows; it must have 15"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "expert_dispatch",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer_dispatch,
                               .gradient = dispatch_gradient,
                               .reference = {dispatch<float>, dispatch<double>},
                               .batch = Batch::mixed,
                               .shape_only = 0b100,
                               .flops = flops,
                               .samples = dispatch_samples,
                               .rejects = dispatch_rejects},
                              {.name = "expert_dispatch_grad",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer_dispatch_grad,
                               .gradient = expert_second_order,
                               .reference = {dispatch_grad<float>, dispatch_grad<double>},
                               .batch = Batch::mixed,
                               .shape_only = 0b100,
                               .flops = flops,
                               .samples = dispatch_grad_samples,
                               .rejects = dispatch_grad_rejects},
                              {.name = "expert_combine",
                               .min_inputs = 4,
                               .max_inputs = 4,
                               .infer = infer_combine,
                               .gradient = combine_gradient,
                               .reference = {combine<float>, combine<double>},
                               .batch = Batch::mixed,
                               .shape_only = 0b1000,
                               .flops = flops,
                               .samples = combine_samples,
                               .rejects = combine_rejects},
                              {.name = "expert_combine_rows_grad",
                               .min_inputs = 3,
                               .max_inputs = 3,
                               .infer = infer_rows_grad,
                               .gradient = expert_second_order,
                               .reference = {rows_grad<float>, rows_grad<double>},
                               .batch = Batch::mixed,
                               .flops = flops,
                               .samples = rows_grad_samples,
                               .rejects = rows_grad_rejects},
                              {.name = "expert_combine_weight_grad",
                               .min_inputs = 4,
                               .max_inputs = 4,
                               .infer = infer_weight_grad,
                               .gradient = expert_second_order,
                               .reference = {weight_grad<float>, weight_grad<double>},
                               .batch = Batch::mixed,
                               .shape_only = 0b1000,
                               .flops = flops,
                               .samples = weight_grad_samples,
                               .rejects = weight_grad_rejects}};
  return ops;
}

}  // namespace goneuron::expert_rows_op
