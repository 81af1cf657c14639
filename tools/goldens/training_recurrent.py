"""Ten steps of the lstm and gru workloads at a small size: a recurrent layer, its last output, a dense head."""
from goldens.layers_recurrent import run
from goldens.numbers import *
from goldens.training import torch, training_case


def lstm(x, w):
    return run("LSTM", x, [], w[:3])[1][0] @ w[3] + w[4]


def gru(x, w):
    return run("GRU", x, [], w[:4])[1][0] @ w[4] + w[5]


def all_cases():
    def adam(p):
        return torch.optim.Adam(p, lr=0.001)
    head = [((24, 10), 0.25, 0.0), ((10,), 0.25, 0.0)]
    yield training_case("lstm", lstm, (12, 28), 10, [((28, 96), 0.25, 0.0), ((24, 96), 0.25, 0.0), ((96,), 0.25, 0.0)] + head,
                        adam, first_weight=300)
    yield training_case("gru", gru, (12, 28), 10, [((28, 72), 0.25, 0.0), ((24, 72), 0.25, 0.0), ((72,), 0.25, 0.0),
                        ((24,), 0.25, 0.0)] + head, adam, first_weight=400)
