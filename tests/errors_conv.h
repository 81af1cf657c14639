// Programs that make a mistake in dilation, groups or depthwise convolutions.
#pragma once

#include "errors.h"

namespace goneuron::errors {

ERROR_CASE(convolution_groups_do_not_divide_the_channels) {
  Symbol image = Input({28, 28, 6});
  image | Conv2D(8, 3, {.groups = 4});
}

ERROR_CASE(convolution_groups_do_not_divide_the_filters) { Conv2D(6, 3, {.groups = 4}); }

ERROR_CASE(convolution_of_no_groups) { Conv2D(6, 3, {.groups = 0}); }

ERROR_CASE(convolution_groups_of_unknown_channels) {
  Symbol image = Input({28, 28, Any});
  image | Conv2D(8, 3, {.groups = 4});
}

ERROR_CASE(convolution_dilation_of_zero) { Conv2D(6, 3, {.dilation = {1, 0}}); }

ERROR_CASE(convolution_dilated_beyond_the_input) {
  Symbol image = Input({12, 12, 3});
  image | Conv2D(8, 3, {.dilation = 6});
}

ERROR_CASE(depthwise_of_flat_samples) {
  Symbol x = Input({784});
  x | DepthwiseConv2D(3);
}

ERROR_CASE(depthwise_multiplier_of_zero) { DepthwiseConv2D(3, {.depth_multiplier = 0}); }

ERROR_CASE(depthwise_of_unknown_channels) {
  Symbol image = Input({28, 28, Any});
  image | DepthwiseConv2D(3);
}

ERROR_CASE(depthwise_layer_for_other_channels) {
  Layer filter = DepthwiseConv2D(3);
  filter(Input({8, 8, 4}));
  filter(Input({8, 8, 6}));
}

}  // namespace goneuron::errors
