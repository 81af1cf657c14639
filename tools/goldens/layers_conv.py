"""Convolutions with dilation and groups, in our layouts."""
import torch.nn.functional as F

from goldens.layers import ACTIVATIONS, case, first, last, pads
from goldens.numbers import *


def conv_case(name, shape, filters, kernel, stride=(1, 1), padding=0, dilation=(1, 1), groups=1, activation="linear",
              bias=True, layer="Conv2D", more=None):
    n = Numbers(name)
    weights = [n(*kernel, shape[-1] // groups, filters)] + ([n(filters)] if bias else [])
    extent = [(k - 1) * d + 1 for k, d in zip(kernel, dilation)]

    def function(x, w, b=None):
        padded = F.pad(first(x), pads(padding, x, extent, stride))
        y = last(F.conv2d(padded, w.permute(3, 2, 0, 1), b, tuple(stride), 0, tuple(dilation), groups))
        return ACTIVATIONS[activation](y, 0.0)
    options = {"kernel": list(kernel), "stride": list(stride), "padding": padding, "dilation": list(dilation),
               "bias": bias, "activation": activation, "alpha": 0.0}
    options.update(more if more else {"filters": filters, "groups": groups})
    return case(name, layer, options, [n(*shape)], weights, function, n)


def depthwise_case(name, shape, kernel, multiplier=1, **options):
    return conv_case(name, shape, shape[-1] * multiplier, kernel, groups=shape[-1], layer="DepthwiseConv2D",
                     more={"depth_multiplier": multiplier}, **options)


def all_cases():
    yield conv_case("conv_dilated", (1, 7, 8, 2), 3, (3, 3), dilation=(2, 2))
    yield conv_case("conv_dilated_uneven", (1, 6, 9, 2), 2, (2, 3), padding=2, dilation=(1, 3), activation="gelu")
    yield conv_case("conv_dilated_stride", (2, 7, 7, 2), 3, (3, 2), (2, 3), 1, (2, 2), bias=False)
    yield conv_case("conv_dilated_stride_of_common_factor", (1, 9, 8, 1), 2, (3, 2), (4, 2), 2, (2, 4))
    yield conv_case("conv_dilated_same", (1, 5, 6, 2), 3, (3, 3), (1, 1), "same", (2, 3))
    yield conv_case("conv_dilated_same_stride", (1, 6, 7, 2), 2, (3, 3), (2, 2), "same", (2, 2))
    yield conv_case("conv_groups", (2, 4, 5, 4), 6, (3, 3), padding=1, groups=2, activation="relu")
    yield conv_case("conv_groups_stride", (1, 6, 5, 6), 3, (2, 3), (2, 1), 1, groups=3, bias=False)
    yield conv_case("conv_groups_1x1", (2, 3, 3, 4), 8, (1, 1), groups=4)
    yield conv_case("conv_groups_dilated", (1, 6, 6, 4), 4, (3, 3), (1, 1), "same", (2, 2), groups=2)
    yield conv_case("conv_groups_as_channels", (1, 5, 4, 5), 5, (3, 3), padding=1, groups=5)
    yield depthwise_case("depthwise", (2, 5, 6, 3), (3, 3))
    yield depthwise_case("depthwise_same_stride", (1, 6, 5, 17), (3, 3), stride=(2, 2), padding="same")
    yield depthwise_case("depthwise_multiplier", (1, 4, 5, 3), (3, 2), 2, padding=1, activation="silu")
    yield depthwise_case("depthwise_dilated", (1, 7, 6, 4), (3, 3), padding=2, dilation=(2, 2), bias=False)
