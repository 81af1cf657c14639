"""Norms, embeddings, positions and pooling over time: outputs and gradients."""
import torch
import torch.nn.functional as F

from goldens.layers import case, conv2d
from goldens.numbers import *


def fixed(one, *tensors):
    """Inputs behind the others that have no gradient: tokens (i32) and masks (f32)."""
    one["fixed_inputs"] = [{"dtype": "f32" if t.is_floating_point() else "i32", "tensor": t} for t in tensors]
    return one


def norm_weights(n, c, scale, shift):
    return ([n(c) + 1.5] if scale else []) + ([n(c)] if shift else [])


def layer_norm_case(name, shape, epsilon=1e-5, scale=True, shift=True):
    n = Numbers(name)
    c = shape[-1]

    def function(x, *w):
        return F.layer_norm(x, (c,), w[0] if scale else None, w[-1] if shift else None, epsilon)
    return case(name, "LayerNorm", {"epsilon": epsilon, "scale": scale, "shift": shift}, [n(*shape)],
                norm_weights(n, c, scale, shift), function, n)


def rms_norm_case(name, shape, epsilon=1e-6, scale=True):
    n = Numbers(name)

    def function(x, w=None):
        y = x * torch.rsqrt(x.square().mean(-1, keepdim=True) + epsilon)
        return y if w is None else y * w
    return case(name, "RMSNorm", {"epsilon": epsilon, "scale": scale}, [n(*shape)],
                norm_weights(n, shape[-1], scale, False), function, n)


def group_norm_case(name, shape, groups, epsilon=1e-5, scale=True, shift=True):
    n = Numbers(name)

    def function(x, *w):
        gamma = w[0] if scale else torch.ones(shape[-1], dtype=F64)  # PyTorch 2.6 fails on None with a bias
        y = F.group_norm(x.movedim(-1, 1), groups, gamma, w[-1] if shift else None, epsilon)
        return y.movedim(1, -1)
    options = {"groups": groups, "epsilon": epsilon, "scale": scale, "shift": shift}
    return case(name, "GroupNorm", options, [n(*shape)], norm_weights(n, shape[-1], scale, shift), function, n)


def embedding_case(name, shape, vocabulary, width):
    n = Numbers(name)
    tokens = classes(n.stream, math.prod(shape), vocabulary).reshape(shape)
    one = case(name, "Embedding", {"vocabulary": vocabulary, "width": width}, [], [n(vocabulary, width)],
               lambda w: F.embedding(tokens, w), n)
    return fixed(one, tokens)


def sinusoids(time, width):
    """Vaswani et al. 2017, section 3.5."""
    pair = torch.arange(0, width, 2, dtype=F64) / width
    angles = torch.arange(time, dtype=F64)[:, None] / 10000.0**pair
    return torch.stack((angles.sin(), angles.cos()), -1).reshape(time, -1)[:, :width]


def attention(x, w, b, q, mask=None):
    scores = (torch.tanh(x @ w + b) @ q).squeeze(-1)
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -math.inf)
    return (F.softmax(scores, 1).unsqueeze(-1) * x).sum(1)


def all_cases():
    n = Numbers("sequence")
    x, mask = n(3, 5, 4), torch.tensor([[1, 1, 1, 0, 0], [1, 1, 1, 1, 1], [0, 1, 0, 0, 1]], dtype=F64)
    attention_weights, film = [n(4, 3), n(3), n(3, 1)], n(2, 3, 4, 5, 2)
    yield layer_norm_case("layer_norm", (5, 7))
    yield layer_norm_case("layer_norm_sequence", (2, 3, 36), 1e-3)
    yield layer_norm_case("layer_norm_no_scale", (4, 6), scale=False)
    yield layer_norm_case("layer_norm_no_shift", (4, 6), shift=False)
    yield layer_norm_case("layer_norm_plain", (2, 3, 5), scale=False, shift=False)
    yield rms_norm_case("rms_norm", (5, 7))
    yield rms_norm_case("rms_norm_sequence", (2, 3, 36), 1e-3)
    yield rms_norm_case("rms_norm_no_scale", (4, 6), scale=False)
    yield group_norm_case("group_norm", (3, 2, 3, 4), 2)
    yield group_norm_case("group_norm_sequence", (2, 5, 6), 3, 1e-3)
    yield group_norm_case("group_norm_one_group", (3, 2, 2, 3), 1)
    yield group_norm_case("group_norm_each_channel", (2, 3, 3, 4), 4, scale=False)
    yield group_norm_case("group_norm_no_shift", (2, 7, 4), 2, shift=False)
    yield embedding_case("embedding", (3, 5), 6, 4)
    yield embedding_case("embedding_rank_3", (2, 2, 3), 4, 2)
    yield case("position_embedding", "PositionEmbedding", {"max_length": 7}, [x], [n(7, 4)],
               lambda t, w: t + w[:5], n)
    yield case("sinusoidal_positions", "SinusoidalPositions", {}, [x], [], lambda t: t + sinusoids(5, 4), n)
    yield case("sinusoidal_positions_odd", "SinusoidalPositions", {}, [n(2, 9, 5)], [],
               lambda t: t + sinusoids(9, 5), n)
    yield case("global_average_pooling", "GlobalAveragePooling1D", {}, [x], [], lambda t: t.mean(1), n)
    yield fixed(case("global_average_pooling_mask", "GlobalAveragePooling1D", {}, [x], [],
                     lambda t: (t * mask[..., None]).sum(1) / mask.sum(1, keepdim=True), n), mask)
    yield case("cls_pooling", "CLSPooling", {}, [x], [], lambda t: t[:, 0], n)
    yield case("global_attention", "GlobalAttention", {"units": 3}, [x], attention_weights, attention, n)
    yield fixed(case("global_attention_mask", "GlobalAttention", {"units": 3}, [x], attention_weights,
                     lambda *t: attention(*t, mask=mask), n), mask)
    conv = {"filters": 3, "kernel": [2, 2], "stride": [1, 1], "padding": 0, "bias": True, "activation": "linear",
            "alpha": 0.0}
    yield case("time_distributed", "TimeDistributed", {"inner": {"layer": "Conv2D", "options": conv}}, [film],
               [n(2, 2, 2, 3), n(3)],
               lambda t, w, b: torch.stack([conv2d(t[:, i], w, b, (1, 1), 0) for i in range(3)], 1), n)
