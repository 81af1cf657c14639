"""Mixtures of experts without their losses: every expert computed for every token, weighted by 0 where not chosen."""
import sys

import torch.nn.functional as F

from goldens.layers import ACTIVATIONS, case
from goldens.numbers import *


GAP = 1e-4


def gates(logits, top_k, normalize):
    """[.., experts]: weights, 0 where not chosen. The choices must not hang on rounding."""
    probs = F.softmax(logits, -1)
    values, chosen = probs.topk(top_k, -1)
    ordered = logits.detach().sort(-1, descending=True).values
    if top_k < logits.shape[-1] and float((ordered[..., top_k - 1] - ordered[..., top_k]).min()) < GAP:
        sys.exit("two experts are too close")
    if normalize:
        values = values / values.sum(-1, keepdim=True)
    return torch.zeros_like(probs).scatter(-1, chosen, values), chosen


def balance_loss(probs, chosen):
    """experts * sum of (share of the routed rows) * (mean probability): Fedus et al. 2021, for any top_k."""
    experts = probs.shape[-1]
    share = F.one_hot(chosen, experts).to(probs.dtype).flatten(0, -2).mean(0)
    return experts * (share * probs.flatten(0, -2).mean(0)).sum()


def z_loss(logits):
    return logits.logsumexp(-1).square().mean()


def mixture(parts, gate):
    """parts: [.., experts, out]"""
    return (parts * gate.unsqueeze(-1)).sum(-2)


def each(x, w, b=None):
    """Every expert on every token: [.., in] -> [.., experts, out]"""
    y = torch.einsum("...i,eio->...eo", x, w)
    return y if b is None else y + b


def own(h, w, b=None):
    """Every expert on its own part: [.., experts, in] -> [.., experts, out]"""
    y = torch.einsum("...ei,eio->...eo", h, w)
    return y if b is None else y + b


def moe(x, router, w, b, top_k, activation, normalize):
    gate, _ = gates(x @ router, top_k, normalize)
    return mixture(ACTIVATIONS[activation](each(x, w, b), 0.0), gate)


def expert_ff(x, weights, top_k, activation, bias):
    """weights: router, up, down, the latter with their biases; SwiGLU: up makes gates, then values."""
    router, rest = weights[0], list(weights[1:])
    up, down = (rest[:2], rest[2:]) if bias else (rest[:1], rest[1:])
    gate, _ = gates(x @ router, top_k, True)
    h = each(x, *up)
    if activation == "swiglu":
        half = h.shape[-1] // 2
        h = F.silu(h[..., :half]) * h[..., half:]
    else:
        h = ACTIVATIONS[activation](h, 0.0)
    return mixture(own(h, *down), gate)


def moe_case(name, shape, out, experts, top_k, activation="linear", bias=True, normalize=True):
    n = Numbers(name)
    d = shape[-1]
    weights = [n(d, experts), n(experts, d, out)] + ([n(experts, out)] if bias else [])

    def function(x, router, w, b=None):
        return moe(x, router, w, b, top_k, activation, normalize)
    options = {"out": out, "experts": experts, "top_k": top_k, "activation": activation, "alpha": 0.0, "bias": bias,
               "normalize": normalize}
    return case(name, "MoE", options, [n(*shape)], weights, function, n)


def ff_case(name, shape, hidden, experts, top_k, activation="gelu", bias=True):
    n = Numbers(name)
    d = shape[-1]
    weights = [n(d, experts)]
    for inputs, outputs in ((d, hidden * (2 if activation == "swiglu" else 1)), (hidden, d)):
        weights += [n(experts, inputs, outputs)] + ([n(experts, outputs)] if bias else [])

    def function(x, *weights):
        return expert_ff(x, weights, top_k, activation, bias)
    options = {"hidden": hidden, "experts": experts, "top_k": top_k, "activation": activation, "alpha": 0.0, "bias": bias}
    return case(name, "ExpertFeedForward", options, [n(*shape)], weights, function, n)


def all_cases():
    yield moe_case("moe", (7, 5), 3, 4, 2)
    yield moe_case("moe_one_of_one", (4, 3), 2, 1, 1)
    yield moe_case("moe_all", (5, 4), 3, 3, 3, "tanh")
    yield moe_case("moe_rank_3", (2, 6, 4), 3, 5, 2, "gelu", bias=False)
    yield moe_case("moe_most_unused", (3, 4), 2, 9, 1, "relu", normalize=False)
    yield moe_case("moe_not_normalized", (6, 4), 3, 4, 2, normalize=False)
    yield ff_case("experts", (2, 5, 4), 6, 4, 2)
    yield ff_case("experts_relu", (2, 4, 3), 5, 3, 1, "relu")
    yield ff_case("experts_swiglu", (2, 5, 4), 6, 4, 2, "swiglu", bias=False)
    yield ff_case("experts_swiglu_bias", (9, 3), 4, 4, 3, "swiglu")
