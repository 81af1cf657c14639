"""Ten steps of a network with two mixtures of experts and all of their losses."""
import torch
import torch.nn.functional as F

from goldens.layers_moe import balance_loss, expert_ff, gates, moe, z_loss
from goldens.training import training_case


def model(x, w):
    """Dense tanh, MoE of 6 experts top-2, ExpertFeedForward of 4 SwiGLU experts top-2, Dense."""
    h = torch.tanh(x @ w[0] + w[1])
    added = losses(h, w[2], 2, 0.05, 0.01)
    h = moe(h, w[2], w[3], w[4], 2, "gelu", True)
    added = added + losses(h, w[5], 2, 0.02, 0.0)
    h = h + expert_ff(h, w[5:10], 2, "swiglu", True)
    return h @ w[10] + w[11], added


def losses(x, router, top_k, balance, z):
    logits = x @ router
    _, chosen = gates(logits, top_k, True)
    return balance * balance_loss(F.softmax(logits, -1), chosen) + z * z_loss(logits)


def all_cases():
    shapes = [((8, 16), 0.5), ((16,), 0.25), ((16, 6), 1.0), ((6, 16, 12), 0.25), ((6, 12), 0.25), ((12, 4), 4.0),
              ((4, 12, 40), 0.25), ((4, 40), 0.25), ((4, 20, 12), 0.25),
              ((4, 12), 0.25), ((12, 5), 0.5), ((5,), 0.5)]
    yield training_case("moe", model, (8,), 5, [(*s, 0.0) for s in shapes], lambda p: torch.optim.Adam(p, lr=0.001),
                        batch=16, first_weight=407)
