// LSTM, GRU and what goes with them: shapes and weights, states handed from one to another, masks,
// SequenceUnroller, and files. What they compute is golden_layers_test's.
#include "goneuron/recurrent.h"

#include "graph/layer_impl.h"
#include "graph_value.h"
#include "model_testing.h"

namespace goneuron {
namespace {

struct Contract {
  Shape output;
  i64 parameters;
  std::vector<std::string> names;
};

void check(const Layer& layer, const Contract& contract) {
  const Symbol y = layer(Input({9, 5}));
  EXPECT_EQ(y.shape().str(), contract.output.with_batch(Any).str());
  std::vector<std::string> names;
  i64 parameters = 0;
  for (const auto& variable : layer.impl()->variables) {
    names.push_back(variable->name);
    parameters += variable->type.shape.elements();
  }
  EXPECT_EQ(names, contract.names);
  EXPECT_EQ(parameters, contract.parameters);
}

// 4 u (in + u + 1) for an LSTM, 3 u (in + u + 1) + u for a GRU.
TEST(Recurrent, ShapesAndWeights) {
  const std::vector<std::string> lstm = {"weight_ih_l0", "weight_hh_l0", "bias_l0"},
                                 gru = {"weight_ih_l0", "weight_hh_l0", "bias_l0", "bias_hn_l0"};
  check(LSTM(7), {{7}, 4 * 7 * 13, lstm});
  check(LSTM(5, 7), {{7}, 4 * 7 * 13, lstm});
  check(LSTM(7, {.return_sequences = true}), {{9, 7}, 4 * 7 * 13, lstm});
  check(LSTM(7, {.reverse = true}), {{7}, 4 * 7 * 13, lstm});
  check(GRU(7), {{7}, 3 * 7 * 13 + 7, gru});
  check(GRU(5, 7), {{7}, 3 * 7 * 13 + 7, gru});
  check(GRU(7, {.return_sequences = true}), {{9, 7}, 3 * 7 * 13 + 7, gru});
  check(LSTM(7, {.layers = 2}),
        {{7},
         4 * 7 * (13 + 15),
         {"weight_ih_l0", "weight_hh_l0", "bias_l0", "weight_ih_l1", "weight_hh_l1", "bias_l1"}});
  const std::vector<std::string> both = {
      "weight_ih_l0",         "weight_hh_l0",         "bias_l0",
      "weight_ih_l0_reverse", "weight_hh_l0_reverse", "bias_l0_reverse"};
  check(LSTM(7, {.return_sequences = true, .bidirectional = Bidirectional::concat}),
        {{9, 14}, 2 * 4 * 7 * 13, both});
  check(LSTM(7, {.bidirectional = Bidirectional::sum}), {{7}, 2 * 4 * 7 * 13, both});
}

TEST(Recurrent, LengthMayBeOpenUntilTheDataComes) {
  const Symbol y = Input({Any, 5}) | GRU(7, {.return_sequences = true});
  EXPECT_EQ(y.shape().str(), Shape({Any, Any, 7}).str());
}

TEST(Recurrent, InitialWeightsAreUniformInOneOverTheRootOfTheUnits) {
  auto model = Sequential({GRU(16, {.return_sequences = true}), LSTM(16)});
  model.build({6, 100});
  for (const Weight& weight : model.weights()) {
    double largest = 0;
    for (i64 i = 0; i < weight.value.size(); ++i)
      largest = std::max(largest, std::fabs(double{weight.value.data()[i]}));
    EXPECT_LE(largest, 0.25) << weight.name;
    // All of n draws stay below 0.2 with probability 0.8^n.
    if (weight.value.size() > 60) {
      EXPECT_GT(largest, 0.2) << weight.name;
    }
  }
}

/// The output of `layer` called on `inputs`, in f32 by the model's own plan.
Tensor last_and_state(Layer (*make)(i64, const RecurrentOptions&, Site), const Tensor& x,
                      const RecurrentOptions& options) {
  const Symbol input = Input(x.shape().without_batch());
  const auto [y, h, c] = with_state(make(6, options, {}), input);
  std::vector<Symbol> outputs{slice(y, 1, x.shape()[1] - 1, x.shape()[1]) | Flatten(), h};
  auto model = Model(input, Concat()(outputs));
  model.build(x.shape().without_batch());
  return model.predict(x);
}

TEST(Recurrent, FinalStateIsTheLastOutput) {
  const Tensor x = values({3, 4, 5});
  for (auto* make : {static_cast<Layer (*)(i64, const RecurrentOptions&, Site)>(LSTM),
                     static_cast<Layer (*)(i64, const RecurrentOptions&, Site)>(GRU)}) {
    const Tensor both = last_and_state(make, x, {.return_sequences = true});
    ASSERT_EQ(both.shape(), Shape({3, 12}));
    for (i64 b = 0; b < 3; ++b)
      for (i64 u = 0; u < 6; ++u) EXPECT_EQ(both.at({b, u}), both.at({b, u + 6}));
  }
}

/// Half of a sequence, then the other half from the state of the first, is the whole sequence.
TEST(Recurrent, StatesHandOn) {
  const Tensor x = values({3, 8, 5});
  const auto options = RecurrentOptions{.layers = 2};
  for (const bool lstm : {true, false}) {
    const Symbol input = Input({8, 5});
    const Layer layer = lstm ? LSTM(6, options) : GRU(6, options);
    const auto [y, h, c] = with_state(layer, slice(input, 1, 0, 3));
    std::vector<Symbol> rest{slice(input, 1, 3, 8), h};
    if (lstm) rest.push_back(c);
    const Symbol whole = layer(input), parts = layer(rest);
    EXPECT_EQ(h.shape().str(), Shape({Any, 2, 6}).str());
    EXPECT_EQ(static_cast<bool>(c), lstm);
    auto model = Model(input, Concat()({whole, parts}));
    model.build({8, 5});
    const Tensor out = model.predict(x);
    for (i64 b = 0; b < 3; ++b)
      for (i64 u = 0; u < 6; ++u) EXPECT_EQ(out.at({b, u}), out.at({b, u + 6}));
  }
}

/// An encoder's state starts the decoder; gradients reach the encoder through it alone.
TEST(Recurrent, EncoderAndDecoderLearnToAddUp) {
  const i64 samples = 64, steps = 4;
  const Tensor x = values({samples, steps, 1});
  Tensor y(Shape{samples, 1});
  for (i64 b = 0; b < samples; ++b)
    for (i64 t = 0; t < steps; ++t) y.data()[b] += x.data()[b * steps + t] / 4;
  const Symbol input = Input({steps, 1});
  const auto encoded = with_state(LSTM(12), input);
  const Symbol query = slice(input, 1, 0, 2) * 0.0;  // tells the decoder nothing
  const Symbol decoded = LSTM(12)({query, encoded.h, encoded.c});
  auto model = Model(input, decoded | Dense(1));
  model.compile(Adam(0.02), MSE);
  const History history = model.fit(x, y, {.epochs = 60, .batch_size = 16});
  EXPECT_LT(history["loss"].back(), 0.05 * history["loss"].front());
}

/// Padding with any numbers changes no bit of what the steps before it give.
TEST(Recurrent, MaskedStepsCountForNothing) {
  const i64 kept = 5, padding = 3;
  const Tensor x = values({4, kept + padding, 6});
  Tensor shorter(Shape{4, kept, 6});
  for (i64 b = 0; b < 4; ++b)
    for (i64 t = 0; t < kept; ++t)
      for (i64 f = 0; f < 6; ++f) shorter.set({b, t, f}, x.at({b, t, f}));
  Tensor mask(Shape{1, kept + padding});
  for (i64 t = 0; t < kept; ++t) mask.data()[t] = 1;
  for (const auto direction : {Bidirectional::no, Bidirectional::concat}) {
    const RecurrentOptions options{.bidirectional = direction, .layers = 2, .masked = true};
    const Layer layer = LSTM(7, options);
    const Symbol input = Input({kept + padding, 6}), part = Input({kept, 6});
    const Symbol zeros = (slice(input, 2, 0, 1) * 0.0) | Reshape({kept + padding});
    const Symbol ones = (slice(part, 2, 0, 1) * 0.0 + 1.0) | Reshape({kept});
    auto padded = Model(input, layer({input, zeros + constant(mask)}));
    auto plain = Model(part, layer({part, ones}));
    padded.build({kept + padding, 6});
    plain.build({kept, 6});
    EXPECT_TRUE(same_bits(padded.predict(x), plain.predict(shorter)));
  }
}

TEST(Recurrent, UnrollerReturnsWhatItIsAskedFor) {
  const Symbol input = Input({4, 5});
  const Layer lstm = LSTM(5, 6);
  const Symbol last = lstm(input), all = SequenceUnroller(lstm, 4, true)(input);
  const Symbol again = SequenceUnroller(lstm, 4)(input);
  EXPECT_EQ(all.shape().str(), Shape({Any, 4, 6}).str());
  EXPECT_EQ(again.shape().str(), Shape({Any, 6}).str());
  EXPECT_EQ(lstm(input).shape().str(), Shape({Any, 6}).str()) << "its own option stands";
  EXPECT_EQ(lstm.impl()->variables.size(), 3U) << "all share the layer's weights";
  auto model = Model(input, Concat()({last, slice(all, 1, 3, 4) | Flatten(), again}));
  model.build({4, 5});
  const Tensor out = model.predict(values({2, 4, 5}));
  for (i64 b = 0; b < 2; ++b)
    for (i64 u = 0; u < 6; ++u) {
      EXPECT_EQ(out.at({b, u}), out.at({b, u + 6}));
      EXPECT_EQ(out.at({b, u}), out.at({b, u + 12}));
    }
}

TEST(Recurrent, SavedAndLoadedPredictsTheSameBits) {
  const std::string path = testing::TempDir() + "goneuron_recurrent.safetensors";
  const Tensor x = values({5, 6, 3});
  auto model = Sequential({LSTM(8, {.return_sequences = true, .bidirectional = Bidirectional::sum}),
                           SequenceUnroller(GRU(8, 7), 6), Dense(3, Softmax)});
  model.compile(Adam(0.01), CrossEntropy);
  model.fit(x, labels(5, 3), {.epochs = 2, .batch_size = 4});
  model.save(path);
  auto again = Model::load(path);
  EXPECT_TRUE(same_bits(again.predict(x), model.predict(x)));
  again.fit(x, labels(5, 3), {.epochs = 1, .batch_size = 4});
  model.fit(x, labels(5, 3), {.epochs = 1, .batch_size = 4});
  expect_same_weights(again, model);
  std::remove(path.c_str());
}

std::vector<Layer> stack() {
  return {LSTM(16, {.return_sequences = true, .layers = 2, .dropout = 0.1}),
          GRU(16, {.bidirectional = Bidirectional::concat}), Dense(3, Softmax)};
}
Model trained(const CompileOptions& options) {
  auto model = Sequential(stack());
  model.compile(Adam(0.01), CrossEntropy, {}, options);
  model.fit(values({48, 12, 5}), labels(48, 3), {.epochs = 3, .batch_size = 16, .seed = 2});
  return model;
}

/// What a budget makes the plan compute again has the bits that it had.
TEST(Recurrent, AnActivationBudgetChangesNoBit) {
  const Model plain = trained({.seed = 4}),
              tight = trained({.seed = 4, .activation_budget = 250000});
  expect_same_weights(plain, tight);
}

/// The steps stay in f32; the products around them round their operands to 8 bits.
TEST(Recurrent, LearnsInBf16) {
  const Tensor x = values({48, 12, 5}), y = labels(48, 3);
  const double wide = trained({.seed = 4}).evaluate(x, y)["loss"];
  const double narrow = trained({.seed = 4, .precision = BF16}).evaluate(x, y)["loss"];
  EXPECT_NEAR(narrow, wide, 0.02 * wide);
}

template <class... A>
concept LstmTakes = requires(A... a) {
  LSTM(a...);
};
static_assert(LstmTakes<int> && LstmTakes<int, int> && LstmTakes<int, RecurrentOptions>);
static_assert(!LstmTakes<> && !LstmTakes<const char*> && !LstmTakes<int, int, RecurrentOptions>);
static_assert(!LstmTakes<int, DenseOptions> && !LstmTakes<int, Activation>);

/// Layers are made one by one: so many would take until memory ends.
TEST(Recurrent, RefusesMoreLayersThanAnyoneStacks) {
  EXPECT_NO_THROW(LSTM(2, {.layers = 1000}));
  EXPECT_THROW(LSTM(2, {.layers = 1001}), GraphError);
  EXPECT_THROW(GRU(2, {.layers = i64{1} << 40}), GraphError);
}

}  // namespace
}  // namespace goneuron
