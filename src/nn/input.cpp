// Input: the entry of a functional model.
#include "goneuron/layers.h"
#include "graph/layer_impl.h"

namespace goneuron {

Symbol Input(const Shape& shape, DType dtype, Site site) {
  for (const i64 dim : shape)
    require(dim == Any || dim >= 1, "Input", site, "a dimension of " + std::to_string(dim),
            "dimensions are 1 or more, or Any; the batch is not among them");
  require(shape.rank() < Shape::max_rank, "Input", site,
          std::to_string(shape.rank()) + " axes and the batch",
          "a symbol has at most " + std::to_string(Shape::max_rank) + " axes, the batch included");
  return input_symbol({shape.with_batch(Any), dtype}, "", site);
}

}  // namespace goneuron
