#include "nn/recurrent.h"

#include "core/message.h"
#include "nn/options.h"
#include "nn/sequence.h"

namespace goneuron {

namespace {

/// Builds the ops of one call.
class Builder {
 public:
  Builder(const Recurrent& recurrent, LayerContext& context) : r_(recurrent), context_(context) {}

  Symbol run() {
    check_inputs();
    Symbol sequence = context_.input(), last;
    for (i64 layer = 0; layer < r_.options.layers; ++layer) {
      if (layer > 0 && r_.options.dropout > 0)
        sequence = make("dropout", {sequence}, {{"rate", r_.options.dropout}, {"stream", i64{0}}});
      Symbol y, h;
      for (i64 direction = 0; direction < r_.directions(); ++direction) {
        const Symbol node = steps(sequence, layer, direction);
        context_.result(node);
        y = join(y, output_of(node, 1), 2);
        h = join(h, output_of(node, 2), 1);
      }
      sequence = y;
      last = h;
    }
    return r_.options.return_sequences ? sequence : last;
  }

 private:
  void check_inputs() {
    const Symbol& x = context_.input();
    const auto count = static_cast<int>(context_.inputs().size()), mask = r_.options.masked ? 1 : 0;
    has_state_ = count == 1 + r_.states() + mask;
    if (!has_state_ && count != 1 + mask)
      context_.fail(counted(count, "input") + "; expected " + forms(), hint_of_count());
    if (x.shape().rank() != 3)
      context_.fail_shape("the input is " + x.shape().str() + "; expected [batch, time, features]",
                          sequence_hint(x,
                                        "a sample is a sequence: give Input() the shape {time, "
                                        "features}"));
    if (r_.in != Any && x.shape()[-1] != r_.in)
      context_.fail_shape("each step has " + counted(x.shape()[-1], "feature") + "; expected " +
                              std::to_string(r_.in) + ", which this layer was made for",
                          "pass the features that arrive, or let them be inferred: " + name() +
                              "(" + std::to_string(r_.units) + ")");
    for (int i = 1; has_state_ && i <= r_.states(); ++i) check_state(i);
    if (r_.options.masked) check_mask(x);
  }

  std::string name() const { return r_.lstm() ? "LSTM" : "GRU"; }
  std::string forms() const {
    const std::string mask = r_.options.masked ? ", mask" : "";
    return "{x" + mask + "} or {x, h" + (r_.lstm() ? ", c" : "") + mask + "}";
  }
  std::string hint_of_count() const {
    if (r_.options.masked) return "the mask, which .masked asks for, is the last input";
    return std::string(r_.lstm() ? "the state is h and c; " : "the state is h; ") +
           "a mask as the last input needs the option .masked = true";
  }

  i64 parts() const { return r_.options.layers * r_.directions(); }
  Shape state_shape() const {
    return parts() == 1 ? Shape{Any, r_.units} : Shape{Any, parts(), r_.units};
  }
  static bool fits(const Shape& shape, const Shape& expected) {
    if (shape.rank() != expected.rank()) return false;
    for (int i = 0; i < shape.rank(); ++i)
      if (shape[i] != expected[i] && shape[i] != Any && expected[i] != Any) return false;
    return true;
  }
  void check_state(int i) {
    const Shape& shape = context_.input(i).shape();
    if (!fits(shape, state_shape()))
      context_.fail_shape(std::string("the initial ") + (i == 1 ? "h" : "c") + " is " +
                              shape.str() + "; expected " + state_shape().str(),
                          parts() == 1
                              ? "a state has as many numbers as the layer has units"
                              : "one row for each layer and direction: l0, l0_reverse, l1, ..");
  }
  void check_mask(const Symbol& x) {
    const Shape &shape = context_.inputs().back().shape(), expected{Any, x.shape()[1]};
    if (!fits(shape, expected))
      context_.fail_shape("the mask is " + shape.str() + "; expected " + expected.str() +
                              ", one number for each step",
                          "1 for a step that counts, 0 for one that does not");
  }

  std::string named(const char* what, i64 layer, i64 direction) const {
    const bool reverse = direction == 1;
    return std::string(what) + "_l" + std::to_string(layer) + (reverse ? "_reverse" : "");
  }
  /// Weights and biases all start in +-1/sqrt(units), as in PyTorch.
  Symbol parameter(const std::string& name, const Shape& shape, const Initializer& init, i64 in) {
    const bool standard = init.kind == Initializer::Kind::torch_default;
    return context_.parameter(name.c_str(), shape, init, standard ? r_.units : in, r_.units);
  }

