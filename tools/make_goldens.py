#!/usr/bin/env python3
"""Writes tests/fixtures/golden_*.json: what PyTorch computes, for the tests that need no PyTorch.

usage: make_goldens.py [OUTPUT_FOLDER]      needs PyTorch >= 2.0 on the CPU; takes seconds; same bytes every time

Inputs and weights are multiples of powers of two that float32 holds exactly; everything computed from them is
computed in float64, the truer value, and written with 12 significant digits. So a float32 run differs from it by its
own rounding only, and a float64 run by 1e-12. null stands for NaN.

Layouts are GoNeuron's: channels last, Dense weights [in, out], Conv2D weights [kh, kw, in, out].

Data and initial weights of the training runs are not in the files: they come from `mix`, an integer hash that
tests/golden.h has too. words(stream, n)[i] = fmix32(i * 0x9E3779B9 + stream * 0x85EBCA6B + 1) modulo 2^32, where
fmix32 is the finalizer of MurmurHash3.
"""
import math
import pathlib
import sys

import torch
import torch.nn.functional as F

torch.set_num_threads(1)
torch.use_deterministic_algorithms(True)
F64 = torch.float64


# ---- numbers that Python and C++ can both make ----------------------------------------------------------------------

def words(stream, count):
    """`count` words of 32 bits, as int64."""
    mask = 0xFFFFFFFF
    h = (torch.arange(count, dtype=torch.int64) * 0x9E3779B9 + stream * 0x85EBCA6B + 1) & mask
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & mask
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & mask
    return h ^ (h >> 16)


def uniform(stream, shape, scale):
    """In [-scale, scale), steps of scale / 2^23; exact in float32 when scale is a power of two."""
    return ((words(stream, math.prod(shape)) >> 8).to(F64) * 2.0**-23 - 1.0).reshape(shape) * scale


def pixels(stream, shape):
    """In [0, 1), steps of 1/256."""
    return ((words(stream, math.prod(shape)) >> 24).to(F64) / 256.0).reshape(shape)


def classes(stream, count, below):
    return (words(stream, count) >> 8) % below


class Numbers:
    """Short decimals for the cases in the files: multiples of 1/128 in [-2, 2), another stream at each call."""

    def __init__(self, name):
        self.stream = sum(ord(c) * (i + 1) for i, c in enumerate(name))

    def __call__(self, *shape):
        self.stream += 1
        return (((words(self.stream, math.prod(shape)) >> 23).to(F64) - 256.0) / 128.0).reshape(shape)


# ---- writing --------------------------------------------------------------------------------------------------------

def number(v):
    if isinstance(v, bool):
        return "true" if v else "false"
    if isinstance(v, int):
        return str(v)
    return "null" if math.isnan(v) else ("%.12g" % v)


def text(v, indent=0):
    pad = "\n" + " " * (indent + 1)
    if isinstance(v, torch.Tensor):
        values = v.detach().contiguous().flatten().tolist()
        return '{"shape": [%s], "values": [%s]}' % (", ".join(map(str, v.shape)), ",".join(map(number, values)))
    if isinstance(v, dict):
        return "{" + ",".join("%s\"%s\": %s" % (pad, k, text(x, indent + 1)) for k, x in v.items()) + "}"
    if isinstance(v, (list, tuple)):
        if all(isinstance(x, (int, float)) for x in v):
            return "[" + ", ".join(map(number, v)) + "]"
        return "[" + ",".join(pad + text(x, indent + 1) for x in v) + "]"
    return '"%s"' % v if isinstance(v, str) else number(v)


def write(folder, name, cases):
    document = {"made_by": "tools/make_goldens.py", "pytorch": torch.__version__.split("+")[0],
                "computed_in": "float64", "cases": cases}
    path = pathlib.Path(folder) / ("golden_%s.json" % name)
    path.write_text(text(document) + "\n")
    print("%s: %d cases, %d bytes" % (path.name, len(cases), path.stat().st_size))


# ---- layers, in our layouts -----------------------------------------------------------------------------------------

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


