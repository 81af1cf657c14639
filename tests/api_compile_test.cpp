// The surface: every accepted spelling compiles, and the wrong ones do not. Most of it is checked
// by the compiler; what runs here is what needs no model.
#include <gtest/gtest.h>

#include "goneuron/goneuron.h"
#include "graph/layer_impl.h"

namespace goneuron {
namespace {

// ---- wrong forms: each concept holds for the right argument and for no wrong one ----

class Stopper : public CallbackBase {
  void on_epoch_end(TrainingState& state) override { state.stop = true; }
};

template <class... A>
concept DenseTakes = requires(A... a) {
  Dense(a...);
};
static_assert(DenseTakes<int> && DenseTakes<i64> && DenseTakes<int, int>);
static_assert(DenseTakes<int, Activation> && DenseTakes<int, int, Activation>);
static_assert(DenseTakes<int, DenseOptions>);
static_assert(!DenseTakes<> && !DenseTakes<const char*> && !DenseTakes<int, const char*>);
static_assert(!DenseTakes<int, Conv2DOptions> && !DenseTakes<int, int, int>);
static_assert(!DenseTakes<Activation, int> && !DenseTakes<int, int, DenseOptions>);

template <class... A>
concept ConvTakes = requires(A... a) {
  Conv2D(a...);
};
static_assert(ConvTakes<int, int> && ConvTakes<int, int, Activation>);
static_assert(ConvTakes<int, long long, Conv2DOptions> && ConvTakes<int, size_t, Conv2DOptions>);
static_assert(ConvTakes<int, Size2, Conv2DOptions> && ConvTakes<int, int, int, int, int>);
static_assert(ConvTakes<int, int, int, int, int, Activation>);
static_assert(!ConvTakes<int> && !ConvTakes<int, int, int> && !ConvTakes<int, int, int, int>);
static_assert(!ConvTakes<int, int, int, int, int, int>);
static_assert(!ConvTakes<int, int, int, int, int, int, int>);
static_assert(!ConvTakes<int, int, DenseOptions> && !ConvTakes<int, const char*>);

template <class... A>
concept MaxPoolTakes = requires(A... a) {
  MaxPool2D(a...);
};
static_assert(MaxPoolTakes<int> && MaxPoolTakes<int, int> && MaxPoolTakes<int, PoolOptions>);
static_assert(MaxPoolTakes<int, int, int, int>);
static_assert(!MaxPoolTakes<> && !MaxPoolTakes<int, int, int> && !MaxPoolTakes<int, Activation>);

template <class... A>
concept DropoutTakes = requires(A... a) {
  Dropout(a...);
};
static_assert(DropoutTakes<double> && !DropoutTakes<> && !DropoutTakes<const char*>);

template <class T>
concept PaddingTakes = requires(T value) {
  Conv2DOptions{.padding = value};
};
static_assert(PaddingTakes<int> && PaddingTakes<long long> && PaddingTakes<size_t>);
static_assert(PaddingTakes<Padding> && !PaddingTakes<const char*> && !PaddingTakes<double>);

// A derived object would be sliced: callbacks are shared pointers.
template <class T>
concept CallbackListTakes = requires(T callback) {
  FitOptions{.callbacks = {callback}};
};
static_assert(CallbackListTakes<Callback> && CallbackListTakes<std::shared_ptr<Stopper>>);
static_assert(!CallbackListTakes<Stopper> && !CallbackListTakes<CallbackBase>);
static_assert(!CallbackListTakes<Stopper*>);

template <class M, class... A>
concept CompileTakes = requires(M model, A... a) {
  model.compile(a...);
};
static_assert(CompileTakes<Model, Optimizer, Loss>);
static_assert(CompileTakes<Model, Optimizer, CrossEntropyLoss, std::vector<Metric>>);
static_assert(!CompileTakes<Model> && !CompileTakes<Model, Optimizer>);
static_assert(!CompileTakes<Model, Loss, Optimizer> && !CompileTakes<Model, Optimizer, Metric>);
static_assert(!CompileTakes<Model, Optimizer, const char*>);

template <class M, class... A>
concept FitTakes = requires(M model, A... a) {
  model.fit(a...);
};
static_assert(FitTakes<Model, Dataset> && FitTakes<Model, Dataset, FitOptions>);
static_assert(FitTakes<Model, Tensor, Tensor> && FitTakes<Model, Tensor, Tensor, FitOptions>);
static_assert(FitTakes<Model, Tensor, Tensor, int, int>);
static_assert(FitTakes<Model, Tensor, Tensor, int, int, Callback>);
static_assert(FitTakes<Model, Tensor, Tensor, int, int, std::shared_ptr<Stopper>>);
static_assert(!FitTakes<Model> && !FitTakes<Model, Tensor> && !FitTakes<Model, Dataset, int>);
static_assert(!FitTakes<Model, Tensor, Tensor, int, int, Stopper>);

template <class... A>
concept AdamTakes = requires(A... a) {
  Adam(a...);
};
static_assert(AdamTakes<> && AdamTakes<double> && AdamTakes<int> && AdamTakes<Schedule>);
static_assert(AdamTakes<Schedule, AdamOptions> && !AdamTakes<Schedule, AdamWOptions>);
static_assert(!AdamTakes<const char*> && !AdamTakes<double, double> && !AdamTakes<Optimizer>);

template <class... A>
concept GroupFrom = requires(A... a) {
  ParameterGroup{a...};
};
static_assert(GroupFrom<const char*, GroupOptions> && GroupFrom<std::string, GroupOptions>);
static_assert(GroupFrom<bool (*)(const Weight&), GroupOptions> && !GroupFrom<const char*>);
static_assert(!GroupFrom<int, GroupOptions> && !GroupFrom<const char*, double>);

template <class A, class B>
concept Adds = requires(A a, B b) {
  a + b;
};
static_assert(Adds<Symbol, Symbol> && Adds<Symbol, double> && Adds<int, Symbol>);
static_assert(!Adds<Symbol, const char*> && !Adds<Symbol, Layer> && !Adds<Layer, Layer>);

template <class A, class B>
concept Pipes = requires(A a, B b) {
  a | b;
};
static_assert(Pipes<Symbol, Layer> && Pipes<Symbol, Activation> && Pipes<Symbol, Model>);
static_assert(!Pipes<Layer, Symbol> && !Pipes<Symbol, Symbol> && !Pipes<Symbol, Optimizer>);

template <class T>
concept MetricFrom = requires(T value) {
  std::vector<Metric>{value};
};
static_assert(MetricFrom<Metric> && MetricFrom<const char*> && !MetricFrom<Loss>);
static_assert(MetricFrom<ClassMetric> && MetricFrom<AUCMetric> && MetricFrom<TopKMetric>);
static_assert(MetricFrom<ConfusionMatrixMetric> && MetricFrom<PerplexityMetric>);
static_assert(std::is_same_v<decltype(F1Score({.average = Micro})), Metric>);
static_assert(std::is_same_v<decltype(AUC({.curve = PR})), Metric>);
template <class... A>
concept StoppingTakes = requires(A... a) {
  EarlyStopping(a...);
};
static_assert(StoppingTakes<> && StoppingTakes<EarlyStoppingOptions>);
static_assert(!StoppingTakes<int> && !StoppingTakes<ReduceLROnPlateauOptions>);

// ---- accepted forms that need a model: compiled, not run ----

Symbol residual(Symbol x, i64 filters, i64 stride = 1) {
  auto y = x | Conv2D(filters, 3, {.stride = stride, .padding = 1, .bias = false}) | BatchNorm() |
           ReLU | Conv2D(filters, 3, {.padding = 1, .bias = false}) | BatchNorm();
  if (stride != 1 || x.shape()[-1] != filters)
    x = x | Conv2D(filters, 1, {.stride = stride, .bias = false}) | BatchNorm();
  return (x + y) | ReLU;
}

[[maybe_unused]] inline Model sequential_forms() {
  auto options = Sequential({
      Conv2D(32, 3, {.padding = Same, .activation = ReLU}),
      MaxPool2D(2),
      Flatten(),
      Dense(10, Softmax),
  });
  auto positional = Sequential({
      Conv2D(1, 32, 3, 1, 1, ReLU),
      MaxPool2D(32, 2, 2, 0),
      Flatten(),
      Dense(6272, 10, Softmax),
  });
  auto mixed = Sequential({Dense(4), ReLU, LeakyReLU(0.2), Activate(GELU), options, positional});
  return Sequential({mixed, Dense(1)});
}

[[maybe_unused]] inline void compile_and_fit_forms(const Tensor& x, const Tensor& y) {
  auto [train, test] = data::fashion_mnist();
  auto model = sequential_forms();
  model.compile(Adam(0.001), CrossEntropy, {Accuracy});
  model.compile(Adam(), CrossEntropy({.label_smoothing = 0.1}), {"accuracy"}, {.seed = 3});
  model.compile(SGD(0.1, {.momentum = 0.9, .nesterov = true}), MSE);
  model.compile(AdamW(0.001, {.weight_decay = 0.1}), BinaryCrossEntropy,
                {Accuracy, MeanAbsoluteError});
  model.compile(Adam(CosineDecay(0.001, 1000, {.end = 1e-5}), {.clip_value = 0.5}), MSE);
  model.compile(SGD(StepDecay(0.1, 1000), {.momentum = 0.9, .clip_norm = 1}), MSE);
  model.compile(Adam(Schedule([](i64 step) { return 0.1 / static_cast<double>(1 + step); })), MSE);
  model.compile(AdamW(WarmupCosine(1e-3, 100, 1000, {.end = 1e-5}),
                      {.decay_norms_and_biases = false,
                       .global_clip_norm = 1,
                       .groups = {{"*norm*|*bias", {.weight_decay = 0}},
                                  {"embedding*", {.learning_rate_scale = 0.1}},
                                  {[](const Weight& w) { return w.value.size() < 100; },
                                   {.trainable = false}}}}),
                MSE, {}, {.ema = 0.999});
  model.fit(train, {.batch_size = 8, .accumulate = 4});
  model.compile(SGD(), Loss("l1", [](Symbol t, Symbol p) { return abs(t - p); }));
  model.fit(train, {.epochs = 10, .batch_size = 32, .validation = test, .callbacks = {Logger(1)}});
  model.fit(x, y, {.epochs = 2, .validation_split = 0.1, .shuffle = false, .seed = 7});
  model.fit(x, y, {.callbacks = {std::make_shared<Stopper>(), Lambda([](TrainingState&) {})}});
  model.fit(x, y, 10, 32, Logger(1));
  model.fit(x, y, 10, 32, std::make_shared<Stopper>());
  model.fit(x, y);
  const Logs logs = model.evaluate(test);
  EXPECT_GT(logs["accuracy"] + model.evaluate(x, y, 64)["loss"], 0);
  model.set_learning_rate(model.learning_rate() / 2);
  model.train_on_batch(x, y);
  Model inner(model.input(), model.get_layer("dense").output());
  inner.predict(x).argmax();
  Model two({model.input()}, {model.output(), inner.output()});
  model.save("model.safetensors");
  Model::load("model.safetensors").summary();
}

[[maybe_unused]] inline Symbol functional_forms() {
  auto x = Input({28, 28, 1});
  auto y = residual(x, 16, 2) | GlobalAvgPool2D() | Dense(10) | ReLU;
  y = Dropout(0.5)(y);
  auto z = Add()({y, y}) + Concat({.axis = -1})({y, y});
  z = Concat()({z, y}) | Reshape({2, Any}) |
      Layer("swish", [](Symbol s) { return s * Sigmoid(s); });
  const Layer gate("gate", [](const std::vector<Symbol>& s) { return s[0] * s[1]; });
  z = gate({z, z});
  z = 1 - (2 * z + 1) / 3 - z / (z + 1.5) + 1 / z - (-z);
  z = maximum(minimum(exp(log(z)), 1), sqrt(square(abs(z))));
  return mean(z) + sum(matmul(z, constant(Tensor(Shape{2, 3}))), {-1}) + slice(z, 1, 0, 2);
}

// ---- accepted forms that run ----

TEST(Api, EveryLayerFormGivesALayer) {
  const std::vector<Layer> layers = {
      Dense(10),
      Dense(10, {.activation = ReLU, .bias = false, .name = "head"}),
      Dense(10, Softmax),
      Dense(6272, 10),
      Dense(6272, 10, Softmax),
      Dense(10, {.weight_init = HeNormal}),
      Conv2D(32, 3),
      Conv2D(32, 3, ReLU),
      Conv2D(32, {3, 5}, {.stride = {2, 1}, .padding = Same}),
      Conv2D(1, 32, 3, 1, 1),
      Conv2D(1, 32, 3, 1, 1, ReLU),
      Conv2D(8, 3, {.padding = Valid}),
      Conv2D(8, 3, {.dilation = 2, .groups = 4}),
      DepthwiseConv2D(3),
      DepthwiseConv2D({3, 5}, {.stride = 2, .depth_multiplier = 2, .activation = ReLU}),
      MaxPool2D(2),
      MaxPool2D({2, 3}),
      MaxPool2D(3, 2),
      MaxPool2D(2, {.stride = 1, .padding = Same}),
      MaxPool2D(32, 2, 2, 0),
      AvgPool2D(2),
      AvgPool2D(3, 2),
      AvgPool2D(2, {.padding = 1}),
      GlobalAvgPool2D(),
      Flatten(),
      Reshape({28, 28, 1}),
      Reshape({7, Any}),
      Dropout(0.5),
      BatchNorm(),
      BatchNorm({.momentum = 0.01, .scale = false}),
      Activate(GELU),
      Add(),
      Concat(),
      Concat({.axis = 1}),
      Layer("swish", [](Symbol x) { return x * Sigmoid(x); }),
      Layer("sum", [](const std::vector<Symbol>& x) { return x[0] + x[1]; })};
  for (const Layer& layer : layers) {
    ASSERT_TRUE(layer.impl());
    EXPECT_TRUE(layer.impl()->build) << layer.impl()->kind;
    EXPECT_STREQ(layer.impl()->site.file, __FILE__) << layer.impl()->kind;
  }
  EXPECT_EQ(layers[1].name(), "head");
  EXPECT_EQ(layers[0].name(), "");
}

TEST(Api, ActivationsAreCallable) {
  EXPECT_STREQ(ReLU().op(), "relu");
  EXPECT_EQ(LeakyReLU.alpha(), 0.01);
  EXPECT_EQ(LeakyReLU(0.2).alpha(), 0.2);
  EXPECT_EQ(ELU(0.5).alpha(), 0.5);
  const std::vector<Layer> layers = {Linear,     ReLU,   LeakyReLU(0.2), Sigmoid,  Tanh, Softmax,
                                     LogSoftmax, GELU(), SiLU,           ELU(0.5), SELU};
  const std::vector<std::string> kinds = {"Linear", "ReLU",    "LeakyReLU",  "Sigmoid",
                                          "Tanh",   "Softmax", "LogSoftmax", "GELU",
                                          "SiLU",   "ELU",     "SELU"};
  for (size_t i = 0; i < layers.size(); ++i) EXPECT_EQ(layers[i].impl()->kind, kinds[i]);
}

TEST(Api, LossesAndMetricsHaveNames) {
  EXPECT_EQ(MSE.name(), "mse");
  EXPECT_EQ(CrossEntropy.name(), "cross_entropy");
  EXPECT_EQ(CrossEntropy().name(), "cross_entropy");
  EXPECT_EQ(CrossEntropy({.label_smoothing = 0.1}).name(), "cross_entropy");
  const std::vector<OutputMetrics> by_name = {{"price", {"mae", "mse"}}, {"kind", {"accuracy"}}};
  EXPECT_EQ(by_name[0].metrics.size(), 2U);
  EXPECT_EQ(by_name[1].metrics[0].name(), "accuracy");
  EXPECT_EQ(BinaryCrossEntropy.name(), "binary_cross_entropy");
  EXPECT_EQ(Accuracy.name(), "accuracy");
  EXPECT_EQ(Metric("mean_absolute_error").name(), MeanAbsoluteError.name());
  const Loss scaled("scaled", [](Symbol t, Symbol p) { return 2 * MSE(t, p); });
  const Metric worst("worst", [](Symbol t, Symbol p) { return abs(t - p); });
  EXPECT_EQ(scaled.name() + worst.name(), "scaledworst");
}

TEST(Api, OptimizersCarryTheirOptions) {
  EXPECT_EQ(Adam().learning_rate, 0.001);
  EXPECT_EQ(AdamW().weight_decay, 0.01);
  const Optimizer sgd = SGD(0.1, {.momentum = 0.9, .nesterov = true, .weight_decay = 1e-4});
  EXPECT_EQ(sgd.kind, Optimizer::Kind::sgd);
  EXPECT_TRUE(sgd.nesterov && sgd.momentum == 0.9 && sgd.weight_decay == 1e-4);
  EXPECT_EQ(Adam(1e-2, {.beta1 = 0.5, .epsilon = 1e-6}).beta1, 0.5);
}

// ---- several inputs and outputs ----

static_assert(FitTakes<Model, Tensors, Tensors> && FitTakes<Model, Tensors, Tensor, FitOptions>);
static_assert(CompileTakes<Model, Optimizer, std::vector<OutputLoss>>);
static_assert(!CompileTakes<Model, Optimizer, std::vector<Metric>>);

TEST(Surface, SeveralInputsAndOutputs) {
  const Symbol a = Input({2}, {.name = "a"}), b = Input({2}, {.dtype = DType::f32});
  auto model = Model(
      {a, b}, {Dense(1, {.name = "y"})(a), Dense(3, {.activation = Softmax, .name = "z"})(b)});
  model.compile(SGD(0.1), {MSE, CrossEntropy});
  model.compile(SGD(0.1), {MSE, {CrossEntropy, 0.5}}, {}, {.seed = 1});
  model.compile(SGD(0.1), {{"y", MSE}, {"z", CrossEntropy({.label_smoothing = 0.1}), 0.5}},
                {{"y", MeanAbsoluteError}, {"z", {Accuracy}}});
  const Tensor x({{0, 0}, {0, 1}}), y({{0}, {0}});
  const std::vector<std::int32_t> z = {0, 0};
  model.fit({x, x}, {y, z});
  model.fit({x, x}, {y, z}, {.epochs = 1, .validation = Dataset({x, x}, {y, z})});
  model.fit({{"a", x}, {"input", x}}, {{"z", z}, {"y", y}}, {.batch_size = 1});
  model.fit(Dataset({{"a", x}, {"input", x}}, {y, z}));
  model.evaluate({x, x}, {y, z});
  model.train_on_batch({x, x}, {y, z});
  model.test_on_batch({x, x}, {y, z});
  EXPECT_EQ(model.predict_all({x, x}).size(), 2U);
  EXPECT_EQ(model.predict_all({{"input", x}, {"a", x}}).size(), 2U);
  // One of each keeps its forms, nested lists of zeros included.
  auto one = Sequential({Dense(1)});
  one.compile(SGD(0.1), MSE);
  one.fit({{0, 0}, {0, 0}}, {{0}, {0}});
  one.fit({x, y});
  one.predict({{0, 0}, {0, 0}});
  one.evaluate({{0, 0}, {0, 1}}, {{0}, {1}});
}

}  // namespace
}  // namespace goneuron
