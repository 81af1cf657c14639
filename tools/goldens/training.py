"""Training runs of ten steps."""
import sys

import torch
import torch.nn.functional as F

from goldens.layers import avg_pool, conv2d, max_pool
from goldens.numbers import *


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
        out = model(x.to(dtype), leaves)
        logits, added = out if isinstance(out, tuple) else (out, 0.0)  # losses that layers add
        loss = F.cross_entropy(logits, y) + added
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses, [w.detach().to(F64) for w in leaves]


def training_case(name, model, x_shape, classes_, shapes, optimizer, batch=32, batches=2, steps=10, first_weight=100, tokens=None):
    """Stream 1 + 2 k: pixels of batch k, or `tokens` kinds of tokens; 2 + 2 k: its classes, one for each token;
    first_weight + i: weight i."""
    weights = [uniform(first_weight + i, shape, scale) + centre for i, (shape, scale, centre) in enumerate(shapes)]
    rows = batch * math.prod(x_shape) if tokens else batch
    data = [(classes(1 + 2 * k, rows, tokens).reshape(batch, -1) if tokens else pixels(1 + 2 * k, (batch, *x_shape)),
             classes(2 + 2 * k, rows, classes_)) for k in range(batches)]
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
    return {"name": name, "x_shape": list(x_shape), **({"tokens": tokens} if tokens else {}), "classes": classes_, "batch": batch, "batches": batches,
            "first_weight": first_weight, "losses": losses, "float32_pytorch_within": float("%.1e" % deviation), "weights": described}


def all_cases():
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