def layer_cases():
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


# ---- losses ---------------------------------------------------------------------------------------------------------

def loss_case(name, loss, head, y_true, z, function, smoothing=0.0):
    """`head` stands between z and the prediction; function(z) -> one number a sample; gradient of their mean."""
    leaf = z.clone().requires_grad_()
    losses = function(leaf)
    value = losses.mean()
    return {"name": name, "loss": loss, "head": head, "label_smoothing": smoothing,
            "labels": "floating" if y_true.is_floating_point() else "indices", "y_true": y_true, "z": z,
            "losses": losses, "loss_value": value.item(), "gradient": torch.autograd.grad(value, leaf)[0]}


def cross_entropy_cases():
    n = Numbers("cross_entropy")
    z = n(5, 4) * 2.0
    z[1] = torch.tensor([200.0, -200.0, 100.0, 0.0])
    indices = torch.tensor([3, 1, 0, 2, 2])
    one_hot = F.one_hot(indices, 4).to(F64)
    mixed = torch.tensor([[0.5, 0.25, 0.125, 0.125], [0.0, 0.5, 0.5, 0.0]], dtype=F64)
    for head in ("softmax", "log_softmax"):
        for smoothing in (0.0, 0.1):
            tail = head + ("_smoothed" if smoothing else "")

            def function(x, target):
                return F.cross_entropy(x, target, reduction="none", label_smoothing=smoothing)
            yield loss_case("indices_" + tail, "CrossEntropy", head, indices, z, lambda x: function(x, indices), smoothing)
            yield loss_case("one_hot_" + tail, "CrossEntropy", head, one_hot, z, lambda x: function(x, one_hot), smoothing)
    yield loss_case("mixed_classes", "CrossEntropy", "softmax", mixed, z[2:4], lambda x: F.cross_entropy(x, mixed, reduction="none"))
    steps = n(2, 3, 4)
    targets = torch.tensor([[0, 3, 1], [2, 2, 0]])
    yield loss_case("sequence", "CrossEntropy", "softmax", targets, steps,
                    lambda x: F.cross_entropy(x.transpose(1, 2), targets, reduction="none").mean(1))
    p = (n(5, 4).abs() + 0.25) / 4.0  # not normalised on purpose: any other prediction is taken as it is
    for smoothing in (0.0, 0.25):
        def of_probabilities(x, target):
            return -((target * (1 - smoothing) + smoothing / 4) * x.log()).sum(-1)
        tail = "_probabilities" + ("_smoothed" if smoothing else "")
        yield loss_case("indices" + tail, "CrossEntropy", "none", indices, p, lambda x: of_probabilities(x, one_hot), smoothing)
        yield loss_case("one_hot" + tail, "CrossEntropy", "none", one_hot, p, lambda x: of_probabilities(x, one_hot), smoothing)


def loss_cases():
    n = Numbers("losses")
    t, y = n(4, 3), n(4, 3)
    images, seen = n(2, 2, 2, 2), n(2, 2, 2, 2)
    yield loss_case("mse", "MSE", "none", t, y, lambda x: F.mse_loss(x, t, reduction="none").mean(1))
    yield loss_case("mse_images", "MSE", "none", images, seen,
                    lambda x: F.mse_loss(x, images, reduction="none").mean((1, 2, 3)))
    yield loss_case("mse_missing_axis", "MSE", "none", t[:, 0], y[:, :1],
                    lambda x: F.mse_loss(x[:, 0], t[:, 0], reduction="none"))
    yield from cross_entropy_cases()
    soft = (n(4, 3) + 2.0) / 4.0
    hard = (n(4, 3) > 0).to(F64)
    z = n(4, 3) * 3.0
    z[0] = torch.tensor([40.0, -40.0, 0.0])
    p = (n(4, 3) + 2.0) * 0.2 + 0.1
    for name, target in (("soft", soft), ("hard", hard)):
        yield loss_case("binary_logits_" + name, "BinaryCrossEntropy", "sigmoid", target, z,
                        lambda x: F.binary_cross_entropy_with_logits(x, target, reduction="none").mean(1))
        yield loss_case("binary_probabilities_" + name, "BinaryCrossEntropy", "none", target, p,
                        lambda x: F.binary_cross_entropy(x, target, reduction="none").mean(1))


