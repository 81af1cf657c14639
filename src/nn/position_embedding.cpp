// PositionEmbedding: a learned vector for each step, added to the sequence.
#include "goneuron/sequence.h"
#include "nn/options.h"
#include "nn/sequence.h"

namespace goneuron {

namespace {
Symbol build(LayerContext& context, i64 max_length, const PositionEmbeddingOptions& options) {
  const i64 width = check_sequence(context);
  const Symbol& x = context.input();
  const i64 time = x.shape()[1];
  if (time != Any && time > max_length)
    context.fail_shape("a sequence of " + std::to_string(time) + " steps; expected at most " +
                           std::to_string(max_length) + ", which this layer was made for",
                       "cut the sequences, or give PositionEmbedding a larger max_length");
  const Symbol table =
      context.parameter("weight", {max_length, width}, options.weight_init, max_length, width);
  const Symbol rows = make("slice_like", {table, x}, {{"axis", i64{0}}, {"like_axis", i64{1}}});
  return make("add", {x, rows});
}
}  // namespace

Layer PositionEmbedding(i64 max_length, const PositionEmbeddingOptions& options, Site site) {
  check_count(max_length, "steps", "PositionEmbedding", site);
  check_initializer(options.weight_init, "weight_init", "PositionEmbedding", site);
  return make_layer(
      {.kind = "PositionEmbedding",
       .prefix = "position_embedding",
       .name = options.name,
       .site = site,
       .build = [=](LayerContext& context) { return build(context, max_length, options); }});
}

}  // namespace goneuron
