// Programs that make a mistake with several inputs and outputs, with integers, with what layers
// add, and with sequences in buckets.
#pragma once

#include <cmath>

#include "errors.h"

namespace goneuron::errors {

/// Inputs "image" [4] and "size" [2]; outputs "class" [3] and "price" [1]; not compiled.
inline Model two_ends() {
  const Symbol image = Input({4}, {.name = "image"}), size = Input({2}, {.name = "size"});
  const Symbol both = Concat()({image, size});
  return Model({image, size}, {Dense(3, {.activation = Softmax, .name = "class"})(both),
                               Dense(1, {.name = "price"})(both)});
}
inline Model two_ends_compiled() {
  auto model = two_ends();
  model.compile(SGD(0.1), {{"class", CrossEntropy}, {"price", MSE}});
  return model;
}
inline Tensor features(i64 count) {
  Tensor x(Shape{count, 4});
  for (i64 i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(i % 7) / 7;
  return x;
}
inline std::vector<std::int32_t> classes() { return {0, 1, 2, 0, 1, 2}; }

ERROR_CASE(fit_with_too_few_inputs) {
  auto model = two_ends_compiled();
  model.fit(features(6), {classes(), Tensor(Shape{6, 1})});
}

ERROR_CASE(fit_with_too_many_targets) {
  auto model = two_ends_compiled();
  const Tensor price(Shape{6, 1});
  model.fit({features(6), Tensor(Shape{6, 2})}, {classes(), price, price});
}

ERROR_CASE(input_of_an_unknown_name) {
  auto model = two_ends_compiled();
  model.fit({{"picture", features(6)}, {"size", Tensor(Shape{6, 2})}},
            {classes(), Tensor(Shape{6, 1})});
}

ERROR_CASE(target_of_an_unknown_name) {
  auto model = two_ends_compiled();
  model.evaluate({features(6), Tensor(Shape{6, 2})},
                 {{"class", classes()}, {"cost", Tensor(Shape{6, 1})}});
}

ERROR_CASE(input_name_twice) {
  Dataset({{"size", features(6)}, {"size", Tensor(Shape{6, 2})}}, Tensor(Shape{6, 1}));
}

ERROR_CASE(inputs_of_different_lengths) {
  Dataset({features(6), Tensor(Shape{5, 2})}, Tensor(Shape{6, 1}));
}

ERROR_CASE(predict_with_different_lengths) {
  two_ends().predict_all({features(6), Tensor(Shape{5, 2})});
}

ERROR_CASE(input_of_another_shape_among_several) {
  two_ends().predict_all({features(6), Tensor(Shape{6, 3})});
}

ERROR_CASE(predict_of_no_dataset) { two_ends().predict_all(Dataset()); }

ERROR_CASE(predict_of_buckets_of_several_shapes) {
  const Dataset data =
      data::buckets({Tensor(Shape{5, 2}), Tensor(Shape{9, 2})}, Tensor(Shape{2}), {.mask = false});
  Sequential({Dense(3)}).predict(data);
}

ERROR_CASE(predict_of_several_outputs) { two_ends().predict({features(6), Tensor(Shape{6, 2})}); }

ERROR_CASE(losses_do_not_match_outputs) { two_ends().compile(SGD(0.1), {CrossEntropy, MSE, MSE}); }

ERROR_CASE(loss_for_an_unknown_output) {
  two_ends().compile(SGD(0.1), {{"label", CrossEntropy}, {"price", MSE}});
}

ERROR_CASE(two_losses_for_one_output) {
  two_ends().compile(SGD(0.1), {{"price", MSE}, {"price", MSE}});
}

ERROR_CASE(losses_with_and_without_names) {
  two_ends().compile(SGD(0.1), {{"class", CrossEntropy}, MSE});
}

ERROR_CASE(loss_weight_is_nan) {
  two_ends().compile(SGD(0.1), {{CrossEntropy, std::nan("")}, MSE});
}

ERROR_CASE(metrics_for_an_unknown_output) {
  two_ends().compile(SGD(0.1), {CrossEntropy, MSE}, {{"label", {Accuracy}}});
}

ERROR_CASE(metrics_for_an_output_without_a_loss) {
  auto model = two_ends();
  for (const char* part : {"price"}) model.get_layer(part).set_trainable(false);
  model.compile(SGD(0.1), {{"class", CrossEntropy}}, {{"price", {MeanAbsoluteError}}});
}

ERROR_CASE(weight_that_no_loss_reaches) {
  const Symbol x = Input({4});
  auto model = Model(x, {Dense(3, {.name = "class"})(x), Dense(1, {.name = "price"})(x)});
  const Loss forgetful("forgetful", [](Symbol t, Symbol) { return square(t); });
  model.compile(SGD(0.1), {{"class", MSE}, {"price", forgetful}});
}

ERROR_CASE(bad_value_in_one_of_two_inputs) {
  auto model = two_ends_compiled();
  Tensor size(Shape{6, 2});
  size.set({4, 1}, std::nan(""));
  model.fit({features(6), size}, {classes(), Tensor(Shape{6, 1})}, {.batch_size = 4});
}

ERROR_CASE(bad_label_of_one_of_two_outputs) {
  const Symbol x = Input({4});
  auto model = Model(x, {Dense(1, {.name = "price"})(x), Dense(3, Softmax)(x)});
  model.compile(SGD(0.1), {MSE, CrossEntropy});
  std::vector<std::int32_t> label = classes();
  label[5] = 3;
  model.fit(features(6), {Tensor(Shape{6, 1}), label});
}

ERROR_CASE(model_with_an_input_twice) {
  const Symbol in = Input({3});
  Model({in, in}, Dense(2)(in));
}

ERROR_CASE(model_whose_input_is_no_input) {
  const Symbol in = Input({3});
  const Symbol h = Dense(4)(in);
  Model(h, Dense(2)(h));
}

ERROR_CASE(two_inputs_of_one_name) {
  const Symbol a = Input({3}, {.name = "x"}), b = Input({3}, {.name = "x"});
  Model({a, b}, a + b);
}

ERROR_CASE(model_as_a_layer_with_too_few_inputs) {
  const Symbol a = Input({4}, {.name = "image"}), b = Input({2}, {.name = "size"});
  const Layer layer = Model({a, b}, {Concat()({a, b}), Dense(2)(a)});
  layer.call_all({Input({4})});
}

ERROR_CASE(model_as_a_layer_with_another_width) {
  const Symbol a = Input({4}, {.name = "image"}), b = Input({2}, {.name = "size"});
  const Layer layer = Model({a, b}, {Concat()({a, b}), Dense(2)(a)});
  layer.call_all({Input({4}), Input({3})});
}

ERROR_CASE(model_as_a_layer_with_several_outputs) {
  const Symbol a = Input({4}, {.name = "image"}), b = Input({2}, {.name = "size"});
  const Layer layer = Model({a, b}, {Concat()({a, b}), Dense(2)(a)});
  layer({Input({4}), Input({2})});
}

ERROR_CASE(fractions_for_an_input_of_integers) {
  const Symbol in = Input({3}, DType::i32);
  Tensor x(Shape{2, 3});
  x.set({1, 2}, 0.5);
  Model(in, in).predict(x);
}

ERROR_CASE(ignore_index_of_one_hot_rows) {
  auto model = Sequential({Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy({.ignore_index = -1}));
  model.fit(features(6), Tensor(Shape{6, 3}));
}

ERROR_CASE(ignore_index_too_large) { CrossEntropy({.ignore_index = i64{1} << 40}); }

ERROR_CASE(label_beside_the_ignored_one) {
  auto model = Sequential({Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy({.ignore_index = -1}));
  Tensor x(Shape{2, 4, 5}), y(Shape{2, 4}, DType::i32);
  y.set({0, 1}, -1);
  y.set({1, 2}, -2);
  model.fit(x, y);
}

ERROR_CASE(added_loss_outside_of_a_layer) { add_loss(Input({3}), "penalty", 0.1); }

ERROR_CASE(added_loss_of_integers) {
  const auto counted = [](Symbol x) {
    add_loss(x, "count");
    return x;
  };
  const Layer layer("counted", counted);
  layer(Input({3}, DType::i32));
}

ERROR_CASE(added_metric_of_a_taken_name) {
  const Layer layer("watched", [](Symbol x) {
    add_metric("accuracy", mean(x));
    return x;
  });
  auto model = Sequential({layer, Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy, {Accuracy});
  model.fit(features(6), classes());
}

ERROR_CASE(sequence_longer_than_every_bucket) {
  data::buckets({Tensor(Shape{5, 2}), Tensor(Shape{9, 2})}, Tensor(Shape{2}), {.lengths = {4, 8}});
}

ERROR_CASE(sequences_of_different_widths) {
  data::buckets({Tensor(Shape{5, 2}), Tensor(Shape{5, 3})}, Tensor(Shape{2}));
}

ERROR_CASE(sequences_without_targets) {
  data::buckets({Tensor(Shape{5, 2}), Tensor(Shape{9, 2})}, Tensor(Shape{3}));
}

ERROR_CASE(targets_of_another_length_than_their_sequence) {
  data::buckets({Tensor(Shape{5, 2})}, std::vector<Tensor>{Tensor(Shape{4}, DType::i32)});
}

ERROR_CASE(bucket_lengths_that_fall) {
  data::buckets({Tensor(Shape{5, 2})}, Tensor(Shape{1}), {.lengths = {16, 8}});
}

ERROR_CASE(map_of_sequences_in_buckets) {
  data::buckets({Tensor(Shape{5, 2})}, Tensor(Shape{1})).map([](const Samples& s) { return s; });
}

ERROR_CASE(map_of_one_for_several_inputs) {
  const Dataset data({features(6), features(6)}, Tensor(Shape{6, 1}));
  data.map([](const Sample& s) { return s; });
}

ERROR_CASE(arrays_of_several_inputs) {
  Dataset({features(6), features(6)}, Tensor(Shape{6, 1})).arrays();
}

}  // namespace goneuron::errors
