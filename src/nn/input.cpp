// Input: the entry of a functional model.
#include "goneuron/layers.h"
#include "graph/layer_impl.h"

namespace goneuron {

Symbol Input(const Shape& shape, DType dtype, Site site) {
  return Input(shape, {.dtype = dtype}, site);
}

Symbol Input(const Shape& shape, const InputOptions& options, Site site) {
  for (const i64 dim : shape)
    require(dim == Any || dim >= 1, "Input", site,
            "a dimension of " + std::to_string(dim) + "; expected 1 or more, or Any",
            "give the shape of one sample, without the batch");
  require(shape.rank() < Shape::max_rank, "Input", site,
          std::to_string(shape.rank()) + " axes; expected at most " +
              std::to_string(Shape::max_rank - 1) + ", the batch apart",
          "join some of the axes");
  return input_symbol({shape.with_batch(Any), options.dtype}, options.name, site);
}

}  // namespace goneuron
