// Whole training runs against PyTorch through the public API: ten losses and the weights after
// them, from given initial weights, on one thread and on two. Data and weights come from the hash
// in golden.h.
#include "golden.h"
#include "golden_optimizer.h"
#include "goneuron/goneuron.h"
#include "train/model_impl.h"
#include "winograd_steps.h"

namespace goneuron::golden {
namespace {

Model cnn() {
  return Sequential(
      {Conv2D(1, 32, 3, 1, 1, ReLU), MaxPool2D(32, 2, 2, 0), Flatten(), Dense(6272, 10, Softmax)});
}

Model mlp() { return Sequential({Dense(512, ReLU), Dense(256, ReLU), Dense(10, Softmax)}); }

/// Batch norms, a sum, an average pool, a concatenation.
Model residual() {
  const Symbol x = Input({8, 8, 3});
  const Symbol a = x | Conv2D(8, 3, {.padding = Same, .bias = false}) | BatchNorm() | ELU;
  const Symbol b = a | Conv2D(8, 3, {.padding = 1, .bias = false}) | BatchNorm();
  const Symbol y = Activate(SiLU)(a + b);
  return Model(x,
               Concat()({y | AvgPool2D(4) | Flatten(), y | GlobalAvgPool2D()}) | Dense(5, Softmax));
}

Symbol block(Symbol x, i64 filters, i64 stride) {
  const Symbol y = x | Conv2D(filters, 3, {.stride = stride, .padding = 1, .bias = false}) |
                   BatchNorm() | ReLU | Conv2D(filters, 3, {.padding = 1, .bias = false}) |
                   BatchNorm();
  if (stride > 1 || x.shape()[-1] != filters)
    x = x | Conv2D(filters, 1, {.stride = stride, .bias = false}) | BatchNorm();
  return (x + y) | ReLU;
}
Model resnet(const Shape& image, i64 filters, i64 stride) {
  const Symbol x = Input(image);
  const Symbol y = x | Conv2D(filters, 3, {.padding = 1, .bias = false}) | BatchNorm() | ReLU;
  return Model(x,
               mean(block(block(y, filters, 1), 2 * filters, stride), {1, 2}) | Dense(5, Softmax));
}

/// Two mixtures of experts with their losses.
Model moe() {
  const Symbol x = Input({8});
  const Symbol h =
      x | Dense(16, Tanh) | MoE(12, 6, 2, {.activation = GELU, .balance = 0.05, .z_loss = 0.01});
  const Symbol experts = h | ExpertFeedForward(20, 4, 2, {.activation = SwiGLU, .balance = 0.02});
  return Model(x, (h + experts) | Dense(5, Softmax));
}

/// A block as GPT-2's and one as Llama's.
Model gpt() {
  return Sequential({Embedding(13, 16), PositionEmbedding(12),
                     TransformerBlock(2, 32, {.causal = true}),
                     TransformerBlock(4, 24,
                                      {.norm = RMSNorm,
                                       .feed_forward = SwiGLU,
                                       .causal = true,
                                       .kv_heads = 2,
                                       .rope = true,
                                       .bias = false}),
                     LayerNorm(), Dense(11, {.activation = Softmax, .bias = false})});
}

Model model_named(const std::string& name) {
  if (name == "gpt") return gpt();
  if (name == "moe") return moe();
  if (name == "resnet") return resnet({8, 8, 3}, 8, 2);
  if (name == "resnet_winograd") return resnet({11, 13, 3}, 16, 1);
  if (name == "lstm") return Sequential({LSTM(28, 24), Dense(10, Softmax)});
  if (name == "gru") return Sequential({GRU(28, 24), Dense(10, Softmax)});
  return name == "cnn" ? cnn() : name == "mlp" ? mlp() : residual();
}

Optimizer optimizer_named(const std::string& name) {
  if (name == "gpt") return SGD(0.1, {.momentum = 0.9});
  if (name.rfind("resnet", 0) == 0) return SGD(0.05, {.momentum = 0.9, .weight_decay = 1e-4});
  return name == "residual" ? SGD(0.05, {.momentum = 0.9, .nesterov = true, .weight_decay = 0.01})
                            : Adam(0.001);
}

/// The trainable weights of the model in the fixture's order, the initial values put into them.
std::vector<Weight> start(Model& model, const Json& one) {
  std::vector<Weight> weights;
  for (const Weight& weight : model.weights())
    if (weight.trainable) weights.push_back(weight);
  const Json& want = one.at("weights");
  EXPECT_EQ(weights.size(), want.size());
  for (size_t i = 0; i < std::min(weights.size(), want.size()); ++i) {
    const Tensor first =
        uniform(one.at("first_weight").get<std::uint32_t>() + static_cast<std::uint32_t>(i),
                shape_of(want[i]), want[i].at("scale"), want[i].at("centre"));
    EXPECT_EQ(weights[i].value.shape(), first.shape()) << weights[i].name;
    std::copy_n(first.data(), std::min(first.size(), weights[i].value.size()),
                weights[i].value.data());
  }
  return weights;
}

/// Batch `k` of a case: pixels and a class for each sample, or tokens and a class for each token.
Sample batch_of(const Json& one, std::uint32_t k) {
  const Shape sample(one.at("x_shape").get<std::vector<i64>>());
  const i64 batch = one.at("batch");
  const std::uint32_t below = one.at("classes");
  if (!one.contains("tokens"))
    return {pixels(1 + 2 * k, sample.with_batch(batch)), classes(2 + 2 * k, batch, below)};
  const Shape all = sample.with_batch(batch);
  return {classes(1 + 2 * k, all.elements(), one.at("tokens")).reshape(all),
          classes(2 + 2 * k, all.elements(), below).reshape(all)};
}

class GoldenTraining : public testing::TestWithParam<std::tuple<std::string, int>> {
 protected:
  void TearDown() override { set_threads(0); }
};

TEST_P(GoldenTraining, TenLosses) {
  const auto& [name, workers] = GetParam();
  const Json& one = case_named("training", name);
  set_threads(workers);
  Model model = model_named(name);
  const Shape sample(one.at("x_shape").get<std::vector<i64>>());
  model.build(sample);
  model.compile(optimizer_named(name), CrossEntropy);
  std::vector<Weight> weights = start(model, one);
  ASSERT_FALSE(HasFailure());

  const auto batches = one.at("batches").get<std::uint32_t>();
  const std::vector<double> want = one.at("losses");
  for (std::uint32_t step = 0; step < want.size(); ++step) {
    const Sample data = batch_of(one, step % batches);
    const double loss = model.train_on_batch(data.x, data.y)["loss"];
    EXPECT_NEAR(loss, want[step], 1e-5 * want[step]) << "step " << step;
  }
  // Four convolutions, their inputs' gradients and their weights'.
  EXPECT_EQ(winograd_steps(*model.impl()->trained_plan), name == "resnet_winograd" ? 12 : 0);
  for (size_t i = 0; i < weights.size(); ++i) {
    const Json& after = one.at("weights")[i];
    const float* values = weights[i].value.data();
    double squares = 0;
    for (i64 e = 0; e < weights[i].value.size(); ++e) squares += double{values[e]} * values[e];
    EXPECT_NEAR(squares, after.at("sum_of_squares"),
                1e-5 * after.at("sum_of_squares").get<double>())
        << weights[i].name;
    // Adam divides by the gradient's size, so a weight whose gradient is all rounding moves by that
    // rounding: PyTorch's own f32 run is up to 9e-6 away from its f64 run.
    for (size_t s = 0; s < after.at("samples").size(); ++s)
      EXPECT_NEAR(values[after.at("samples_at")[s].get<i64>()], after.at("samples")[s], 3e-5)
          << weights[i].name;
  }
}

INSTANTIATE_TEST_SUITE_P(PyTorch, GoldenTraining,
                         testing::Combine(testing::Values("cnn", "mlp", "residual", "resnet",
                                                          "resnet_winograd", "moe", "lstm", "gru",
                                                          "gpt"),
                                          testing::Values(1, 2)),
                         [](const auto& info) {
                           return std::get<0>(info.param) + "_" +
                                  std::to_string(std::get<1>(info.param)) + "_threads";
                         });

// Adam(0.001) and so on, given gradients: the loss is the mean of predictions, so x is the gradient
// of a Dense(1).
class GoldenStep : public testing::TestWithParam<std::string> {};

TEST_P(GoldenStep, FiveSteps) {
  const Json& one = case_named("optimizers", GetParam());
  const i64 n = shape_of(one.at("start"))[0];
  Model model = Sequential({Dense(1, {.bias = false})});
  model.build({n});
  model.compile(optimizer_of(one),
                Loss("prediction", [](Symbol, Symbol y_pred) { return sum(y_pred); }));
  model.layers().at(0).set_weights({tensor_of(one.at("start")).reshape({n, 1})});
  for (size_t i = 0; i < one.at("gradients").size(); ++i) {
    model.train_on_batch(tensor_of(one.at("gradients")[i]).reshape({1, n}), Tensor(Shape{1, 1}));
    const Tensor after = model.weights().at(0).value.reshape({n});
    expect_close(after, one.at("after")[i], 1e-5, "weights after step " + std::to_string(i + 1));
  }
}

INSTANTIATE_TEST_SUITE_P(PyTorch, GoldenStep, testing::ValuesIn(case_names("optimizers")),
                         [](const auto& info) { return info.param; });

}  // namespace
}  // namespace goneuron::golden
