// Small training runs of five kinds of models that use all that a checkpoint must bring back:
// dropout, shuffled and randomly changed data, accumulation, a schedule, averages, a validation
// set. Used by the tests of checkpoints.
#pragma once

#include <goneuron/goneuron.h>

#include <cstring>
#include <map>
#include <string>

namespace goneuron::runs {

inline Tensor noise(const Shape& shape, std::uint32_t state) {
  Tensor t(shape);
  for (i64 i = 0; i < t.size(); ++i) {
    state = state * 1664525U + 1013904223U;
    t.data()[i] = static_cast<float>(state >> 8) * 0x1p-23F - 1;
  }
  return t;
}

inline Tensor integers(const Shape& shape, std::uint32_t state, std::uint32_t below) {
  Tensor t(shape, DType::i32);
  for (i64 i = 0; i < t.size(); ++i) {
    state = state * 1664525U + 1013904223U;
    t.data<std::int32_t>()[i] = static_cast<std::int32_t>((state >> 8) % below);
  }
  return t;
}

struct Run {
  Model model;
  Dataset data, validation;
  FitOptions options;
};

inline Dataset part(const Dataset& data, i64 count) { return data.take(count); }

inline Run mlp() {
  Run run{Sequential({Dense(24, GELU), Dropout(0.3), BatchNorm(), Dense(4, Softmax)})};
  run.model.compile(Adam(0.01), CrossEntropy, {Accuracy}, {.seed = 3, .ema = 0.9});
  run.data = Dataset(noise({90, 12}, 1), integers({90}, 2, 4));
  return run;
}

inline Run cnn() {
  Run run{Sequential({Conv2D(8, 3, {.padding = Same, .activation = ReLU}), MaxPool2D(2),
                      Dropout(0.2), Flatten(), Dense(4, Softmax)})};
  run.model.compile(SGD(0.05, {.momentum = 0.9, .nesterov = true}), CrossEntropy, {Accuracy},
                    {.seed = 3});
  run.data = Dataset(noise({90, 8, 8, 2}, 1), integers({90}, 2, 4));
  return run;
}

inline Run lstm() {
  Run run{Sequential({LSTM(10, {.return_sequences = true}), Dropout(0.2), LSTM(8), Dense(1)})};
  run.model.compile(AdamW(CosineDecay(0.01, 40)), MSE, {MeanAbsoluteError}, {.seed = 3});
  run.data = Dataset(noise({90, 6, 3}, 1), noise({90, 1}, 2));
  return run;
}

inline Run gpt() {
  Run run{Sequential(
      {Embedding(11, 16),
       TransformerBlock(
           2, 32,
           {.norm = RMSNorm, .feed_forward = SwiGLU, .causal = true, .rope = true, .dropout = 0.1}),
       RMSNorm(), Dense(11, Softmax)})};
  run.model.compile(AdamW(WarmupCosine(0.01, 10, 60), {.global_clip_norm = 1}), CrossEntropy, {},
                    {.seed = 3});
  run.data = Dataset(integers({90, 8}, 1, 11), integers({90, 8}, 2, 11));
  return run;
}

inline Run moe() {
  Run run{Sequential(
      {Dense(12, ReLU), MoE(16, 4, 2, {.z_loss = 0.001}), Dropout(0.1), Dense(4, Softmax)})};
  run.model.compile(Adam(ExponentialDecay(0.01, 0.9, {.decay_steps = 10})), CrossEntropy,
                    {Accuracy}, {.seed = 3});
  run.data = Dataset(noise({90, 12}, 1), integers({90}, 2, 4));
  return run;
}

/// By its name, with everything else that a run has: 3 epochs of 12 batches, the last one smaller.
inline Run run_named(const std::string& name) {
  const std::map<std::string, Run (*)()> all{
      {"mlp", mlp}, {"cnn", cnn}, {"lstm", lstm}, {"gpt", gpt}, {"moe", moe}};
  Run run = all.at(name)();
  run.validation = run.data.take(20);
  if (name == "cnn")
    run.data = data::augment(run.data, {.flip_horizontal = true, .shift = 0.2, .noise = 0.1});
  else if (run.data.x_dtype() == DType::f32)
    run.data = run.data.map([](const Sample& s, const SampleContext& context) {
      SampleRandom random = context.random();
      Sample out{s.x.clone(), s.y};
      for (i64 i = 0; i < out.x.size(); ++i)
        out.x.data()[i] += static_cast<float>(random.uniform(-0.1, 0.1));
      return out;
    });
  run.options = {.epochs = 3,
                 .batch_size = 8,
                 .validation = run.validation,
                 .seed = 11,
                 .accumulate = name == "cnn" || name == "moe" ? 1 : 3};
  return run;
}
inline constexpr int steps_an_epoch = 12, epochs = 3;

/// All weights and states, and the history, as bytes.
inline std::string bytes_of(const Model& model, const History& history) {
  std::string all;
  for (const Weight& weight : model.weights()) {
    const Tensor value = weight.value;
    all.append(static_cast<const char*>(value.raw()), static_cast<size_t>(value.bytes()));
  }
  for (const Logs& logs : history.epochs)
    all.append(reinterpret_cast<const char*>(logs.values.data()),
               logs.values.size() * sizeof(double));
  return all;
}

}  // namespace goneuron::runs
