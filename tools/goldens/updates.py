"""Schedules, and training runs with schedules, clipping, parameter groups, averages and accumulation."""
import sys

import torch
import torch.nn.functional as F
from torch.optim import lr_scheduler as lrs
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from goldens.numbers import *


def warmup(rate, first, total, start, end, after):
    """After a line from `start` to `rate`: `after` from `rate` to `end`."""
    def make(optimizer):
        rise = lrs.LinearLR(optimizer, start_factor=start / rate, end_factor=1.0, total_iters=first)
        fall = (lrs.LinearLR(optimizer, start_factor=1.0, end_factor=end / rate, total_iters=total - first)
                if after == "linear" else lrs.CosineAnnealingLR(optimizer, total - first, eta_min=end))
        return lrs.SequentialLR(optimizer, [rise, fall], milestones=[first])
    return make


SCHEDULES = {
    "step": ("StepDecay", [0.1, 7, 0.5], lambda o: lrs.StepLR(o, 7, 0.5)),
    "exponential": ("ExponentialDecay", [0.1, 0.9], lambda o: lrs.ExponentialLR(o, 0.9)),
    "cosine": ("CosineDecay", [0.1, 20, 0.0], lambda o: lrs.CosineAnnealingLR(o, 20)),
    "cosine_end": ("CosineDecay", [0.1, 15, 0.01], lambda o: lrs.CosineAnnealingLR(o, 15, eta_min=0.01)),
    "warmup_linear": ("WarmupLinear", [0.1, 5, 20, 0.01, 0.002], warmup(0.1, 5, 20, 0.01, 0.002, "linear")),
    "warmup_cosine": ("WarmupCosine", [0.1, 4, 16, 0.02, 0.005], warmup(0.1, 4, 16, 0.02, 0.005, "cosine")),
    "function": ("Schedule", [0.1], lambda o: lrs.LambdaLR(o, lambda step: 1 / (1 + step))),
}


def schedule_case(name):
    """As many steps as PyTorch's own does not turn round at the end of its cosine."""
    kind, numbers, make = SCHEDULES[name]
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    scheduler, rates = make(optimizer), []
    for _ in range(20 if name != "cosine_end" else 16):
        rates.append(float(optimizer.param_groups[0]["lr"]))
        if len(rates) < 17 or name != "warmup_cosine":
            optimizer.step()
            scheduler.step()
    if name == "warmup_cosine":
        rates = rates[:17]
    return {"name": "schedule_" + name, "schedule": kind, "numbers": numbers, "rates": rates}


class Net(torch.nn.Module):
    """Dense(5, Tanh), Dense(3), in GoNeuron's layout."""

    def __init__(self, weights):
        super().__init__()
        self.w = torch.nn.ParameterList([torch.nn.Parameter(w.clone()) for w in weights])

    def forward(self, x):
        return torch.tanh(x @ self.w[0] + self.w[1]) @ self.w[2] + self.w[3]


OPTIMIZERS = {"SGD": torch.optim.SGD, "Adam": torch.optim.Adam, "AdamW": torch.optim.AdamW}
WORDS = {"lr": "learning_rate"}


def train(x, y, net, kind, options, clip, schedule, groups, ema, accumulate, epochs, frozen):
    """Losses of all batches, times that gradients were clipped, the average. Batches of 4 in order, the last smaller."""
    for i in frozen:
        net.w[i].requires_grad_(False)
    parts = [{"params": [w], **groups.get(i, {})} for i, w in enumerate(net.w) if i not in frozen]
    optimizer = OPTIMIZERS[kind](parts, **options)
    scheduler = SCHEDULES[schedule][2](optimizer) if schedule else None
    average = AveragedModel(net, multi_avg_fn=get_ema_multi_avg_fn(ema)) if ema else None
    trained = [w for w in net.w if w.requires_grad]
    losses, clipped = [], 0
    batches = [slice(at, min(at + 4, len(x))) for at in range(0, len(x), 4)]
    for first in list(range(0, len(batches), accumulate)) * epochs:
        group = batches[first:first + accumulate]
        count = sum(b.stop - b.start for b in group)
        optimizer.zero_grad()
        for b in group:
            loss = F.mse_loss(net(x[b]), y[b])
            losses.append(loss.item())
            (loss * ((b.stop - b.start) / count)).backward()
        clipped += clip_gradients(trained, *clip) if clip else 0
        optimizer.step()
        if scheduler:
            scheduler.step()
        if average:
            average.update_parameters(net)
    return losses, clipped, average


