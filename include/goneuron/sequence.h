// Layers for sequences, [time, features], and for their tokens, [time] of i32: embeddings,
// positions, and what makes one vector of a sequence. Shapes leave out the batch.
//
// Masks, here and in every layer that takes one: a second input [time] of floats, 1 for the steps
// that count and 0 for padding: GlobalAveragePooling1D()({x, mask}).
#pragma once

#include "goneuron/initializer.h"
#include "goneuron/layer.h"

namespace goneuron {

struct EmbeddingOptions {
  Initializer weight_init = RandomNormal(0, 1);  ///< PyTorch's
  const char* name = "";
};
/// i32 tokens [..] -> [.., width]: row `token` of a learned table "weight" [vocabulary, width].
/// First in a Sequential it makes the model's input i32; elsewhere: Input({length}, DType::i32). A
/// token outside [0, vocabulary) makes fit(), evaluate() and predict() throw DataError with the
/// row, the position and the token, and changes nothing.
Layer Embedding(i64 vocabulary, i64 width, const EmbeddingOptions& options = {},
                Site site = Site::here());

struct PositionEmbeddingOptions {
  Initializer weight_init = RandomNormal(0, 1);  ///< PyTorch's for any table of vectors
  const char* name = "";
};
/// [time, c] -> [time, c]: adds row i of a learned table "weight" [max_length, c] to step i. Throws
/// ShapeError for a sequence longer than `max_length`.
Layer PositionEmbedding(i64 max_length, const PositionEmbeddingOptions& options = {},
                        Site site = Site::here());
/// [time, c] -> [time, c]: adds sin(i / 10000^(2k/c)) to feature 2k of step i, and the cosine to
/// feature 2k + 1 (Vaswani et al. 2017, section 3.5). Nothing is learned; any length will do.
Layer SinusoidalPositions(Site site = Site::here());

/// [time, c] -> [c]: the mean over the steps, with a mask over those that count; zeros where none
/// does.
Layer GlobalAveragePooling1D(Site site = Site::here());
/// [time, c] -> [c]: the first step, where encoders such as BERT keep what they know of the whole.
Layer CLSPooling(Site site = Site::here());

struct GlobalAttentionOptions {
  i64 units = Any;  ///< width of the hidden layer; Any: as many as features
  Initializer weight_init = TorchDefault;
  Initializer bias_init = TorchDefault;
  Initializer query_init = TorchDefault;
  const char* name = "";
};
/// [time, c] -> [c]: the steps' weighted sum, with the weights softmax over time of
/// tanh(x W + b) q, for learned W [c, units], b [units] and q [units, 1]: additive attention with a
/// learned query (Bahdanau et al. 2015; Yang et al. 2016, section 2.2). With a mask, steps that do
/// not count weigh 0; zeros where none does.
Layer GlobalAttention(const GlobalAttentionOptions& options = {}, Site site = Site::here());

/// [time, ..] -> [time, ..]: the layer on each step by itself, with the same weights for all.
Layer TimeDistributed(const Layer& layer, Site site = Site::here());

}  // namespace goneuron
