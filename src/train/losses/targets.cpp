#include "train/losses/targets.h"

#include <algorithm>
#include <string_view>

#include "core/message.h"
#include "goneuron/functions.h"
#include "graph/layer_impl.h"
#include "graph/op_def.h"

namespace goneuron {

namespace {
std::string text(const Symbol& symbol) {
  return symbol.shape().str() + " " + dtype_name(symbol.dtype());
}

Message mismatch(const char* name, const Symbol& y_true, const Symbol& y_pred,
                 const std::string& what, const std::string& hint) {
  return {.where = name,
          .what = what,
          .lines = {{"targets", text(y_true)}, {"predictions", text(y_pred) + from_text(y_pred)}},
          .hint = hint};
}

Symbol as_type(const Symbol& x, DType dtype) {
  return x.dtype() == dtype ? x : make("cast", {x}, {{"dtype", static_cast<i64>(dtype)}});
}

/// True when `longer` is `shorter` with a 1 behind it.
bool one_more(const Shape& longer, const Shape& shorter) {
  if (longer.rank() != shorter.rank() + 1 || longer[-1] != 1) return false;
  return std::equal(shorter.begin(), shorter.end(), longer.begin());
}

Shape without_last(const Shape& shape) {
  return Shape(std::vector<i64>(shape.begin(), shape.end() - 1));
}

Symbol drop_last(const Symbol& x) {
  const Shape shape = without_last(x.shape());
  return make("reshape", {x}, {{"shape", std::vector<i64>(shape.begin(), shape.end())}});
}
}  // namespace

Symbol value_targets(const char* name, const Symbol& y_true, const Symbol& y_pred,
                     const char* hint) {
  const Shape &have = y_true.shape(), &want = y_pred.shape();
  if (!(have == want) && !one_more(have, want) && !one_more(want, have))
    throw_shape(mismatch(name, y_true, y_pred,
                         "targets are " + have.str() + "; expected the predictions' " + want.str(),
                         hint));
  return like_predictions(is_floating(y_true.dtype()) ? y_true : as_type(y_true, DType::f32),
                          y_pred);
}

Symbol like_predictions(const Symbol& y_true, const Symbol& y_pred) {
  const Shape &have = y_true.shape(), &want = y_pred.shape();
  const bool missing_one = one_more(have, want) || one_more(want, have);
  return missing_one ? make("reshape_like", {y_true, y_pred}) : y_true;
}

Symbol class_targets(const char* name, const Symbol& y_true, const Symbol& y_pred) {
  const Shape &have = y_true.shape(), &want = y_pred.shape();
  if (want.rank() < 2)
    throw_shape(mismatch(name, y_true, y_pred,
                         "predictions are " + want.str() + "; expected a last axis of classes",
                         "end the model with Dense(classes, Softmax)"));
  const Shape indices = without_last(want);
  if (!is_floating(y_true.dtype())) {
    if (have == indices) return as_type(y_true, DType::i32);
    if (one_more(have, indices)) return drop_last(as_type(y_true, DType::i32));
    if (have == want)
      throw_type(mismatch(name, y_true, y_pred,
                          "integer targets of " + have.str() + "; expected class indices " +
                              indices.str() + " or one-hot rows in floating point",
                          "convert one-hot rows with y.to(DType::f32), or take their y.argmax()"));
  } else {
    if (have == want) return y_true;
    if (have == indices || one_more(have, indices))
      throw_type(mismatch(
          name, y_true, y_pred,
          "floating-point targets of " + have.str() + "; expected integers as class indices",
          "pass a std::vector<std::int32_t>, or y.to(DType::i32)"));
    if (have.rank() == want.rank() && without_last(have) == indices)
      throw_shape(mismatch(name, y_true, y_pred,
                           "one-hot rows of " + std::to_string(have[-1]) +
                               " classes; expected the predictions' " + std::to_string(want[-1]),
                           "end the model with Dense(" + std::to_string(have[-1]) + ", Softmax)"));
  }
  throw_shape(mismatch(name, y_true, y_pred,
                       "targets are " + have.str() + "; expected class indices " + indices.str() +
                           " or one-hot rows " + want.str(),
                       "reshape the targets, or give the last layer one output a class"));
}

void need_indices(const char* name, const Symbol& labels, const Symbol& y_true,
                  const Symbol& y_pred) {
  if (!is_floating(labels.dtype())) return;
  throw_type(mismatch(name, y_true, y_pred,
                      "an ignore_index with one-hot rows as targets; expected class indices",
                      "pass the rows' argmax(), with the ignore_index where a target counts for "
                      "nothing"));
}

void require_index(const char* kind, const std::optional<i64>& index, Site site) {
  if (!index) return;
  require(*index >= INT32_MIN && *index <= INT32_MAX, kind, site,
          "an ignore_index of " + std::to_string(*index) + "; expected a number of 32 bits",
          "-1 is usual: it is no class");
}

Symbol unwrapped(Symbol symbol) {
  while (symbol.expr()->kind == Expr::Kind::op &&
         std::string_view(symbol.expr()->op->name) == "reshape_like" &&
         symbol.expr()->inputs[0].shape() == symbol.shape())
    symbol = Symbol(symbol.expr()->inputs[0]);
  return symbol;
}

Symbol before(const Symbol& symbol, const char* op) {
  const Symbol made_by = unwrapped(symbol);
  const Expr& expr = *made_by.expr();
  const bool made = expr.kind == Expr::Kind::op && std::string_view(expr.op->name) == op;
  return made ? expr.inputs[0] : Symbol{};
}

Symbol in_unit_range(const Symbol& targets) {
  constexpr double slack = 1e-5;  // of sums in f32: an average of probabilities may pass 1
  return make("check_range", {targets}, {{"low", -slack}, {"high", 1 + slack}});
}

namespace {
/// A layer without activation, or with one that gives other numbers, for certain.
bool no_probabilities(const Symbol& y_pred) {
  const Symbol made_by = unwrapped(y_pred);
  const Expr& expr = *made_by.expr();
  if (expr.kind != Expr::Kind::op) return false;
  constexpr std::string_view weighted[] = {"add", "matmul", "conv2d"};
  constexpr std::string_view activations[] = {"relu", "leaky_relu", "tanh", "gelu",
                                              "silu", "elu",        "selu"};
  // A matrix that probabilities are multiplied by may give probabilities.
  if (!expr.inputs.empty() &&
      (before(expr.inputs[0], "softmax") || before(expr.inputs[0], "sigmoid")))
    return false;
  const auto is = [&](std::string_view op) { return op == expr.op->name; };
  const auto learns = [](const Symbol& input) {
    return input.expr()->kind == Expr::Kind::variable;
  };
  return std::any_of(std::begin(activations), std::end(activations), is) ||
         (std::any_of(std::begin(weighted), std::end(weighted), is) &&
          std::any_of(expr.inputs.begin(), expr.inputs.end(), learns));
}
}  // namespace

Symbol probabilities(const char* name, const Symbol& y_pred, const char* activation) {
  if (no_probabilities(y_pred))
    throw_graph({.where = name,
                 .what = "predictions are no probabilities; expected a model that ends in " +
                         std::string(activation),
                 .lines = {{"predictions", text(y_pred) + from_text(y_pred)}},
                 .hint = "give its last layer the activation " + std::string(activation) +
                         ", or say {.from_logits = true} to " + name});
  return in_unit_range(y_pred);
}

Symbol logits_of(const char* name, const Symbol& y_pred, const char* activation, bool given) {
  if (!given) return before(y_pred, activation);
  for (const char* applied : {"softmax", "sigmoid"}) {
    if (!before(y_pred, applied)) continue;
    throw_graph({.where = name,
                 .what = "from_logits is given for predictions that went through " +
                         std::string(applied) + " already",
                 .lines = {{"predictions", text(y_pred) + from_text(y_pred)}},
                 .hint =
                     "leave out from_logits where that is the loss's own activation: it is "
                     "computed from what comes before it, anyway; else end in a layer without"});
  }
  return y_pred;
}

Symbol class_weights(const std::vector<double>& weights, const Symbol& y_true,
                     const Symbol& y_pred) {
  const auto fail = [&](const std::string& what, const std::string& hint) {
    throw_graph({.what = what,
                 .lines = {{"y_true", y_true.shape().str() + " " + dtype_name(y_true.dtype())},
                           {"y_pred", y_pred.shape().str()}},
                 .hint = hint});
  };
  const i64 width = y_pred.shape().rank() < 2 ? 1 : y_pred.shape()[-1];
  const i64 classes = width == 1 ? 2 : width;
  if (static_cast<i64>(weights.size()) != classes)
    fail("a class_weight of " + counted(static_cast<i64>(weights.size()), "number") +
             "; expected one for each of the " + std::to_string(classes) + " classes",
         "give a weight to every class, 1 where it counts as usual");
  if (y_pred.shape().rank() > 2)
    fail("a class_weight for predictions of several steps; expected one class a sample",
         "weigh the steps in a loss of your own");
  if (width == 1) {  // between the weights of class 0 and of class 1
    const Symbol share = per_sample(in_unit_range(as_type(y_true, DType::f32)));
    return share * (weights[1] - weights[0]) + weights[0];
  }
  Tensor table(Shape{classes});
  for (i64 i = 0; i < classes; ++i)
    table.data()[i] = static_cast<float>(weights[static_cast<size_t>(i)]);
  const Symbol labels = class_targets("class_weight", y_true, y_pred);
  if (is_floating(labels.dtype())) return sum(in_unit_range(labels) * constant(table), {1});
  return gather(constant(table), labels, 0);
}

Symbol per_sample(const Symbol& values) { return mean(values, {}, false, {}); }

namespace {
Symbol over_all_axes(const char* op, const Symbol& values) {
  if (values.shape().rank() == 0) return values;
  std::vector<i64> axes;
  for (int i = 0; i < values.shape().rank(); ++i) axes.push_back(i);
  return make(op, {values}, {{"axes", axes}, {"keep", i64{0}}});
}
bool made_by(const Symbol& symbol, const char* op) {
  const Expr& expr = *symbol.expr();
  return expr.kind == Expr::Kind::op && std::string_view(expr.op->name) == op;
}
}  // namespace

Symbol batch_mean(const Symbol& values) { return over_all_axes("mean", values); }

Symbol masked_mean(const Symbol& values, const Symbol& mask) {
  const Symbol sum = over_all_axes("sum", make("mul", {values, mask}));
  return make("div", {sum, make("maximum", {over_all_axes("sum", mask), scalar(1)})});
}

Symbol denominator_of(const Symbol& number) {
  if (number.shape().rank() != 0 || !made_by(number, "div")) return {};
  const Symbol &above = number.expr()->inputs[0], &below = number.expr()->inputs[1];
  if (below.shape().rank() != 0 || !made_by(above, "sum") || !made_by(below, "maximum")) return {};
  const Symbol& count = below.expr()->inputs[0];
  return count.shape().rank() == 0 && made_by(count, "sum") ? count : Symbol();
}

Symbol label_mask(const Symbol& labels, i64 ignored) {
  return make("differs", {labels}, {{"from", ignored}});
}

}  // namespace goneuron