def clip_gradients(trained, way, bound):
    if way == "clip_value":
        clipped = sum(int((w.grad.abs() > bound).any()) for w in trained)
        torch.nn.utils.clip_grad_value_(trained, bound)
        return clipped
    groups = [[w] for w in trained] if way == "clip_norm" else [trained]
    return sum(int(torch.nn.utils.clip_grad_norm_(group, bound) > bound) for group in groups)


def training_case(name, kind, options, clip=None, schedule=None, groups=None, ema=0.0, accumulate=1, epochs=2, rows=20,
                  frozen=()):
    """`clip`: (way, bound). `groups`: {weight's index: options}."""
    n = Numbers(name)
    x, y, start = n(rows, 4), n(rows, 3), [n(4, 5) / 2, n(5) / 2, n(5, 3) / 2, n(3) / 2]
    rest = (kind, options, clip, schedule, groups or {}, ema, accumulate, epochs, frozen)
    net, rough = Net(start), Net(start).float()
    losses, clipped, average = train(x, y, net, *rest)
    train(x.float(), y.float(), rough, *rest)
    apart = max(float((a - b).abs().max() / b.pow(2).mean().sqrt().clamp(max=1)) for a, b in zip(rough.w, net.w))
    print("%s: %d batches, %d times clipped; float32 PyTorch is within %.1e" % (name, len(losses), clipped, apart))
    if apart > 2e-6:  # Adam divides by a gradient that is all rounding: says nothing about anyone
        sys.exit("%s: float32 and float64 part ways; choose another name" % name)
    if clip and not clipped:
        sys.exit("%s: nothing is clipped" % name)
    case = {"name": name, "optimizer": kind, "options": {WORDS.get(k, k): v for k, v in options.items()}, "x": x, "y": y,
            "start": start, "epochs": epochs, "accumulate": accumulate, "losses": losses, "after": list(net.w)}
    if clip:
        case["options"][clip[0]] = clip[1]
    if schedule:
        case["schedule"], case["numbers"] = SCHEDULES[schedule][0], SCHEDULES[schedule][1]
    if average:
        case["ema"], case["averages"] = ema, list(average.module.w)
    return case


def all_cases():
    for name in SCHEDULES:
        yield schedule_case(name)
    momentum = dict(lr=0.1, momentum=0.9, nesterov=True, weight_decay=0.01)
    yield training_case("sgd_clip_value", "SGD", dict(lr=0.1), clip=("clip_value", 0.25))
    yield training_case("sgd_clip_norm", "SGD", dict(lr=0.1), clip=("clip_norm", 0.5))
    yield training_case("sgd_global_clip_norm", "SGD", momentum, clip=("global_clip_norm", 1.0))
    yield training_case("adam_clip_value", "Adam", dict(lr=0.02, weight_decay=0.01), clip=("clip_value", 0.25))
    yield training_case("adam_global_clip_norm", "Adam", dict(lr=0.02), clip=("global_clip_norm", 0.75))
    yield training_case("adamw_clip_norm", "AdamW", dict(lr=0.02, weight_decay=0.1), clip=("clip_norm", 0.25))
    yield training_case("sgd_step_decay", "SGD", dict(lr=0.1), schedule="step")
    yield training_case("adam_cosine", "Adam", dict(lr=0.1), schedule="cosine_end", epochs=3)
    yield training_case("adamw_warmup_cosine", "AdamW", dict(lr=0.1), schedule="warmup_cosine", epochs=3)
    yield training_case("adamw_no_decay", "AdamW", dict(lr=0.02, weight_decay=0.5),
                        groups={1: dict(weight_decay=0.0), 3: dict(weight_decay=0.0)})
    yield training_case("sgd_groups", "SGD", momentum, groups={0: dict(lr=0.01), 1: dict(lr=0.01),
                                                               3: dict(weight_decay=0.0)})
    yield training_case("adam_frozen", "Adam", dict(lr=0.02), clip=("global_clip_norm", 0.75), frozen=(0, 1))
    yield training_case("sgd_accumulate", "SGD", momentum, accumulate=2, rows=22)
    yield training_case("adam_ema", "Adam", dict(lr=0.02), ema=0.9)
    yield training_case("adamw_everything", "AdamW", dict(lr=0.1, weight_decay=0.2), clip=("global_clip_norm", 0.5),
                        schedule="cosine", groups={0: dict(lr=0.05), 1: dict(lr=0.05, weight_decay=0.0),
                                                   3: dict(weight_decay=0.0)}, ema=0.75, accumulate=3, rows=26, epochs=4)
