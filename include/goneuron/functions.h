// More functions on symbols, beside those of symbol.h: shapes, choices, comparisons. All of them
// are differentiable, or count as constants where it says so. Axes count the batch as 0; negative
// ones count from the end.
#pragma once

#include "goneuron/symbol.h"

namespace goneuron {

/// Axis i of the result is axis axes[i] of x; the batch stays first.
Symbol transpose(const Symbol& x, const std::vector<int>& axes, Site site = Site::here());
/// To `shape` (without the batch), as many elements a sample; one dimension may be Any.
Symbol reshape(const Symbol& x, const Shape& shape, Site site = Site::here());
/// Puts an axis of length 1 in at `axis`; takes one out.
Symbol expand_dims(const Symbol& x, int axis, Site site = Site::here());
Symbol squeeze(const Symbol& x, int axis, Site site = Site::here());
/// Joins along an axis in which the inputs may differ; along a new one, at `axis`.
Symbol concat(const std::vector<Symbol>& inputs, int axis = -1, Site site = Site::here());
Symbol stack(const std::vector<Symbol>& inputs, int axis = 1, Site site = Site::here());

/// Elements [begin, end) of an axis; {} is all of it.
struct Range {
  i64 begin = 0;
  i64 end = Any;
};
/// Of the axes after the batch, in order: slice(image, {{2, 26}, {2, 26}}).
Symbol slice(const Symbol& x, const std::vector<Range>& ranges, Site site = Site::here());
/// Each element of `axis` `times` times, one after the other, as numpy.repeat.
Symbol repeat(const Symbol& x, i64 times, int axis, Site site = Site::here());
/// To `shape` (without the batch): axes of length 1, and such that x does not have, are repeated.
Symbol broadcast_to(const Symbol& x, const Shape& shape, Site site = Site::here());
/// To the shape of `like`, its batch included: a constant becomes one a sample.
Symbol broadcast_like(const Symbol& x, const Symbol& like, Site site = Site::here());

/// Elements of an axis by index (i32). Indices [batch, k..] are each sample's own, a constant [k..]
/// holds for all of them; k.. stands where the axis was. A constant table and axis 0: its rows, as
/// in Embedding. An index out of range makes fit() and predict() throw DataError, as there.
Symbol gather(const Symbol& x, const Symbol& indices, int axis = 1, Site site = Site::here());

/// exp(x) / sum(exp(x)) over an axis, and its logarithm.
Symbol softmax(const Symbol& x, int axis = -1, Site site = Site::here());
Symbol log_softmax(const Symbol& x, int axis = -1, Site site = Site::here());
/// The largest, the smallest over `axes` (all but the batch when empty); equal ones share the
/// gradient evenly, NaN wins. `keep` leaves axes of length 1.
Symbol max(const Symbol& x, const std::vector<int>& axes = {}, bool keep = false,
           Site site = Site::here());
Symbol min(const Symbol& x, const std::vector<int>& axes = {}, bool keep = false,
           Site site = Site::here());

/// Element by element; operands broadcast. The condition is true where it is not 0.
Symbol where(const Symbol& condition, const Operand& a, const Operand& b);
/// 1 where it holds, else 0; no gradient flows back.
Symbol greater(const Symbol& a, const Operand& b);
Symbol greater_equal(const Symbol& a, const Operand& b);
Symbol less(const Symbol& a, const Operand& b);
Symbol less_equal(const Symbol& a, const Operand& b);
Symbol equal(const Symbol& a, const Operand& b);
Symbol not_equal(const Symbol& a, const Operand& b);

/// To another dtype; integers are truncated towards zero and held to their range. A mask of tokens
/// that are not 0: not_equal(cast(tokens, DType::f32), 0).
Symbol cast(const Symbol& x, DType dtype, Site site = Site::here());
/// x to a constant power; NaN where x is negative and the exponent a fraction.
Symbol pow(const Symbol& x, double exponent, Site site = Site::here());
Symbol tanh(const Symbol& x, Site site = Site::here());
Symbol sigmoid(const Symbol& x, Site site = Site::here());
Symbol relu(const Symbol& x, Site site = Site::here());
/// x, kept within [low, high].
Symbol clip(const Symbol& x, double low, double high, Site site = Site::here());
/// x, as a constant: no gradient flows back.
Symbol stop_gradient(const Symbol& x, Site site = Site::here());

}  // namespace goneuron