# ---- optimizers -----------------------------------------------------------------------------------------------------

OPTIMIZERS = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam, "AdamW": torch.optim.AdamW}


def optimizer_case(name, kind, **options):
    n = Numbers(name)
    start, gradients = n(6), [n(6) for _ in range(5)]
    for g in gradients:
        g[0] = 0.0
        g[1] = 2.0**-27 * g[1]  # as small as Adam's epsilon: shows on which side of the root it is added
    p = start.clone().requires_grad_()
    optimizer = OPTIMIZERS[kind]([p], **options)
    after = []
    for g in gradients:
        p.grad = g.clone()
        optimizer.step()
        after.append(p.detach().clone())
    words_of = {"lr": "learning_rate", "eps": "epsilon"}
    plain = {words_of.get(k, k): v for k, v in options.items() if k != "betas"}
    if "betas" in options:
        plain["beta1"], plain["beta2"] = options["betas"]
    return {"name": name, "optimizer": kind, "options": plain, "start": start, "gradients": gradients, "after": after}


def optimizer_cases():
    yield optimizer_case("sgd", "SGD", lr=0.1)
    yield optimizer_case("sgd_momentum", "SGD", lr=0.1, momentum=0.9)
    yield optimizer_case("sgd_nesterov", "SGD", lr=0.05, momentum=0.8, nesterov=True)
    yield optimizer_case("sgd_weight_decay", "SGD", lr=0.1, weight_decay=0.05)
    yield optimizer_case("sgd_everything", "SGD", lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.05)
    yield optimizer_case("adam", "Adam", lr=0.001)
    yield optimizer_case("adam_options", "Adam", lr=0.02, betas=(0.8, 0.95), eps=1e-6)
    yield optimizer_case("adam_weight_decay", "Adam", lr=0.01, weight_decay=0.05)
    yield optimizer_case("adamw", "AdamW", lr=0.001)
    yield optimizer_case("adamw_options", "AdamW", lr=0.01, betas=(0.85, 0.99), eps=1e-4, weight_decay=0.1)


# ---- training runs --------------------------------------------------------------------------------------------------
# Each takes its weights as a list in GoNeuron's order; sizes and scales of the initial ones are in the files.

def cnn(x, w):
    y = max_pool(F.relu(conv2d(x, w[0], w[1], (1, 1), 1)), (2, 2), (2, 2), 0)
    return y.flatten(1) @ w[2] + w[3]


def mlp(x, w):
    y = relu_apart(relu_apart(x @ w[0] + w[1]) @ w[2] + w[3])
    return y @ w[4] + w[5]


def relu_apart(z):
    """ReLU of a run whose float64 inputs stay away from 0: within rounding of it any float32 run, PyTorch's too, may
    take the other side, and Adam makes 1e-4 of the loss of that within a few steps. See first_weight below."""
    if z.dtype == F64 and float(z.detach().abs().min()) < 5e-6:
        sys.exit("a ReLU's input is within 5e-6 of 0; choose another first_weight")
    return F.relu(z)


def normed(x, gamma, beta):
    return F.batch_norm(x.reshape(-1, x.shape[-1]), None, None, gamma, beta, True).reshape(x.shape)


def residual(x, w):
    """Convolutions without bias, batch norms, a sum, an average pool and a concatenation of two poolings."""
    a = F.elu(normed(conv2d(x, w[0], None, (1, 1), "same"), w[1], w[2]))
    b = normed(conv2d(a, w[3], None, (1, 1), 1), w[4], w[5])
    y = F.silu(a + b)
    pooled = torch.cat((avg_pool(y, (4, 4), (4, 4), 0).flatten(1), y.mean((1, 2))), -1)
    return pooled @ w[6] + w[7]


