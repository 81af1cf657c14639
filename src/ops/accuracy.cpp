// accuracy(y_true, y_pred){each} -> [batch]: the share of right predictions of each sample; with
// `each`, 1 or 0 for each prediction, [batch, ..]. With c > 1 classes on the last axis the first
// arg max against class indices or one-hot rows; with one output above 0.5 or not.
#include "ops/common.h"

namespace goneuron::accuracy_op {

namespace {
/// True when predictions are one number each, not a row of classes.
bool single(const Shape& pred) { return pred.rank() == 1 || pred[-1] == 1; }

/// Equal, but for one trailing 1.
bool agree_but_for_one(const Shape& a, const Shape& b) {
  if (agree(a, b)) return true;
  if (a.rank() == b.rank() + 1) return a[-1] == 1 && agree(without_last(a), b);
  return b.rank() == a.rank() + 1 && b[-1] == 1 && agree(a, without_last(b));
}

std::vector<TensorType> infer(const InferContext& c) {
  const Shape &truth = c.shape(0), &pred = c.shape(1);
  check_floating(c, {1});
  if (c.dtype(0) != DType::i32 && c.dtype(0) != c.dtype(1))
    c.fail_type(
        std::string("the labels are ") + dtype_name(c.dtype(0)) + "; they must be i32 or f32",
        "convert the labels first");
  check_last_axis(c, 1);
  const bool indices = c.dtype(0) == DType::i32;
  const bool good = single(pred) ? agree_but_for_one(truth, pred)
                    : indices    ? agree_but_for_one(truth, without_last(pred))
                                 : agree(truth, pred);
  if (!good)
    c.fail("labels of " + truth.str() + " do not fit predictions of " + pred.str(),
           "give one class index a sample, or one-hot rows of as many classes");
  if (c.attrs.integer("each", 0) != 0)
    return {{pred.rank() > 1 ? without_last(pred) : pred, c.dtype(1)}};
  return {{Shape{pred[0]}, c.dtype(1)}};
}

template <class T>
i64 arg_max(const T* x, i64 n) {
  i64 best = 0;
  for (i64 j = 1; j < n; ++j)
    if (x[j] > x[best]) best = j;
  return best;
}

template <class T>
bool right(const TensorRef& truth, const T* pred, i64 at, i64 classes, bool one) {
  const T* row = pred + at * classes;
  if (truth.dtype == DType::i32) {
    const std::int32_t label = truth.as<const std::int32_t>()[at];
    return one ? (label > 0) == (row[0] > T(0.5)) : label == arg_max(row, classes);
  }
  const T* labels = truth.as<const T>() + at * classes;
  return one ? (labels[0] > T(0.5)) == (row[0] > T(0.5))
             : arg_max(labels, classes) == arg_max(row, classes);
}

template <class T>
void kernel(const KernelArgs& args) {
  const Shape& shape = args.inputs[1].shape;
  const bool one = single(shape);
  const i64 classes = one ? 1 : last_of(shape), samples = shape[0];
  const i64 positions = samples == 0 ? 0 : shape.elements() / classes / samples;
  T* y = output<T>(args, 0);
  if (args.attrs.integer("each", 0) != 0) {
    for (i64 i = 0; i < samples * positions; ++i)
      y[i] = static_cast<T>(right(args.inputs[0], input<T>(args, 1), i, classes, one));
    return;
  }
  for (i64 i = 0; i < samples; ++i) {
    i64 hits = 0;
    for (i64 p = 0; p < positions; ++p)
      hits += right(args.inputs[0], input<T>(args, 1), i * positions + p, classes, one);
    y[i] = static_cast<T>(static_cast<double>(hits) / static_cast<double>(positions));
  }
}

std::vector<OpSample> samples() {
  return {{{i32({6}), f32({6, 3})}, {}, -2, 2, {}, 3},
          {{f32({4, 3}), f32({4, 3})}},
          {{f32({6}), f32({6})}, {}, 0, 1},
          {{i32({6}), f32({6, 1})}, {}, 0, 1},
          {{i32({3, 4}), f32({3, 4, 5})}, {}, -2, 2, {}, 5},
          {{i32({3, 4}), f32({3, 4, 5})}, {{"each", i64{1}}}, -2, 2, {}, 5},
          {{f32({6}), f32({6})}, {{"each", i64{1}}}, 0, 1},
          {{i32({6, 1}), f32({6, 3})}, {}, -2, 2, {}, 3}};
}
std::vector<OpReject> rejects() {
  return {{{i32({5}), f32({6, 3})}, {}, "labels of [5] do not fit predictions of [6, 3]"},
          {{f32({6}), f32({6, 3})}, {}, "labels of [6] do not fit predictions of [6, 3]"},
          {{u8({6}), f32({6, 3})}, {}, "the labels are u8"},
          {{i32({6}), f32({})}, {}, "is a scalar"},
          {{i32({6}), i32({6, 3})}, {}, "input 2 is i32"}};
}
}  // namespace

std::span<const OpDef> table() {
  static const OpDef ops[] = {{.name = "accuracy",
                               .min_inputs = 2,
                               .max_inputs = 2,
                               .infer = infer,
                               .gradient = Gradient::none("counting right answers has no slope"),
                               .reference = {kernel<float>, kernel<double>},
                               .flops = elementwise_flops,
                               .samples = samples,
                               .rejects = rejects}};
  return ops;
}

}  // namespace goneuron::accuracy_op
