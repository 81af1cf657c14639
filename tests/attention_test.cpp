// Attention as a layer: what it costs in memory, that dropout is for training only and the same for
// any number of workers, and that masks hide what they should.
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>

#include "backends/cpu/attention_loops.h"
#include "core/rng.h"
#include "train/model_impl.h"

namespace goneuron {
namespace {

Tensor values(const Shape& shape, std::uint32_t stream = 1) {
  Tensor tensor(shape);
  PhiloxStream random(1, stream);
  for (i64 i = 0; i < tensor.size(); ++i) tensor.data()[i] = 2 * to_unit(random.next()) - 1;
  return tensor;
}

/// The largest buffer of a training step, of any arena, is linear in the length: four times the
/// steps, at most 4.3 times the bytes.
TEST(LongAttention, NoBufferIsQuadraticInTheLength) {
  const auto bytes = [](i64 length) {
    auto model = Sequential({MultiHeadAttention(2, {.causal = true})});
    model.build({length, 32});
    model.compile(SGD(0.1), MSE);
    ExecutorLease lease(*model.impl(), Mode::train, 1, {Shape{1, length, 32}, DType::f32});
    const Plan& plan = lease->plan();
    return plan.activation_bytes + plan.gradient_bytes + plan.scratch_bytes;
  };
  const i64 small = bytes(1024), large = bytes(4096);
  EXPECT_LT(large, small * 43 / 10);
  EXPECT_LT(large, i64{4096} * 4096 * 4 / 4) << "a quarter of one score matrix";
}

/// Seconds of forward and backward of one head of 4096 positions; the best of a few runs.
double seconds(bool causal, i64 window) {
  cpu::AttentionLoops loops;
  AttentionSizes& s = loops.sizes;
  s.batch = s.heads = s.kv_heads = 1;
  s.queries = s.keys = 4096;
  s.dim = 64;
  s.causal = causal;
  s.window = window;
  s.scale = 0.125;
  const Tensor x = values({s.keys, s.q_row()}), dy = values({s.queries, s.out_row()}, 2);
  Tensor y(dy.shape()), lse(Shape{s.queries}), dx(x.shape());
  Tensor scratch(Shape{cpu::attention_scratch(s, true) / 4 + 16});
  StepScalars scalars;
  loops.q = loops.kv = x.data();
  loops.out = y.data();
  loops.lse = lse.data();
  loops.dout = dy.data();
  loops.dq = loops.dkv = dx.data();
  loops.scalars = &scalars;
  double best = 1e9;
  for (int run = 0; run < 5; ++run) {
    const auto start = std::chrono::steady_clock::now();
    cpu::attention_forward()(loops, 0, 0, scratch.data());
    cpu::attention_backward()(loops, 0, 0, scratch.data());
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    best = std::min(best, took.count());
  }
  return best;
}

/// Attention to the last 256 of 4096 positions against full attention.
TEST(LongAttention, AWindowCostsAtMostAnEighth) {
  const double full = seconds(false, 0), window = seconds(true, 256);
  std::printf("full %.1f ms, window %.1f ms: %.1f times\n", full * 1e3, window * 1e3,
              full / window);
  EXPECT_LE(window * 8, full);
}

TEST(MultiHeadAttention, DropoutIsForTrainingAlone) {
  const auto made = [](double dropout) {
    auto model = Sequential({MultiHeadAttention(2, {.dropout = dropout})});
    model.build({9, 8});
    model.compile(SGD(1e-30), MSE, {}, {.seed = 3});  // too small to change a weight
    return model;
  };
  auto with = made(0.5), without = made(0);
  const Tensor x = values({6, 9, 8}), y = values({6, 9, 8}, 2);
  EXPECT_TRUE(with.predict(x) == without.predict(x));
  const double loss = without.train_on_batch(x, y)["loss"];
  const double first = with.train_on_batch(x, y)["loss"],
               second = with.train_on_batch(x, y)["loss"];
  EXPECT_NE(first, loss);
  EXPECT_NE(first, second) << "two steps drop the same weights";
}

/// What stands behind the mask changes nothing, and a query without a key gets the bias alone.
TEST(MultiHeadAttention, MaskedKeysAreNotSeen) {
  const Symbol x = Input({5, 8}), mask = Input({5});
  const Layer attention = MultiHeadAttention(2);
  auto model = Model({x, mask}, {attention({x, mask})});
  Tensor seen(Shape{2, 5});
  for (const i64 j : {0, 1, 2}) seen.set({0, j}, 1);
  Tensor a = values({2, 5, 8}), b = a.clone();
  for (i64 k = 0; k < 8; ++k) b.set({0, 4, k}, 50);
  const Tensor first = model.predict({a, seen}), second = model.predict({b, seen});
  for (i64 i = 0; i < 4; ++i)
    for (i64 k = 0; k < 8; ++k) EXPECT_EQ(first.at({0, i, k}), second.at({0, i, k}));
  for (i64 i = 0; i < 5; ++i)
    for (i64 k = 0; k < 8; ++k) EXPECT_EQ(first.at({1, i, k}), 0);
}

/// Ragged batches, dropout, shared keys and cross-attention on any number of workers: the same
/// bits.
TEST(TransformerBlock, AnyNumberOfWorkersGivesTheSameBits) {
  const auto trained = [](int workers) {
    set_threads(workers);
    const Symbol all = Input({60}, DType::i32);
    const Symbol source = slice(all, 1, 0, 40), target = slice(all, 1, 40, 60);
    const Symbol memory = TransformerBlock(
        4, 32, {.kv_heads = 2, .dropout = 0.2})({source | Embedding(20, 16), source});
    const Symbol y = TransformerBlock(
        2, 32,
        {.causal = true, .window = 7, .rope = true, .dropout = 0.1, .cross_attention = true})(
        {target | Embedding(20, 16), memory, source});
    auto model = Model(all, y | Dense(20, Softmax));
    model.compile(AdamW(0.01), CrossEntropy, {}, {.seed = 1});
    Tensor tokens(Shape{50, 60}, DType::i32), labels(Shape{50, 20}, DType::i32);
    PhiloxStream random(1, 5);
    for (i64 i = 0; i < tokens.size(); ++i)
      tokens.data<std::int32_t>()[i] = static_cast<std::int32_t>(random.below(20));
    for (i64 i = 0; i < labels.size(); ++i)
      labels.data<std::int32_t>()[i] = static_cast<std::int32_t>(random.below(20));
    model.fit(tokens, labels, {.epochs = 2, .batch_size = 17, .seed = 3});
    std::string bits;
    for (const Weight& weight : model.weights())
      bits.append(static_cast<const char*>(weight.value.raw()),
                  static_cast<size_t>(weight.value.bytes()));
    set_threads(0);
    return bits;
  };
  const std::string expected = trained(1);
  for (const int workers : {2, 3, 5}) EXPECT_EQ(trained(workers) == expected, true) << workers;
}

}  // namespace
}  // namespace goneuron
