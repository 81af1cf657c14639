#include "nn/sequence.h"

namespace goneuron {

i64 check_sequence(const LayerContext& context) {
  const Shape& x = context.input().shape();
  if (x.rank() != 3)
    context.fail_shape("a sample has " + std::to_string(x.rank() - 1) +
                           (x.rank() == 2 ? " axis" : " axes") + "; expected two: [time, features]",
                       x.rank() == 2 ? "tokens become features in Embedding(vocabulary, width); "
                                       "numbers by Reshape({Any, 1})"
                                     : "join axes with Reshape({time, features})");
  if (x[-1] == Any)
    context.fail_shape("the last axis is not known yet; expected a number of features",
                       "give it to Input(), or build() the model");
  return x[-1];
}

}  // namespace goneuron
