// Reshape: the same elements of each sample under another shape; one dimension may be Any.
#include <algorithm>

#include "core/checked_math.h"
#include "goneuron/layers.h"
#include "graph/layer_impl.h"

namespace goneuron {

namespace {
std::string dims_text(const Shape& shape) {
  std::string text;
  for (const i64 dim : shape)
    text += (text.empty() ? "" : ", ") + (dim == Any ? std::string("Any") : std::to_string(dim));
  return "[" + text + "]";
}

/// `target` with its Any filled in from the elements of a sample.
Shape resolve(const LayerContext& context, const Shape& target) {
  const Shape sample = context.input().shape().without_batch();
  if (!sample.known())
    context.fail_shape("a dimension of the sample is not known yet",
                       "give it to Input(), or build() the model");
  const i64 elements = sample.elements();
  Shape shape = target;
  i64 given = 1;
  int unknown = -1;
  for (int axis = 0; axis < target.rank(); ++axis) {
    if (target[axis] == Any)
      unknown = axis;
    else
      given = checked_mul(given, target[axis]);
  }
  if (unknown >= 0 && elements % given == 0)
    shape.set(unknown, elements / given);
  else if (unknown >= 0 || given != elements)
    context.fail_shape("a sample has " + std::to_string(elements) + " elements; expected " +
                           (unknown < 0 ? "" : "a multiple of ") + std::to_string(given) + " for " +
                           dims_text(target),
                       "the batch is not part of the shape; one dimension may be Any");
  return shape;
}
}  // namespace

Layer Reshape(const Shape& shape, Site site) {
  for (const i64 dim : shape)
    require(dim == Any || dim >= 1, "Reshape", site,
            "a dimension of " + std::to_string(dim) + "; expected 1 or more, or Any",
            "give the shape of one sample, without the batch");
  require(std::count(shape.begin(), shape.end(), Any) <= 1, "Reshape", site,
          dims_text(shape) + " has more than one Any; expected at most one",
          "only one dimension can be inferred: give the others as numbers");
  require(shape.rank() < Shape::max_rank, "Reshape", site,
          std::to_string(shape.rank()) + " axes; expected at most " +
              std::to_string(Shape::max_rank - 1) + ", the batch apart",
          "join some of the axes");
  return make_layer(
      {.kind = "Reshape", .prefix = "reshape", .site = site, .build = [=](LayerContext& context) {
         const Shape full = resolve(context, shape).with_batch(-1);
         return make("reshape", {context.input()},
                     {{"shape", std::vector<i64>(full.begin(), full.end())}});
       }});
}

}  // namespace goneuron
