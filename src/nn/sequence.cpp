#include "nn/sequence.h"

namespace goneuron {

std::string sequence_hint(const Symbol& input, const std::string& other) {
  const auto& call = input.expr()->call;
  const std::string kind = call ? call->layer->kind : "";
  if (input.shape().rank() != 2 || (kind != "LSTM" && kind != "GRU" && kind != "SequenceUnroller"))
    return other;
  return "that " + kind +
         " gives its last output alone: {.return_sequences = true} gives one a step";
}

i64 check_sequence(const LayerContext& context) {
  const Shape& x = context.input().shape();
  if (x.rank() != 3)
    context.fail_shape("a sample has " + std::to_string(x.rank() - 1) +
                           (x.rank() == 2 ? " axis" : " axes") + "; expected two: [time, features]",
                       x.rank() == 2
                           ? sequence_hint(context.input(),
                                           "tokens become features in Embedding(vocabulary, "
                                           "width); numbers by Reshape({Any, 1})")
                           : "join axes with Reshape({time, features})");
  if (x[-1] == Any)
    context.fail_shape("the last axis is not known yet; expected a number of features",
                       "give it to Input(), or build() the model");
  return x[-1];
}

Symbol mask_input(const LayerContext& context, size_t index) {
  if (context.inputs().size() <= index) return {};
  const Symbol& mask = context.inputs()[index];
  if (mask.dtype() != DType::f32)
    context.fail_type(std::string("a mask of ") + dtype_name(mask.dtype()) + "; expected f32",
                      "1 for the steps that count, 0 for padding: Input({length})");
  const Shape& x = context.input().shape();
  const Shape expected{x[0], x[1]};
  const bool fits = mask.shape().rank() == 2 && mask.shape()[0] == x[0] &&
                    (mask.shape()[1] == x[1] || mask.shape()[1] == Any || x[1] == Any);
  if (!fits)
    context.fail_shape(
        "a mask of " + mask.shape().str() + "; expected " + expected.str() + ", one number a step",
        "1 for the steps that count, 0 for padding");
  return mask;
}

}  // namespace goneuron
