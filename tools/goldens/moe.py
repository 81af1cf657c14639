"""Mixtures of experts with the losses that they add: gradients of sum(output * upstream) + sum(weight * loss)."""
import torch
import torch.nn.functional as F

from goldens.layers_moe import balance_loss, expert_ff, gates, moe, z_loss
from goldens.numbers import *


def with_losses(name, layer, options, x, weights, function):
    """Adds the losses, their weights in the options, and all gradients."""
    leaves = [t.clone().requires_grad_() for t in (x, *weights)]
    y = function(*leaves)
    logits = leaves[0] @ leaves[1]
    _, chosen = gates(logits, options["top_k"], True)
    losses = [balance_loss(F.softmax(logits, -1), chosen), z_loss(logits)]
    upstream = Numbers(name + " upstream")(*y.shape)
    total = (y * upstream).sum() + options["balance"] * losses[0] + options["z_loss"] * losses[1]
    gradients = torch.autograd.grad(total, leaves)
    share = F.one_hot(chosen, options["experts"]).to(F64).flatten(0, -2).mean(0)
    return {"name": name, "layer": layer, "options": options, "inputs": [x], "weights": weights, "output": y,
            "upstream": upstream, "losses": torch.stack(losses), "most": share.max(), "least": share.min(),
            "input_gradients": list(gradients[:1]), "weight_gradients": list(gradients[1:])}


def all_cases():
    n = Numbers("moe losses")
    options = {"out": 3, "experts": 5, "top_k": 2, "activation": "tanh", "alpha": 0.0, "bias": True, "normalize": True,
               "balance": 0.5, "z_loss": 0.25}
    yield with_losses("moe_losses", "MoE", options, n(3, 4, 4), [n(4, 5), n(5, 4, 3), n(5, 3)],
                      lambda x, router, w, b: moe(x, router, w, b, 2, "tanh", True))
    options = {"hidden": 5, "experts": 4, "top_k": 1, "activation": "swiglu", "alpha": 0.0, "bias": False,
               "balance": 2.0, "z_loss": 0.125}
    yield with_losses("experts_losses", "ExpertFeedForward", options, n(9, 3), [n(3, 4), n(4, 3, 10), n(4, 5, 3)],
                      lambda x, *w: expert_ff(x, w, 1, "swiglu", False))
