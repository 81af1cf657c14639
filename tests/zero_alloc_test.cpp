// A trap on malloc over whole epochs: from the end of the first one to the end of training nothing
// may be allocated, with shuffling, a partial last batch, validation, metrics and the logger.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <functional>

#include "cli/malloc_count.h"
#include "data/dataset.h"
#include "goneuron/goneuron.h"

namespace goneuron {
namespace {

using cli::allocation_calls;

Tensor values(const Shape& shape) {
  Tensor t(shape);
  for (i64 i = 0; i < t.size(); ++i) t.data()[i] = static_cast<float>((i * 37 + 11) % 101) / 101;
  return t;
}
Tensor labels(i64 count, i64 classes) {
  Tensor t(Shape{count}, DType::i32);
  for (i64 i = 0; i < count; ++i)
    t.data<std::int32_t>()[i] = static_cast<std::int32_t>(i % classes);
  return t;
}

/// Notes the count at the end of the first epoch; its own hooks run last, so that the logger's
/// count too.
class Trap : public CallbackBase {
 public:
  void on_epoch_end(TrainingState& state) override {
    if (state.epoch == 0) from_ = allocation_calls();
    if (state.epoch + 1 == state.epochs) to_ = allocation_calls();
  }
  i64 calls() const { return to_ - from_; }

 private:
  i64 from_ = 0, to_ = -1;
};

struct Program {
  const char* name;
  std::function<Model()> model;
  std::function<Dataset()> data, validation;
  i64 batch;
  i64 accumulate = 1;
};
void PrintTo(const Program& program, std::ostream* out) { *out << program.name; }

Model compiled(const std::vector<Layer>& layers, const Loss& loss, const Metric& metric) {
  auto model = Sequential(layers);
  model.compile(Adam(0.001), loss, {metric});
  return model;
}
Dataset samples(const Shape& shape, i64 classes) {
  return {values(shape), labels(shape[0], classes)};
}

/// Samples that are read in blocks of 16.
class Ramp : public Source {
 public:
  explicit Ramp(i64 size) : size_(size) {}
  i64 size() const override { return size_; }
  i64 block() const override { return 16; }
  void read(const i64* rows, i64 count, void* const* memory) const override {
    for (i64 i = 0; i < count; ++i)
      static_cast<float*>(memory[0])[i] = static_cast<float*>(memory[1])[i] =
          static_cast<float>(rows[i]) / static_cast<float>(size_);
  }