  /// [batch, units] of the initial state's tensor `i`.
  Symbol initial(int i, i64 part) const {
    const Symbol& state = context_.input(i);
    if (parts() == 1) return state;
    const Symbol row =
        make("slice", {state}, {{"axis", i64{1}}, {"begin", part}, {"end", part + 1}});
    return make("reshape", {row}, {{"shape", std::vector<i64>{-1, r_.units}}});
  }

  /// The node that takes a sequence through one layer in one direction.
  Symbol steps(const Symbol& x, i64 layer, i64 direction) {
    const i64 in = x.shape()[-1], units = r_.units, wide = r_.gates() * units;
    const RecurrentOptions& o = r_.options;
    const Symbol w = parameter(named("weight_ih", layer, direction), {in, wide}, o.weight_init, in);
    const Symbol recurrent =
        parameter(named("weight_hh", layer, direction), {units, wide}, o.recurrent_init, units);
    const Symbol bias = parameter(named("bias", layer, direction), {wide}, o.bias_init, in);
    std::vector<Symbol> inputs{x, w, recurrent, bias};
    if (!r_.lstm())
      inputs.push_back(parameter(named("bias_hn", layer, direction), {units}, o.bias_init, units));
    for (int i = 1; has_state_ && i <= r_.states(); ++i)
      inputs.push_back(initial(i, layer * r_.directions() + direction));
    if (o.masked) inputs.push_back(mask());
    return make(r_.lstm() ? "lstm_sequence" : "gru_sequence", inputs,
                {{"state", i64{has_state_}},
                 {"masked", i64{o.masked}},
                 {"reverse", i64{o.reverse || direction == 1}},
                 {"zero_masked", i64{o.zero_masked}}});
  }

  Symbol mask() {
    const Symbol& given = context_.inputs().back();
    if (is_floating(given.dtype())) return given;
    return make("cast", {given}, {{"dtype", static_cast<i64>(DType::f32)}});
  }

  Symbol join(const Symbol& a, const Symbol& b, i64 axis) const {
    if (!a) return b;
    if (r_.options.bidirectional == Bidirectional::sum) return make("add", {a, b});
    return make("concat", {a, b}, {{"axis", axis}});
  }

  const Recurrent& r_;
  LayerContext& context_;
  bool has_state_ = false;
};

constexpr i64 most_layers = 1000;

void check_options(const Recurrent& r, const char* kind, Site site) {
  const RecurrentOptions& o = r.options;
  check_count(r.units, "units", kind, site);
  check_count(o.layers, "layers", kind, site);
  require(o.layers <= most_layers, kind, site,
          std::to_string(o.layers) + " layers; expected at most " + std::to_string(most_layers),
          "stacked layers read one another: two to four are usual");
  require(o.dropout >= 0 && o.dropout < 1, kind, site,
          "a dropout of " + number_text(o.dropout) + "; expected at least 0 and below 1",
          "it is the share that is set to zero; 0.2 is usual");
  require(o.dropout == 0 || o.layers > 1, kind, site,
          "a dropout of " + number_text(o.dropout) + " with one layer; expected two or more",
          "it stands between stacked layers: put Dropout() after the layer instead");
  require(!o.reverse || r.directions() == 1, kind, site,
          "reverse together with bidirectional; expected one of them",
          "a bidirectional layer reads both ways already");
  require(!o.zero_masked || o.masked, kind, site,
          "zero_masked without a mask; expected .masked = true with it",
          "set .masked = true and give the mask as the last input");
  check_initializer(o.weight_init, "weight_init", kind, site);
  check_initializer(o.recurrent_init, "recurrent_init", kind, site);
  check_initializer(o.bias_init, "bias_init", kind, site);
}

}  // namespace

Symbol Recurrent::operator()(LayerContext& context) const { return Builder(*this, context).run(); }

Layer recurrent_layer(const Recurrent& recurrent, Site site) {
  const char* kind = recurrent.lstm() ? "LSTM" : "GRU";
  check_options(recurrent, kind, site);
  return make_layer({.kind = kind,
                     .prefix = recurrent.lstm() ? "lstm" : "gru",
                     .name = recurrent.options.name,
                     .site = site,
                     .max_inputs = 2 + recurrent.states(),
                     .build = recurrent});
}

}  // namespace goneuron
