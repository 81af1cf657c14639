#include "train/index_range.h"

#include <algorithm>
#include <string_view>

#include "core/message.h"
#include "graph/evaluate.h"
#include "graph/layer_impl.h"

namespace goneuron {

namespace {

/// ", position 7" within the row, or ", element [2, 0]" for rows of several axes.
std::string place_in_row(const Shape& sample, i64 element) {
  if (sample.rank() == 0) return "";
  if (sample.rank() == 1) return ", position " + std::to_string(element);
  std::vector<i64> index(static_cast<size_t>(sample.rank()));
  for (int axis = sample.rank() - 1; axis >= 0; --axis) {
    index[static_cast<size_t>(axis)] = element % sample[axis];
    element /= sample[axis];
  }
  return ", element " + Shape(index).str();
}

[[noreturn]] void refuse(const IndexSearch& search, const Expr& check, const Tensor& indices,
                         i64 below, i64 at) {
  const i64 rows = std::max<i64>(indices.shape()[0], 1);
  const i64 width = indices.size() / rows;
  const bool token = check.call && check.call->layer->kind == "Embedding";
  Message message{.where = search.where};
  message.what = std::string(token ? "the token " : "the index ") +
                 std::to_string(indices.data<std::int32_t>()[at]) + " in row " +
                 std::to_string(search.row(at / width)) +
                 place_in_row(indices.shape().without_batch(), at % width) + " of " + search.data +
                 "; expected 0 to " + std::to_string(below - 1);
  message.lines.emplace_back(check.call ? "layer" : "function", check.call
                                                                    ? check.call->layer->describe()
                                                                    : place("gather", check.site));
  message.hint = token ? "tokens count from 0: give Embedding the size of the vocabulary, or map "
                         "what is unknown to a token of its own"
                       : "indices count from 0 and end before the length of the axis";
  throw_data(message);
}

}  // namespace

void refuse_index(const IndexSearch& search) {
  for (const Expr* expr : topological_order(search.outputs)) {
    if (!expr->op || std::string_view(expr->op->name) != "check_indices") continue;
    StepScalars scalars;
    const auto operands = evaluate(expr->inputs, search.inputs, DType::f32, scalars);
    const Tensor& indices = operands[0];
    const auto* first = indices.data<std::int32_t>();
    const auto* end = first + indices.size();
    const i64 below = operands.size() > 1
                          ? operands[1].shape()[static_cast<int>(expr->attrs.integer("axis"))]
                          : expr->attrs.integer("below");
    const auto* bad = std::find_if(first, end, [&](i64 v) { return v < 0 || v >= below; });
    if (bad != end) refuse(search, *expr, indices, below, bad - first);
  }
  // Not reached: the status word comes from one of these ops.
  throw_data({.where = search.where,
              .what = "an index of " + search.data + " is out of range",
              .hint = "check the indices that the model computes"});
}

}  // namespace goneuron
