"""Convolutions that fast implementations turn into fewer products: 3 x 3 windows, many channels. Larger than other cases,
so that inputs and weights are named by their stream, and of results every 19th number is kept."""
import torch.nn.functional as F

from goldens.layers import case, first, last, pads
from goldens.numbers import *
from goldens.training import relu_apart

EVERY = 19  # shares no factor with channels or rows


def sampled(t):
    return {"shape": list(t.shape), "every": EVERY, "values": t.detach().contiguous().flatten()[::EVERY].tolist()}


def winograd_case(name, stream, shape, filters, padding, activation="linear", groups=1):
    """Scales at which sums are about 1: below it, what is allowed is relative to their size."""
    named = [{"shape": list(s), "stream": stream + i, "scale": scale} for i, (s, scale) in enumerate(
        [(shape, 1.0), ((3, 3, shape[-1] // groups, filters), 0.125), ((filters,), 0.125)])]
    x, w, b = [uniform(one["stream"], one["shape"], one["scale"]) for one in named]

    def function(x, w, b):
        padded = F.pad(first(x), pads(padding, x, (3, 3), (1, 1)))
        y = last(F.conv2d(padded, w.permute(3, 2, 0, 1), b, groups=groups))
        return relu_apart(y) if activation == "relu" else y
    options = {"filters": filters, "kernel": [3, 3], "stride": [1, 1], "padding": padding, "groups": groups, "bias": True,
               "activation": activation, "alpha": 0.0}
    whole = case(name, "Conv2D", options, [x], [w, b], function, lambda *s: uniform(stream + 3, s, 0.125))
    whole.update({"inputs": named[:1], "weights": named[1:], "output": sampled(whole["output"]),
                  "upstream": {"shape": list(whole["upstream"].shape), "stream": stream + 3, "scale": 0.125}})
    for gradients in ("input_gradients", "weight_gradients"):
        whole[gradients] = [sampled(t) for t in whole[gradients]]
    return whole


def all_cases():
    yield winograd_case("winograd_same", 1000, (2, 13, 18, 16), 32, "same")
    yield winograd_case("winograd_same_relu", 1010, (2, 13, 18, 32), 16, "same", "relu")
    yield winograd_case("winograd_valid", 1020, (3, 13, 18, 32), 16, 0)
    yield winograd_case("winograd_valid_relu", 1030, (3, 13, 18, 16), 32, 0, "relu")
    yield winograd_case("winograd_two_groups", 1051, (5, 9, 7, 32), 64, 1, "relu", groups=2)
