"""Losses on the heads that they go with."""
import torch
import torch.nn.functional as F

from goldens.numbers import *


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


def all_cases():
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
