// Embedding: rows of a learned table, by token.
#include "goneuron/sequence.h"
#include "nn/options.h"

namespace goneuron {

namespace {
Symbol build(LayerContext& context, i64 vocabulary, i64 width, const EmbeddingOptions& options) {
  const Symbol& tokens = context.input();
  if (tokens.dtype() != DType::i32)
    context.fail_type(std::string("tokens of ") + dtype_name(tokens.dtype()) + "; expected i32",
                      "declare them: Input({length}, DType::i32)");
  if (tokens.shape().rank() >= Shape::max_rank)
    context.fail_shape("tokens of " + std::to_string(tokens.shape().rank()) +
                           " axes; expected at most " + std::to_string(Shape::max_rank - 1),
                       "join some of the axes");
  const Symbol table =
      context.parameter("weight", {vocabulary, width}, options.weight_init, vocabulary, width);
  const Symbol known = make("check_indices", {tokens}, {{"below", vocabulary}});
  return make("gather_rows", {table, known});
}
}  // namespace

Layer Embedding(i64 vocabulary, i64 width, const EmbeddingOptions& options, Site site) {
  check_count(vocabulary, "tokens in the vocabulary", "Embedding", site);
  check_count(width, "features", "Embedding", site);
  require(vocabulary <= i64{1} << 31, "Embedding", site,
          "a vocabulary of " + std::to_string(vocabulary) + "; expected at most 2147483648",
          "tokens are i32");
  check_initializer(options.weight_init, "weight_init", "Embedding", site);
  return make_layer(
      {.kind = "Embedding",
       .prefix = "embedding",
       .name = options.name,
       .site = site,
       .input_dtype = DType::i32,
       .build = [=](LayerContext& context) { return build(context, vocabulary, width, options); }});
}

}  // namespace goneuron
