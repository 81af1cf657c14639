"""Optimizers on one weight."""
import torch

from goldens.numbers import *


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


def all_cases():
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