def train(model, weights, batches, optimizer, steps, dtype):
    leaves = [w.to(dtype, copy=True).requires_grad_() for w in weights]
    optimizer = optimizer(leaves)
    losses = []
    for step in range(steps):
        x, y = batches[step % len(batches)]
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x.to(dtype), leaves), y)
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, [w.detach().to(F64) for w in leaves]


def training_case(name, model, x_shape, classes_, shapes, optimizer, batch=32, batches=2, steps=10, first_weight=100):
    """Stream 1 + 2 k: pixels of batch k; 2 + 2 k: its classes; first_weight + i: weight i."""
    weights = [uniform(first_weight + i, shape, scale) + centre for i, (shape, scale, centre) in enumerate(shapes)]
    data = [(pixels(1 + 2 * k, (batch, *x_shape)), classes(2 + 2 * k, batch, classes_)) for k in range(batches)]
    losses, after = train(model, weights, data, optimizer, steps, F64)
    rough, rough_after = train(model, weights, data, optimizer, steps, torch.float32)
    deviation = max(abs(a / b - 1) for a, b in zip(rough, losses))
    moved = max(float((a - b).abs().max()) for a, b in zip(rough_after, after))
    print("%s: losses %.6f .. %.6f; float32 PyTorch is within %.1e, its weights within %.1e"
          % (name, losses[0], losses[-1], deviation, moved))
    if deviation > 1e-6:  # a ReLU whose input is within rounding of 0 took the other side: says nothing about anyone
        sys.exit("%s: float32 and float64 part ways; choose another first_weight" % name)
    described = []
    for w, (shape, scale, centre) in zip(after, shapes):
        flat = w.flatten()
        at = [int(i) for i in classes(7, 8, flat.numel())]
        described.append({"shape": list(shape), "scale": scale, "centre": centre, "sum_of_squares": float((flat**2).sum()),
                          "samples_at": at, "samples": [float(flat[i]) for i in at]})
    return {"name": name, "x_shape": list(x_shape), "classes": classes_, "batch": batch, "batches": batches,
            "first_weight": first_weight, "losses": losses, "float32_pytorch_within": float("%.1e" % deviation), "weights": described}


def training_cases():
    def adam(p):
        return torch.optim.Adam(p, lr=0.001)

    def nesterov(p):
        return torch.optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01)
    yield training_case("cnn", cnn, (28, 28, 1), 10, [((3, 3, 1, 32), 0.25, 0.0), ((32,), 0.25, 0.0),
                        ((6272, 10), 2.0**-6, 0.0), ((10,), 2.0**-6, 0.0)], adam)
    yield training_case("mlp", mlp, (784,), 10, [((784, 512), 2.0**-5, 0.0), ((512,), 2.0**-5, 0.0), ((512, 256), 2.0**-4, 0.0),
                        ((256,), 2.0**-4, 0.0), ((256, 10), 2.0**-4, 0.0), ((10,), 2.0**-4, 0.0)], adam, first_weight=200)
    yield training_case("residual", residual, (8, 8, 3), 5, [
        ((3, 3, 3, 8), 0.25, 0.0), ((8,), 0.25, 1.0), ((8,), 0.25, 0.0), ((3, 3, 8, 8), 0.125, 0.0), ((8,), 0.25, 1.0),
        ((8,), 0.25, 0.0), ((40, 5), 0.125, 0.0), ((5,), 0.125, 0.0)], nesterov, batch=8)


def main():
    if len(sys.argv) > 2 or sys.argv[1:] in (["-h"], ["--help"]):
        sys.exit(__doc__)
    folder = sys.argv[1] if len(sys.argv) == 2 else pathlib.Path(__file__).resolve().parent.parent / "tests" / "fixtures"
    for name, cases in (("layers", layer_cases), ("losses", loss_cases), ("optimizers", optimizer_cases),
                        ("training", training_cases)):
        write(folder, name, list(cases()))


if __name__ == "__main__":
    main()