 private:
  i64 size_;
};
Dataset ramp(i64 size) {
  auto impl = std::make_shared<DatasetImpl>();
  impl->x.push_back({"", {}, Shape{1}, DType::f32});
  impl->y.push_back({"", {}, Shape{1}, DType::f32});
  impl->source = std::make_shared<Ramp>(size);
  return Dataset(share(std::move(impl))).shuffle(1, 40);
}

const Program programs[] = {
    {"xor",
     [] {
       return compiled({Dense(4, Tanh), Dense(1, Sigmoid)}, BinaryCrossEntropy, Accuracy);
     },
     [] {
       return Dataset(values({50, 2}), values({50, 1}));
     },
     [] {
       return Dataset(values({9, 2}), values({9, 1}));
     },
     4},
    {"mlp",
     [] {
       return compiled({Dense(512, ReLU), Dense(256, ReLU), Dense(10, Softmax)}, CrossEntropy,
                       Accuracy);
     },
     [] {
       return samples({300, 784}, 10);
     },
     [] {
       return samples({130, 784}, 10);
     },
     128},
    {"cnn",
     [] {
       return compiled({Conv2D(32, 3, {.padding = Same, .activation = ReLU}), MaxPool2D(2),
                        Flatten(), Dense(10, Softmax)},
                       CrossEntropy, Accuracy);
     },
     [] {
       return samples({100, 28, 28, 1}, 10);
     },
     [] {
       return samples({40, 28, 28, 1}, 10);
     },
     32},
    {"demo",
     [] {
       return compiled({Conv2D(32, 3, {.padding = Same, .activation = ReLU}), MaxPool2D(2),
                        Flatten(), Dense(10, Softmax)},
                       CrossEntropy, Accuracy);
     },
     [] { return data::fashion_mnist().train.take(1000); },
     [] { return data::fashion_mnist().test.take(333); }, 32},
    {"metrics that add up",
     [] {
       auto model = Sequential({Dense(16, ReLU), Dense(10, Softmax)});
       model.compile(
           Adam(0.001), CrossEntropy,
           {Accuracy, F1Score({.average = PerClass}), AUC, AUC({.curve = PR, .name = "pr"}),
            ConfusionMatrix, Perplexity, SparseTopKCategoricalAccuracy({.k = 3})});
       return model;
     },
     [] {
       return samples({70, 12}, 10);
     },
     [] {
       return samples({20, 12}, 10);
     },
     16},
    {"mixtures of experts",
     [] {
       return compiled({ExpertFeedForward(24, 4, 2), MoE(12, 8, 2, {.z_loss = 0.001}), Flatten(),
                        Dense(10, Softmax)},
                       CrossEntropy, Accuracy);
     },
     [] {
       return samples({70, 12, 16}, 10);
     },
     [] {
       return samples({20, 12, 16}, 10);
     },
     16},
    {"two inputs and two outputs, masked targets and added losses",
     [] {
       const Symbol a = Input({6}, {.name = "a"}), b = Input({5}, {.name = "b"});
       const Symbol h = Layer("penalty", [](Symbol x) {
         add_loss(mean(square(x)), "penalty", 0.1);
         add_metric("size", mean(abs(x)));
         return x;
       })(Concat()({a, b}) | Dense(8, Tanh));
       auto model = Model({a, b}, {Dense(2, {.name = "y"})(h), h | Dense(4, Softmax)});
       model.compile(Adam(0.001), {MSE, {CrossEntropy({.ignore_index = 1}), 0.5}},
                     {{"y", {MeanAbsoluteError}}, {"dense_1", {Accuracy({.ignore_index = 1})}}});
       return model;
     },
     [] {
       return Dataset({values({50, 6}), values({50, 5})}, {values({50, 2}), labels(50, 4)});
     },
     [] {
       return Dataset({{"b", values({9, 5})}, {"a", values({9, 6})}},
                      {values({9, 2}), labels(9, 4)});
     },
     16},
    {"sequences in buckets",
     [] {
       const Symbol x = Input({Any, 4}), mask = Input({Any});
       auto model = Model({x, mask}, sum(sum(Dense(1)(x), {2}) * mask, {1}) / sum(mask, {1}));
       model.compile(Adam(0.001), MSE, {MeanAbsoluteError});
       return model;
     },
     [] {
       std::vector<Tensor> all;
       for (i64 i = 0; i < 50; ++i) all.push_back(values({1 + i % 17, 4}));
       return data::buckets(all, values({50}));
     },
     [] {
       std::vector<Tensor> all;
       for (i64 i = 0; i < 9; ++i) all.push_back(values({1 + i % 17, 4}));
       return data::buckets(all, values({9}));
     },
     8},
    {"windows of a series",
     [] {
       return compiled({LSTM(8), Dense(2)}, MSE, MeanAbsoluteError);
     },
     [] {
       return data::windows(values({90, 2}), {.length = 8});
     },
     [] {
       return data::windows(values({40, 2}), {.length = 8});
     },
     16},
    {"chosen samples",
     [] {
       return compiled({Dense(8, ReLU), Dense(3, Softmax)}, CrossEntropy, Accuracy);
     },
     [] {
       return samples({70, 5}, 3).balanced().shard(0, 2);
     },
     [] {
       return samples({70, 5}, 3).k_fold(3, 0).test;
     },
     16},
    {"samples read in blocks",
     [] {
       return compiled({Dense(8, ReLU), Dense(1)}, MSE, MeanAbsoluteError);
     },
     [] { return ramp(300); }, [] { return ramp(70); }, 16},
    {"convolutions, norms and dropout",
     [] {
       return compiled({Conv2D(8, 3), BatchNorm(), ReLU, MaxPool2D(2), Conv2D(16, 3), BatchNorm(),
                        ReLU, Dropout(0.3), GlobalAvgPool2D(), Dense(3)},
                       MSE, MeanAbsoluteError);
     },
     [] {
       return Dataset(values({70, 12, 12, 3}), values({70, 3}));
     },
     [] {
       return Dataset(values({20, 12, 12, 3}), values({20, 3}));
     },
     16},
    {"schedule, clipping, groups, averages, accumulation",
     [] {
       auto model = Sequential({Dense(64), BatchNorm(), ReLU, Dropout(0.1), Dense(3)});
       model.compile(AdamW(WarmupCosine(0.01, 3, 40),
                           {.decay_norms_and_biases = false,
                            .global_clip_norm = 0.5,
                            .groups = {{"dense_1/*", {.learning_rate_scale = 0.5}}}}),
                     MSE, {}, {.ema = 0.99});
       return model;
     },
     [] {
       return Dataset(values({70, 12}), values({70, 3}));
     },
     [] {
       return Dataset(values({20, 12}), values({20, 3}));
     },
     16, 2},
    {"recurrent",
     [] {
       return compiled({LSTM(24, {.return_sequences = true, .layers = 2, .dropout = 0.1}),
                        GRU(16, {.bidirectional = Bidirectional::sum}), Dense(3, Softmax)},
                       CrossEntropy, Accuracy);
     },
     [] {
       return samples({70, 9, 5}, 3);
     },
     [] {
       return samples({20, 9, 5}, 3);
     },
     32},
    {"gpt",
     [] {
       return compiled({Embedding(11, 32), PositionEmbedding(24),
                        TransformerBlock(4, 64, {.causal = true, .dropout = 0.1}),
                        TransformerBlock(4, 48,
                                         {.norm = RMSNorm,
                                          .feed_forward = SwiGLU,
                                          .causal = true,
                                          .window = 9,
                                          .kv_heads = 2,
                                          .rope = true}),
                        LayerNorm(), Dense(11, Softmax)},
                       CrossEntropy, Accuracy);
     },
     [] {
       return Dataset(labels(70 * 24, 11).reshape({70, 24}), labels(70 * 24, 7).reshape({70, 24}));
     },
     [] {
       return Dataset(labels(20 * 24, 11).reshape({20, 24}), labels(20 * 24, 7).reshape({20, 24}));
     },
     16}};

class ZeroAlloc : public testing::TestWithParam<Program> {
 protected:
  /// Calls of malloc from the end of the first of three epochs to the end of the last.
  static i64 calls(const Program& program, bool prefetch) {
    auto model = program.model();
    const auto trap = std::make_shared<Trap>();
    model.fit(program.data().prefetch(prefetch), {.epochs = 3,
                                                  .batch_size = program.batch,
                                                  .validation = program.validation(),
                                                  .accumulate = program.accumulate,
                                                  .callbacks = {Logger(1), trap}});
    return trap->calls();
  }
};

TEST_P(ZeroAlloc, AfterTheFirstEpoch) {
  for (const int workers : {1, 2}) {
    set_threads(workers);
    EXPECT_EQ(calls(GetParam(), false), 0) << workers << " workers";
    EXPECT_EQ(calls(GetParam(), true), 0) << workers << " workers, prefetching";
  }
}
INSTANTIATE_TEST_SUITE_P(Programs, ZeroAlloc, testing::ValuesIn(programs),
                         [](const auto& info) { return "Program" + std::to_string(info.index); });

// What this test would be worth if the trap caught nothing.
TEST(Trap, CatchesOneAllocation) {
  const i64 before = allocation_calls();
  void* volatile memory = std::malloc(10);
  std::free(memory);
  EXPECT_EQ(allocation_calls() - before, 1);
}

}  // namespace
}  // namespace goneuron
