"""LSTM and GRU: PyTorch's own kernels, with weights transposed and one bias where ours has one."""
import torch
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from goldens.layers import case
from goldens.numbers import *


def flat_weights(cell, weights):
    """PyTorch's list (w_ih, w_hh, b_ih, b_hh a layer and direction) from ours."""
    each, flat = (3 if cell == "LSTM" else 4), []
    for i in range(0, len(weights), each):
        w_ih, w_hh, bias = weights[i:i + 3]
        b_hh = torch.zeros_like(bias)
        if cell == "GRU":
            b_hh = torch.cat((b_hh[:-len(weights[i + 3])], weights[i + 3]))
        flat += [w_ih.T, w_hh.T, bias, b_hh]
    return flat


def run(cell, x, state, weights, layers=1, bidirectional=False, lengths=None):
    """y [batch, time, directions units] and h [layers directions, batch, units]; zeros at padded steps."""
    flat = flat_weights(cell, weights)
    units, count = flat[1].shape[1], layers * (2 if bidirectional else 1)
    if not state:
        state = [x.new_zeros(count, len(x), units)] * (2 if cell == "LSTM" else 1)
    function = torch._VF.lstm if cell == "LSTM" else torch._VF.gru
    if lengths is None:
        y, h, *_ = function(x, state if cell == "LSTM" else state[0], flat, True, layers, 0.0, False, bidirectional, True)
        return y, h
    packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
    state = [s[:, packed.sorted_indices] for s in state]
    y, h, *_ = function(packed.data, packed.batch_sizes, state if cell == "LSTM" else state[0], flat, True, layers, 0.0,
                        False, bidirectional)
    y, _ = pad_packed_sequence(type(packed)(y, packed.batch_sizes, packed.sorted_indices, packed.unsorted_indices),
                               batch_first=True, total_length=x.shape[1])
    return y, h[:, packed.unsorted_indices]


def recurrent_case(cell, name, shape, units, sequences=False, bidirectional="no", layers=1, reverse=False, lengths=None,
                   zero=False, state=False):
    n = Numbers(cell + name)
    gates, directions = (4 if cell == "LSTM" else 3), (1 if bidirectional == "no" else 2)
    parts, weights = layers * directions, []
    for layer in range(layers):
        features = shape[-1] if layer == 0 else units * (2 if bidirectional == "concat" else 1)
        for _ in range(directions):
            weights += [n(features, gates * units) * 0.5, n(units, gates * units) * 0.5, n(gates * units)]
            if cell == "GRU":
                weights.append(n(units))
    inputs = [n(*shape)]
    if state:
        for _ in range(2 if cell == "LSTM" else 1):
            inputs.append(n(shape[0], units) if parts == 1 else n(shape[0], parts, units))

    def function(x, *rest):
        count = len(inputs) - 1
        starts = [(s[:, None] if parts == 1 else s).transpose(0, 1).contiguous() for s in rest[:count]]
        x = x.flip(1) if reverse else x
        y, h = run(cell, x, starts, rest[count:], layers, directions == 2, lengths)
        y = y.flip(1) if reverse else y
        if not sequences:
            y = torch.cat(tuple(h[-directions:]), -1)
        return y if bidirectional != "sum" else y[..., :units] + y[..., units:]

    options = {"units": units, "return_sequences": sequences, "bidirectional": bidirectional, "reverse": reverse,
               "layers": layers, "masked": lengths is not None, "zero_masked": zero}
    one = case(name, cell, options, inputs, weights, function, n)
    if lengths is not None:
        one["mask"] = (torch.arange(shape[1])[None] < torch.tensor(lengths)[:, None]).to(F64)
    one["name"] = cell.lower() + "_" + name
    return one


def all_cases():
    for cell in ("LSTM", "GRU"):
        yield recurrent_case(cell, "last", (3, 5, 4), 3)
        yield recurrent_case(cell, "sequences", (2, 4, 3), 5, sequences=True)
        yield recurrent_case(cell, "reverse", (2, 4, 3), 3, sequences=True, reverse=True)
        yield recurrent_case(cell, "state", (2, 3, 3), 4, sequences=True, state=True)
        yield recurrent_case(cell, "bidirectional", (2, 4, 3), 3, sequences=True, bidirectional="concat")
        yield recurrent_case(cell, "bidirectional_sum_last", (2, 4, 3), 3, bidirectional="sum")
        yield recurrent_case(cell, "stacked", (2, 4, 3), 3, sequences=True, layers=2)
        yield recurrent_case(cell, "stacked_bidirectional_state", (2, 3, 2), 2, bidirectional="concat", layers=2, state=True)
        yield recurrent_case(cell, "ragged_last", (4, 5, 2), 3, lengths=[3, 5, 1, 4])
        yield recurrent_case(cell, "ragged_sequences", (3, 5, 2), 3, sequences=True, lengths=[2, 5, 3], zero=True,
                             state=True)
        yield recurrent_case(cell, "ragged_bidirectional", (3, 4, 2), 2, sequences=True, bidirectional="concat", layers=2,
                             lengths=[4, 1, 3], zero=True)
