"""Layers, in our layouts: outputs and gradients. `case` is for the other files of layers, too."""
import torch
import torch.nn.functional as F

from goldens.numbers import *

ACTIVATIONS = {
    "linear": lambda x, a: x,
    "relu": lambda x, a: F.relu(x),
    "leaky_relu": lambda x, a: F.leaky_relu(x, a),
    "sigmoid": lambda x, a: torch.sigmoid(x),
    "tanh": lambda x, a: torch.tanh(x),
    "softmax": lambda x, a: F.softmax(x, -1),
    "log_softmax": lambda x, a: F.log_softmax(x, -1),
    "gelu": lambda x, a: F.gelu(x),  # exact: approximate="none" is the default
    "silu": lambda x, a: F.silu(x),
    "elu": lambda x, a: F.elu(x, a),
    "selu": lambda x, a: F.selu(x),
}


def first(x):
    """[n, h, w, c] -> [n, c, h, w]"""
    return x.permute(0, 3, 1, 2)


def last(x):
    return x.permute(0, 2, 3, 1)


def pads(padding, x, kernel, stride):
    """(left, right, top, bottom), as F.pad takes them. "same" as Keras: the odd zero comes after."""
    if padding != "same":
        return (padding,) * 4
    both = []
    for size, k, s in ((x.shape[2], kernel[1], stride[1]), (x.shape[1], kernel[0], stride[0])):
        total = max((-(-size // s) - 1) * s + k - size, 0)
        both += [total // 2, total - total // 2]
    return tuple(both)


def conv2d(x, w, b, stride, padding):
    padded = F.pad(first(x), pads(padding, x, w.shape[:2], stride))
    return last(F.conv2d(padded, w.permute(3, 2, 0, 1), b, tuple(stride)))


def max_pool(x, kernel, stride, padding):
    if padding == "same":
        padded = F.pad(first(x), pads(padding, x, kernel, stride), value=-math.inf)
        return last(F.max_pool2d(padded, tuple(kernel), tuple(stride)))
    return last(F.max_pool2d(first(x), tuple(kernel), tuple(stride), padding))


def avg_pool(x, kernel, stride, padding):
    if padding == "same":
        padded = F.pad(first(x), pads(padding, x, kernel, stride))
        return last(F.avg_pool2d(padded, tuple(kernel), tuple(stride)))
    return last(F.avg_pool2d(first(x), tuple(kernel), tuple(stride), padding))  # count_include_pad=True


def case(name, layer, options, inputs, weights, function, upstream_of):
    """function(*inputs, *weights) -> output; gradients of sum(output * upstream)."""
    leaves = [t.clone().requires_grad_() for t in (*inputs, *weights)]
    y = function(*leaves)
    upstream = upstream_of(*y.shape)
    gradients = torch.autograd.grad(y, leaves, upstream)
    return {"name": name, "layer": layer, "options": options, "inputs": list(inputs), "weights": list(weights),
            "output": y, "upstream": upstream, "input_gradients": list(gradients[:len(inputs)]),
            "weight_gradients": list(gradients[len(inputs):])}


def dense_case(name, shape, units, activation="linear", alpha=0.0, bias=True):
    n = Numbers(name)
    weights = [n(shape[-1], units)] + ([n(units)] if bias else [])

    def function(x, w, b=None):
        z = x @ w
        return ACTIVATIONS[activation](z if b is None else z + b, alpha)
    options = {"units": units, "bias": bias, "activation": activation, "alpha": alpha}
    return case(name, "Dense", options, [n(*shape)], weights, function, n)


def conv_case(name, shape, filters, kernel, stride=(1, 1), padding=0, activation="linear", alpha=0.0, bias=True):
    n = Numbers(name)
    weights = [n(*kernel, shape[-1], filters)] + ([n(filters)] if bias else [])

    def function(x, w, b=None):
        return ACTIVATIONS[activation](conv2d(x, w, b, stride, padding), alpha)
    options = {"filters": filters, "kernel": list(kernel), "stride": list(stride), "padding": padding, "bias": bias,
               "activation": activation, "alpha": alpha}
    return case(name, "Conv2D", options, [n(*shape)], weights, function, n)


def pool_case(layer, name, shape, kernel, stride, padding=0, change=None):
    n = Numbers(name)
    x = n(*shape)
    x = change(x) if change else x
    function = max_pool if layer == "MaxPool2D" else avg_pool
    options = {"kernel": list(kernel), "stride": list(stride), "padding": padding}
    return case(name, layer, options, [x], [], lambda t: function(t, kernel, stride, padding), n)


def activation_case(name, activation, alpha=0.0):
    n = Numbers(name)
    x = n(4, 8) * 2.0
    x[0, 0] = 0.0  # the value at the kink is a convention: ours is PyTorch's
    x[1, :6] = torch.tensor([-30.0, 30.0, -8.5, 8.5, 2.0**-20, -(2.0**-20)])
    if "softmax" in activation:
        x[2] = torch.tensor([1000.0, 999.0, 998.5, -1000.0, 0.0, 1000.0, 990.0, 5.0])
    return case(name, "Activate", {"activation": activation, "alpha": alpha}, [x], [],
                lambda t: ACTIVATIONS[activation](t, alpha), n)


def batch_norm_case(name, shape, momentum=0.1, epsilon=1e-5, scale=True, shift=True):
    """Training on two batches one after the other (the gradients are the first one's), then inference."""
    n = Numbers(name)
    c = shape[-1]
    x, x2 = n(*shape), n(*shape) * 0.5 + 1.0
    weights = ([n(c) + 3.0] if scale else []) + ([n(c)] if shift else [])
    state = [n(c), n(c).abs() + 0.5]
    running = [t.clone() for t in state]

    def norm(t, weights, training):
        gamma = weights[0] if scale else None
        beta = weights[-1] if shift else None
        flat = F.batch_norm(t.reshape(-1, c), *running, gamma, beta, training, momentum, epsilon)
        return flat.reshape(t.shape)
    infer = case(name, "BatchNorm", {}, [x], weights, lambda t, *w: norm(t, w, False), n)
    train = case(name, "BatchNorm", {"momentum": momentum, "epsilon": epsilon, "scale": scale, "shift": shift},
                 [x], weights, lambda t, *w: norm(t, w, True), n)
    after1 = [t.clone() for t in running]
    norm(x2, weights, True)
    after2 = [t.clone() for t in running]
    train.update({"state": state, "state_after": after1, "second_input": x2, "state_after_second": after2,
                  "inference": {"output": infer["output"], "upstream": infer["upstream"],
                                "input_gradients": infer["input_gradients"],
                                "weight_gradients": infer["weight_gradients"]}})
    return train


def with_nan(x):
    x[0, 1, 2, 0] = math.nan
    return x


def all_cases():
    shapes = Numbers("shapes")
    a, b = shapes(2, 3, 4), shapes(2, 3, 4)
    wide, image = shapes(2, 3, 2), shapes(2, 4, 6, 3)
    yield dense_case("dense", (4, 5), 3)
    yield dense_case("dense_without_bias", (3, 7), 2, bias=False)
    yield dense_case("dense_rank_3", (2, 3, 5), 4)
    yield dense_case("dense_one_unit", (5, 9), 1, "sigmoid")
    for activation, alpha in (("relu", 0.0), ("leaky_relu", 0.01), ("tanh", 0.0), ("gelu", 0.0), ("silu", 0.0),
                              ("elu", 1.0), ("selu", 0.0), ("softmax", 0.0), ("log_softmax", 0.0)):
        yield dense_case("dense_" + activation, (3, 4), 5, activation, alpha)
    yield conv_case("conv", (2, 5, 6, 3), 4, (3, 3))
    yield conv_case("conv_one_channel", (2, 6, 6, 1), 5, (3, 3), padding=1, activation="relu")
    yield conv_case("conv_1x1_stride_2", (2, 5, 4, 3), 2, (1, 1), (2, 2), bias=False)
    yield conv_case("conv_rectangular", (1, 6, 7, 2), 3, (3, 2), (2, 1), 1)
    yield conv_case("conv_stride_3", (2, 8, 7, 2), 2, (3, 3), (3, 3), 2)
    yield conv_case("conv_same", (1, 5, 4, 2), 3, (3, 3), (1, 1), "same", "gelu")
    yield conv_case("conv_same_stride_2", (2, 6, 5, 2), 3, (3, 3), (2, 2), "same")
    yield conv_case("conv_same_even_kernel", (1, 5, 6, 2), 2, (2, 4), (1, 1), "same")
    yield conv_case("conv_same_kernel_below_stride", (1, 7, 7, 2), 2, (2, 2), (3, 3), "same", "leaky_relu", 0.2)
    yield pool_case("MaxPool2D", "max_pool", (2, 4, 6, 3), (2, 2), (2, 2))
    yield pool_case("MaxPool2D", "max_pool_rest_dropped", (1, 5, 7, 2), (2, 3), (2, 2))
    yield pool_case("MaxPool2D", "max_pool_overlap", (1, 6, 6, 2), (3, 3), (2, 2), 1)
    yield pool_case("MaxPool2D", "max_pool_same", (1, 5, 6, 2), (3, 2), (2, 2), "same")
    yield pool_case("MaxPool2D", "max_pool_negative_padding_loses", (1, 4, 4, 2), (3, 3), (2, 2), 1,
                    lambda x: -x.abs() - 1.0)
    yield pool_case("MaxPool2D", "max_pool_ties", (1, 6, 6, 2), (3, 3), (3, 3), 0, lambda x: x.round())
    yield pool_case("MaxPool2D", "max_pool_nan", (1, 4, 4, 2), (2, 2), (2, 2), 0, with_nan)
    yield pool_case("AvgPool2D", "avg_pool", (2, 4, 6, 3), (2, 2), (2, 2))
    yield pool_case("AvgPool2D", "avg_pool_padding_counts", (1, 5, 6, 2), (3, 3), (2, 2), 1)
    yield pool_case("AvgPool2D", "avg_pool_rectangular", (1, 5, 7, 2), (2, 3), (1, 2))
    yield pool_case("AvgPool2D", "avg_pool_same", (1, 5, 6, 2), (3, 2), (2, 2), "same")
    yield case("global_avg_pool", "GlobalAvgPool2D", {}, [image], [], lambda x: x.mean((1, 2)), shapes)
    yield case("flatten", "Flatten", {}, [image], [], lambda x: x.flatten(1), shapes)
    yield case("reshape", "Reshape", {"shape": [6, -1]}, [image], [], lambda x: x.reshape(2, 6, -1), shapes)
    yield case("dropout_inference", "Dropout", {"rate": 0.4}, [a], [], lambda x: F.dropout(x, 0.4, False), shapes)
    yield case("add", "Add", {}, [a, b, a * 0.5], [], lambda x, y, z: x + y + z, shapes)
    yield case("concat", "Concat", {"axis": -1}, [a, wide], [], lambda x, y: torch.cat((x, y), -1), shapes)
    yield case("concat_axis_1", "Concat", {"axis": 1}, [a, b], [], lambda x, y: torch.cat((x, y), 1), shapes)
    for activation in ACTIVATIONS:
        yield activation_case(activation, activation, {"leaky_relu": 0.01, "elu": 1.0}.get(activation, 0.0))
    yield activation_case("leaky_relu_02", "leaky_relu", 0.2)
    yield activation_case("elu_05", "elu", 0.5)
    yield batch_norm_case("batch_norm", (6, 4))
    yield batch_norm_case("batch_norm_images", (2, 3, 4, 3), momentum=0.3, epsilon=1e-3)
    yield batch_norm_case("batch_norm_no_scale", (5, 2), scale=False)
    yield batch_norm_case("batch_norm_no_shift", (5, 2), shift=False)
