// Programs that make a mistake in their layers, shapes and tensors.
#pragma once

#include "errors.h"

namespace goneuron::errors {

ERROR_CASE(dense_feature_count) {
  Symbol x = Input({64});
  Dense(128, 10)(x);
}

ERROR_CASE(dense_feature_count_in_a_sequential) {
  auto model = Sequential({
      Dense(16, ReLU),
      Dense(32, 10, Softmax),
  });
  model.compile(SGD(0.1), CrossEntropy);
  model.fit(Tensor(Shape{8, 4}), Tensor(Shape{8}, DType::i32));
}

ERROR_CASE(layer_reused_with_another_width) {
  Layer head = Dense(10);
  Symbol wide = Input({128});
  Symbol y = head(wide);
  Symbol narrow = Input({12, 12, 4}) | Conv2D(4, 3) | Flatten() | Dense(64);
  head(narrow);
}

ERROR_CASE(convolution_window_larger_than_the_input) {
  auto model = Sequential({MaxPool2D(8), Conv2D(16, 5)});
  model.build({28, 28, 1});
}

ERROR_CASE(convolution_of_flat_samples) {
  auto model = Sequential({Conv2D(16, 3)});
  model.predict(Tensor(Shape{2, 784}));
}

ERROR_CASE(convolution_channels) {
  Symbol image = Input({28, 28, 3});
  image | Conv2D(1, 32, 3, 1, 1, ReLU);
}

ERROR_CASE(pool_larger_than_the_input) {
  Symbol image = Input({4, 4, 8});
  MaxPool2D(5)(image);
}

ERROR_CASE(pool_padding) { AvgPool2D(2, {.padding = 2}); }

ERROR_CASE(add_of_two_shapes) {
  Symbol x = Input({32});
  Symbol a = x | Dense(16, ReLU);
  Symbol b = x | Dense(8, ReLU);
  Add()({a, b});
}

ERROR_CASE(concat_of_two_shapes) {
  Symbol image = Input({28, 28, 1});
  Symbol a = image | MaxPool2D(2);
  Concat()({image, a});
}

ERROR_CASE(concat_along_the_batch) {
  Symbol x = Input({3});
  Concat({.axis = 0})({x, x});
}

ERROR_CASE(add_of_one_symbol) {
  Symbol x = Input({3});
  Add()(x);
}

ERROR_CASE(arithmetic_does_not_broadcast) {
  Symbol a = Input({4, 3});
  Symbol b = Input({4, 5});
  a + b;
}

ERROR_CASE(arithmetic_within_a_layer) {
  Layer residual("residual", [](Symbol x) {
    Symbol y = x | Dense(16);
    return x * y;
  });
  Sequential({residual}).build({8});
}

ERROR_CASE(matmul_of_two_widths) {
  Symbol a = Input({4, 3});
  Tensor table(Shape{5, 2});
  matmul(a, constant(table));
}

ERROR_CASE(axis_that_is_not_there) {
  Symbol x = Input({4, 3});
  mean(x, {3});
}

ERROR_CASE(slice_out_of_bounds) {
  Symbol x = Input({10});
  slice(x, -1, 8, 12);
}

ERROR_CASE(reshape_does_not_fit) {
  Symbol x = Input({784});
  Reshape({28, 29})(x);
}

ERROR_CASE(reshape_with_two_unknowns) { Reshape({Any, Any}); }

ERROR_CASE(any_read_as_a_number) {
  Symbol image = Input({Any, 28, 1});
  i64 pixels = image.shape().without_batch().elements();
  Dense(pixels);
}

ERROR_CASE(flatten_of_an_unknown_size) {
  Symbol image = Input({Any, 28, 1});
  image | Flatten();
}

ERROR_CASE(same_padding_of_an_unknown_size) {
  Symbol image = Input({Any, Any, 1});
  image | Conv2D(8, 3, {.stride = 2, .padding = Same});
}

ERROR_CASE(input_of_no_size) { Input({28, 0}); }

ERROR_CASE(input_of_a_negative_size) { Input({28, -3}); }

ERROR_CASE(units_below_one) { Dense(-10); }

ERROR_CASE(units_of_an_unknown_size) {
  Symbol image = Input({Any, 28, 1});
  image | Dense(image.shape()[1]);
}

ERROR_CASE(kernel_below_one) { Conv2D(8, 0); }

ERROR_CASE(stride_below_one) { Conv2D(1, 8, 3, -1, 1); }

ERROR_CASE(padding_below_zero) { Conv2D(8, 3, {.padding = -1}); }

ERROR_CASE(dropout_of_everything) { Dropout(1.0); }

ERROR_CASE(dropout_below_zero) { Dropout(-0.1); }

ERROR_CASE(slope_below_zero) { Activate(LeakyReLU(-0.2)); }

ERROR_CASE(batch_norm_epsilon) { BatchNorm({.epsilon = 0}); }

ERROR_CASE(initializer_bounds) { Dense(10, {.weight_init = RandomUniform(1, -1)}); }

ERROR_CASE(two_layers_of_one_name) {
  auto model = Sequential({Dense(8, {.name = "head"}), Dense(4, {.name = "head"})});
  model.build({2});
}

ERROR_CASE(empty_layer) {
  Layer layer;
  layer(Input({3}));
}

ERROR_CASE(empty_symbol) {
  Symbol nothing;
  Dense(3)(nothing);
}

ERROR_CASE(model_without_one_of_its_inputs) {
  Symbol a = Input({3});
  Symbol b = Input({3});
  Model(a, a + b);
}

ERROR_CASE(sequential_of_an_empty_layer) {
  Layer layer;
  Sequential({Dense(3), layer});
}

ERROR_CASE(model_without_layers) { Sequential({}); }

ERROR_CASE(get_layer_unknown) {
  auto model = Sequential({Dense(8, ReLU), Dense(4)});
  model.build({2});
  model.get_layer("dense_2");
}

ERROR_CASE(output_of_an_unbuilt_model) {
  auto model = Sequential({Dense(8)});
  model.output();
}

ERROR_CASE(set_weights_of_another_shape) {
  auto model = Sequential({Dense(8)});
  model.build({2});
  Layer dense = model.get_layer("dense");
  dense.set_weights({Tensor(Shape{8, 2}), Tensor(Shape{8})});
}

ERROR_CASE(set_weights_of_another_count) {
  auto model = Sequential({Dense(8)});
  model.build({2});
  Layer dense = model.get_layer("dense");
  dense.set_weights({Tensor(Shape{2, 8})});
}

ERROR_CASE(tensor_of_too_few_values) { Tensor x(std::vector<float>{1, 2, 3}, {2, 2}); }

ERROR_CASE(tensor_rows_of_two_lengths) { Tensor x{{0, 1}, {2}}; }

ERROR_CASE(tensor_of_another_dtype) {
  Tensor labels(Shape{3}, DType::u8);
  labels.data<float>();
}

ERROR_CASE(tensor_index_out_of_bounds) {
  Tensor x(Shape{3, 2});
  x.at({2, 2});
}

ERROR_CASE(tensor_row_out_of_bounds) {
  Tensor x(Shape{3, 2});
  x[3];
}

ERROR_CASE(tensor_reshape) {
  Tensor x(Shape{3, 2});
  x.reshape({4, 2});
}

ERROR_CASE(tensor_overflows_64_bits) { Tensor x(Shape{i64{1} << 40, i64{1} << 40}); }

ERROR_CASE(layer_overflows_64_bits) {
  auto model = Sequential({Dense(i64{1} << 50), Dense(i64{1} << 50)});
  model.build({2});
}

ERROR_CASE(flatten_overflows_64_bits) {
  Symbol x = Input({i64{1} << 40, i64{1} << 40});
  x | Flatten();
}

}  // namespace goneuron::errors
