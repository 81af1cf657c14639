// Activations, the feed-forward nets of transformer blocks, and first values of weights.
#include "config/tables.h"

namespace goneuron::config {
namespace {

const Context no_context;  // none of these look at it

using ActivationRow = Row<Activation, const Options&>;

constexpr Option leaky_options[] = {
    {"alpha", Type::number, "0.01", "0.2", "slope of the negative side", at_least(0)}};
constexpr Option elu_options[] = {
    {"alpha", Type::number, "1", "0.5", "scale of the negative side", at_least(0)}};

constexpr ActivationRow activations[] = {
    {{"linear", "none: the number itself"}, [](const Options&) { return Linear; }},
    {{"relu", "the number, or 0 where it is negative"}, [](const Options&) { return ReLU; }},
    {{"leaky_relu", "x, or alpha x where it is negative", leaky_options},
     [](const Options& o) { return LeakyReLU(o.number("alpha")); }},
    {{"sigmoid", "into (0, 1): the last layer's for yes or no"},
     [](const Options&) { return Sigmoid; }},
    {{"tanh", "into (-1, 1)"}, [](const Options&) { return Tanh; }},
    {{"softmax", "shares that add up to 1: the last layer's for one class of several"},
     [](const Options&) { return Softmax; }},
    {{"log_softmax", "the logarithm of softmax"}, [](const Options&) { return LogSoftmax; }},
    {{"gelu", "smooth relu, x Phi(x)"}, [](const Options&) { return GELU; }},
    {{"silu", "smooth relu, x sigmoid(x)"}, [](const Options&) { return SiLU; }},
    {{"elu", "x, or alpha (exp x - 1) where it is negative", elu_options},
     [](const Options& o) { return ELU(o.number("alpha")); }},
    {{"selu", "elu scaled to keep mean and variance"}, [](const Options&) { return SELU; }},
};

constexpr Kind swiglu = {"swiglu", "silu(x Wg) * (x Wu): two products in the place of one"};

constexpr Option constant_options[] = {{"value", Type::number, required, "0.1", "of every weight"}};
constexpr Option uniform_options[] = {{"low", Type::number, "-0.05", "-0.1", "the least value"},
                                      {"high", Type::number, "0.05", "0.1", "the largest value"}};
constexpr Option normal_options[] = {
    {"mean", Type::number, "0", "0", "mean of the values"},
    {"stddev", Type::number, "0.05", "0.02", "their standard deviation", at_least(0)}};

using InitializerRow = Row<Initializer, const Options&>;
constexpr InitializerRow initializers[] = {
    {{"torch_default", "the layer's own default, PyTorch's"},
     [](const Options&) { return TorchDefault; }},
    {{"zeros", "all 0"}, [](const Options&) { return Zeros; }},
    {{"ones", "all 1"}, [](const Options&) { return Ones; }},
    {{"glorot_uniform", "for tanh and sigmoid (Glorot & Bengio 2010)"},
     [](const Options&) { return GlorotUniform; }},
    {{"glorot_normal", "the same, normally distributed"},
     [](const Options&) { return GlorotNormal; }},
    {{"he_uniform", "for relu (He et al. 2015)"}, [](const Options&) { return HeUniform; }},
    {{"he_normal", "the same, normally distributed"}, [](const Options&) { return HeNormal; }},
    {{"constant", "one value for all", constant_options},
     [](const Options& o) { return Constant(o.number("value")); }},
    {{"random_uniform", "evenly between two values", uniform_options},
     [](const Options& o) { return RandomUniform(o.number("low"), o.number("high")); }},
    {{"random_normal", "normally distributed", normal_options},
     [](const Options& o) { return RandomNormal(o.number("mean"), o.number("stddev")); }},
};

}  // namespace

const Table& activation_table() {
  static const Table table = {"activation", "activations", kinds_of(activations)};
  return table;
}

const Table& feed_forward_table() {
  static const Table table = [] {
    Table all = {"feed-forward net", "feed-forward nets", kinds_of(activations)};
    all.kinds.push_back(&swiglu);
    return all;
  }();
  return table;
}

const Table& initializer_table() {
  static const Table table = {"initializer", "initializers", kinds_of(initializers)};
  return table;
}

Activation make_activation(const Value& value) {
  const Options options = options_of(activation_table(), value, no_context);
  for (const auto& row : activations)
    if (&row.kind == &options.kind()) return row.make(options);
  return Linear;
}

FeedForward make_feed_forward(const Value& value) {
  return same_name(named(value).text, swiglu.name) ? SwiGLU : FeedForward(make_activation(value));
}

Initializer make_initializer(const Value& value) {
  return make_from(initializers, initializer_table(), value, no_context);
}

}  // namespace goneuron::config
