// Functions on symbols that move elements: transpose, reshape, joins, slices, repeats, gather.
#include <algorithm>

#include "core/checked_math.h"
#include "core/message.h"
#include "goneuron/functions.h"
#include "graph/functions.h"

namespace goneuron {

namespace {
[[noreturn]] void fail(const char* function, Site site, const std::string& what,
                       const std::string& hint) {
  throw_shape({.where = function_place(function, site), .what = what, .hint = hint});
}

/// The elements of a sample; ShapeError when a dimension is not known.
i64 sample_elements(const char* function, const Symbol& x, Site site) {
  const Shape sample = x.shape().without_batch();
  if (!sample.known())
    fail(function, site, "a dimension of " + x.shape().str() + " is not known yet",
         "give it to Input(), or build() the model");
  return sample.elements();
}

void need_inputs(const char* function, const std::vector<Symbol>& inputs, Site site) {
  if (inputs.empty() || std::any_of(inputs.begin(), inputs.end(), [](auto& s) { return !s; }))
    throw_graph({.where = function_place(function, site),
                 .what = inputs.empty() ? "no inputs; expected one or more"
                                        : "an input is an empty Symbol; expected one that has been "
                                          "made",
                 .hint = "pass symbols that come from Input() or a layer"});
}

std::vector<i64> same_dims(const Symbol& x) {
  return std::vector<i64>(static_cast<size_t>(x.shape().rank()), Any);
}
}  // namespace

Symbol transpose(const Symbol& x, const std::vector<int>& axes, Site site) {
  std::vector<i64> order;
  for (const int axis : axes) order.push_back(normal_axis("transpose", x, axis, site));
  if (!order.empty() && order[0] != 0 && x.shape()[0] == Any)
    fail("transpose", site, "axis 0 of " + x.shape().str() + " is the batch; expected it first",
         "every row is one sample: transpose(x, {0, 2, 1})");
  return make("transpose", {x}, {{"axes", order}}, site);
}

Symbol reshape(const Symbol& x, const Shape& shape, Site site) {
  const i64 elements = sample_elements("reshape", x, site);
  std::vector<i64> dims = {Any};
  i64 given = 1, open = 0;
  for (const i64 dim : shape) {
    dims.push_back(dim);
    if (dim == Any) ++open;
    if (dim != Any) given = checked_mul(given, dim);
  }
  const bool fits = open == 0 ? given == elements : given > 0 && elements % given == 0;
  if (open > 1 || given < 0 || !fits)
    fail("reshape", site,
         "a sample of " + x.shape().without_batch().str() + " does not fit into " + shape.str() +
             "; expected a shape of " + std::to_string(elements) + " elements",
         "the batch is not part of the shape; one dimension may be Any");
  for (size_t i = 1; i < dims.size(); ++i)
    if (dims[i] == Any) dims[i] = elements / given;
  return make("reshape", {x}, {{"shape", dims}}, site);
}

Symbol expand_dims(const Symbol& x, int axis, Site site) {
  const int rank = x.shape().rank(), at = axis < 0 ? axis + rank + 1 : axis;
  if (at < 0 || at > rank || (at == 0 && rank > 0 && x.shape()[0] == Any))
    fail("expand_dims", site,
         "axis " + std::to_string(axis) + " for " + x.shape().str() + "; expected 1 to " +
             std::to_string(rank),
         "the batch stays first; -1 puts an axis at the end");
  return make("expand_dims", {x}, {{"axis", i64{at}}}, site);
}

Symbol squeeze(const Symbol& x, int axis, Site site) {
  const int at = sample_axis("squeeze", x, axis, site);
  return make("squeeze", {x}, {{"axis", i64{at}}}, site);
}

Symbol concat(const std::vector<Symbol>& inputs, int axis, Site site) {
  need_inputs("concat", inputs, site);
  const int at = sample_axis("concat", inputs[0], axis, site);
  return make("concat", inputs, {{"axis", i64{at}}}, site);
}

Symbol stack(const std::vector<Symbol>& inputs, int axis, Site site) {
  need_inputs("stack", inputs, site);
  for (const Symbol& input : inputs)
    if (!(input.shape() == inputs[0].shape()))
      fail("stack", site,
           "inputs of " + inputs[0].shape().str() + " and " + input.shape().str() +
               "; expected one shape for all",
           "bring them to one shape first, or join them along an axis by concat()");
  std::vector<Symbol> wide;
  for (const Symbol& input : inputs) wide.push_back(expand_dims(input, axis, site));
  const int rank = wide[0].shape().rank();
  return make("concat", wide, {{"axis", i64{axis < 0 ? axis + rank : axis}}}, site);
}

Symbol slice(const Symbol& x, const std::vector<Range>& ranges, Site site) {
  if (static_cast<int>(ranges.size()) >= x.shape().rank())
    fail("slice", site,
         std::to_string(ranges.size()) + " ranges for " + x.shape().str() + "; expected at most " +
             std::to_string(x.shape().rank() - 1),
         "one for each axis after the batch; {} is all of an axis");
  Symbol y = x;
  for (size_t i = 0; i < ranges.size(); ++i) {
    const auto axis = static_cast<int>(i) + 1;
    const auto [begin, end] = ranges[i];
    if (begin == 0 && end == Any) continue;
    y = slice(y, axis, begin, end == Any ? x.shape()[axis] : end, site);
  }
  return y;
}

Symbol repeat(const Symbol& x, i64 times, int axis, Site site) {
  const int at = sample_axis("repeat", x, axis, site);
  if (times < 1)
    fail("repeat", site, std::to_string(times) + " times; expected 1 or more",
         "1 leaves it as it is");
  auto dims = same_dims(x);
  const i64 length = x.shape()[at];
  if (length == 1) {
    dims[static_cast<size_t>(at)] = times;
    return make("broadcast_to", {x}, {{"shape", dims}}, site);
  }
  sample_elements("repeat", x, site);
  dims.insert(dims.begin() + at + 1, times);
  const Symbol wide = make("broadcast_to", {expand_dims(x, at + 1, site)}, {{"shape", dims}}, site);
  std::vector<i64> joined(x.shape().begin(), x.shape().end());
  joined[static_cast<size_t>(at)] = checked_mul(length, times);
  return make("reshape", {wide}, {{"shape", joined}}, site);
}

Symbol broadcast_to(const Symbol& x, const Shape& shape, Site site) {
  std::vector<i64> dims(shape.begin(), shape.end());
  dims.insert(dims.begin(), Any);
  return make("broadcast_to", {x}, {{"shape", dims}}, site);
}

Symbol broadcast_like(const Symbol& x, const Symbol& like, Site site) {
  return make("broadcast_to", {x, like}, {}, site);
}

Symbol gather(const Symbol& x, const Symbol& indices, int axis, Site site) {
  const int at = sample_axis("gather", x, axis, site);
  const bool own = indices.shape().rank() > 0 && indices.shape()[0] == Any;
  const i64 length = x.shape()[at];
  if (indices.dtype() != DType::i32)
    throw_type({.where = function_place("gather", site),
                .what = std::string("indices of ") + dtype_name(indices.dtype()) + "; expected i32",
                .hint = "declare them: Input({length}, DType::i32)"});
  const Symbol good = length == Any ? make("check_indices", {indices, x}, {{"axis", i64{at}}}, site)
                                    : make("check_indices", {indices}, {{"below", length}}, site);
  if (at == 0) return make("gather_rows", {x, good}, {}, site);
  if (own && x.shape()[0] != Any)
    fail("gather", site,
         "each sample has its own indices, but " + x.shape().str() + " is not a batch",
         "gather along axis 0 of it: gather(table, indices, 0)");
  return make("gather", {x, good}, {{"axis", i64{at}}, {"samples", i64{own}}}, site);
}

}  // namespace goneuron
