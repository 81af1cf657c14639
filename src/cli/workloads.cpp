#include "cli/workloads.h"

#include "core/rng.h"
#include "goneuron/goneuron.h"

namespace goneuron::cli {
namespace {

Tensor random_values(const Shape& shape, std::uint32_t stream) {
  Tensor values(shape);
  PhiloxStream random(1, stream);
  for (i64 i = 0; i < values.size(); ++i) values.data()[i] = to_unit(random.next());
  return values;
}

Tensor random_labels(const Shape& shape, std::uint32_t classes, std::uint32_t stream = 99) {
  Tensor labels(shape, DType::i32);
  PhiloxStream random(1, stream);
  for (i64 i = 0; i < labels.size(); ++i)
    labels.data<std::int32_t>()[i] = static_cast<std::int32_t>(random.below(classes));
  return labels;
}

Model compiled(const std::vector<Layer>& layers, const Shape& input, const Loss& loss,
               const CompileOptions& options) {
  auto model = Sequential(layers);
  model.build(input);
  model.compile(Adam(0.001), loss, {}, options);
  return model;
}

Model cnn(const CompileOptions& options) {
  return compiled({Conv2D(32, 3, {.padding = 1, .activation = ReLU}), MaxPool2D(2), Flatten(),
                   Dense(10, Softmax)},
                  {28, 28, 1}, CrossEntropy, options);
}
Model mlp(const CompileOptions& options) {
  return compiled({Dense(512, ReLU), Dense(256, ReLU), Dense(10, Softmax)}, {784}, CrossEntropy,
                  options);
}
/// Two convolutions around a short cut, which is a convolution of single pixels where sizes change
/// (He et al. 2016).
Symbol residual(Symbol x, i64 filters, i64 stride = 1) {
  const Symbol y = x | Conv2D(filters, 3, {.stride = stride, .padding = 1, .bias = false}) |
                   BatchNorm() | ReLU | Conv2D(filters, 3, {.padding = 1, .bias = false}) |
                   BatchNorm();
  if (stride != 1 || x.shape()[-1] != filters)
    x = x | Conv2D(filters, 1, {.stride = stride, .bias = false}) | BatchNorm();
  return (x + y) | ReLU;
}
Model resnet(const CompileOptions& options) {
  const Symbol x = Input({32, 32, 3});
  Symbol y = x | Conv2D(64, 3, {.padding = 1, .bias = false}) | BatchNorm() | ReLU;
  for (const i64 filters : {64, 64, 128, 128})
    y = residual(y, filters, y.shape()[-1] == filters ? 1 : 2);
  Model model(x, mean(y, {1, 2}) | Dense(10, Softmax));
  model.compile(Adam(0.001), CrossEntropy, {}, options);
  return model;
}
Model lstm(const CompileOptions& options) {
  return compiled({LSTM(128), Dense(10, Softmax)}, {28, 28}, CrossEntropy, options);
}
Model gru(const CompileOptions& options) {
  return compiled({GRU(128), Dense(10, Softmax)}, {28, 28}, CrossEntropy, options);
}
/// Four blocks of width 256 on 128 tokens, each predicting the next.
Model transformer(const CompileOptions& options, Layer (*feed_forward)()) {
  std::vector<Layer> layers = {Embedding(256, 256), PositionEmbedding(128)};
  for (int i = 0; i < 4; ++i)
    layers.push_back(
        TransformerBlock(8, 1024, {.feed_forward_layer = feed_forward(), .causal = true}));
  layers.push_back(LayerNorm());
  layers.push_back(Dense(256, {.activation = Softmax, .bias = false}));
  auto model = Sequential(layers);
  model.build({128});
  model.compile(AdamW(0.001), CrossEntropy, {}, options);
  return model;
}
Model gpt(const CompileOptions& options) {
  return transformer(options, [] { return Layer(); });
}
/// gpt with eight experts of gpt's size (GELU, 1024 units) in each block, two for a token: the
/// feed-forward nets cost twice as much.
Model moe(const CompileOptions& options) {
  return transformer(options, [] { return ExpertFeedForward(1024, 8, 2); });
}
Model xor_gate(const CompileOptions& options) {
  return compiled({Dense(4, Tanh), Dense(1, Sigmoid)}, {2}, BinaryCrossEntropy, options);
}

/// A multiply-add is two operations, done forward, for the weight's gradient and for the input's;
/// the first layer needs no gradient of its input.
double train_flops(double first, double rest) { return 2 * (2 * first + 3 * rest); }

constexpr double conv_macs = 28 * 28 * 32 * 9, head_macs = 6272 * 10;
// 3 x 3: the stem, four of 64 channels, one to 128 channels at half the size, three of those, and
// the short cut of single pixels.
constexpr double stem_macs = 32 * 32 * 64 * 27, block64_macs = 4.0 * 32 * 32 * 64 * 64 * 9,
                 block128_macs = 16.0 * 16 * 128 * (64 * 9 + 64 + 3 * 128 * 9) + 128 * 10;
// A sample of 128 tokens: products of width 256, and of each query with the keys before it.
constexpr double gpt_macs = 128 * (4 * 12 * 256 * 256 + 256 * 256) + 4 * 128 * 129 / 2 * 2 * 256;
// The feed-forward products once more, and the router.
constexpr double moe_macs = gpt_macs + 128 * 4 * (8 * 256 * 256 + 256 * 8);
constexpr double dense1_macs = 784 * 512, dense23_macs = 512 * 256 + 256 * 10;
// 28 steps of 28 numbers, for each gate.
constexpr double gate_macs = 28 * 28 * 128, recurrent_macs = 28 * 128 * 128, last_macs = 128 * 10;

Sample sequences(i64 n) { return {random_values({n, 28, 28}, 4), random_labels({n}, 10)}; }

}  // namespace

const std::vector<Workload>& workloads() {
  static const std::vector<Workload> all = {
      {"cnn", 32, cnn,
       [](i64 n) {
         return Sample{random_values({n, 28, 28, 1}, 1), random_labels({n}, 10)};
       },
       train_flops(conv_macs, head_macs), 2 * (conv_macs + head_macs)},
      {"mlp", 128, mlp,
       [](i64 n) {
         return Sample{random_values({n, 784}, 2), random_labels({n}, 10)};
       },
       train_flops(dense1_macs, dense23_macs), 2 * (dense1_macs + dense23_macs)},
      {"resnet", 64, resnet,
       [](i64 n) {
         return Sample{random_values({n, 32, 32, 3}, 3), random_labels({n}, 10)};
       },
       train_flops(stem_macs, block64_macs + block128_macs),
       2 * (stem_macs + block64_macs + block128_macs)},
      {"gpt", 16, gpt,
       [](i64 n) {
         return Sample{random_labels({n, 128}, 256, 3), random_labels({n, 128}, 256)};
       },
       train_flops(0, gpt_macs), 2 * gpt_macs},
      {"moe", 16, moe,
       [](i64 n) {
         return Sample{random_labels({n, 128}, 256, 3), random_labels({n, 128}, 256)};
       },
       train_flops(0, moe_macs), 2 * moe_macs},
      {"xor", 4, xor_gate,
       [](i64 n) {
         const Tensor x{{0, 0}, {0, 1}, {1, 0}, {1, 1}}, y{{0}, {1}, {1}, {0}};
         return Sample{x.slice(0, n), y.slice(0, n)};
       },
       train_flops(8, 4), 2 * (8 + 4)},
      {"lstm", 64, lstm, sequences, train_flops(4 * gate_macs, 4 * recurrent_macs + last_macs),
       2 * (4 * (gate_macs + recurrent_macs) + last_macs)},
      {"gru", 64, gru, sequences, train_flops(3 * gate_macs, 3 * recurrent_macs + last_macs),
       2 * (3 * (gate_macs + recurrent_macs) + last_macs)},
  };
  return all;
}

}  // namespace goneuron::cli
