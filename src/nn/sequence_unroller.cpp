// SequenceUnroller: a recurrent layer over sequences of a fixed length; every output or the last.
#include "core/message.h"
#include "nn/options.h"
#include "nn/recurrent.h"

namespace goneuron {

namespace {

/// While one lives, a recurrent layer returns what is wanted here.
class Returning {
 public:
  Returning(LayerImpl& layer, bool sequences)
      : recurrent_(*layer.build.target<Recurrent>()), before_(recurrent_.options.return_sequences) {
    recurrent_.options.return_sequences = sequences;
  }
  ~Returning() { recurrent_.options.return_sequences = before_; }
  Returning(const Returning&) = delete;
  Returning& operator=(const Returning&) = delete;

 private:
  Recurrent& recurrent_;
  bool before_;
};

Symbol build(LayerContext& context, const Layer& layer, i64 length, bool sequences) {
  const Shape& shape = context.input().shape();
  if (shape.rank() == 3 && shape[1] != length)
    context.fail_shape(
        (shape[1] == Any ? std::string("sequences of a length not known yet")
                         : "sequences of " + counted(shape[1], "step")) +
            "; expected " + std::to_string(length) + ", which this layer was made for",
        "pass the length of the data, or leave SequenceUnroller out: " + layer.impl()->kind +
            " takes any length");
  const Returning returning(*layer.impl(), sequences);
  const Symbol output = layer(context.inputs(), layer.impl()->site);
  if (output.expr()->call)
    for (const Symbol node : output.expr()->call->results) context.result(node);
  return output;
}

}  // namespace

Layer SequenceUnroller(const Layer& layer, i64 length, bool return_sequences, Site site) {
  const bool recurrent = layer.impl() && layer.impl()->build.target<Recurrent>() != nullptr;
  require(recurrent, "SequenceUnroller", site,
          (layer.impl() ? layer.impl()->describe() : std::string("an empty Layer")) +
              " is not recurrent; expected an LSTM or a GRU",
          "for a layer that is the same at every step, call it on the sequence");
  check_count(length, "steps", "SequenceUnroller", site);
  return make_layer(
      {.kind = "SequenceUnroller",
       .prefix = "sequence_unroller",
       .site = site,
       .max_inputs = layer.impl()->max_inputs,
       .build = [=](LayerContext& c) { return build(c, layer, length, return_sequences); }});
}

}  // namespace goneuron
