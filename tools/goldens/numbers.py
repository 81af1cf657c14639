"""Numbers that Python and C++ can both make."""
import math

import torch

F64 = torch.float64


def words(stream, count):
    """`count` words of 32 bits, as int64."""
    mask = 0xFFFFFFFF
    h = (torch.arange(count, dtype=torch.int64) * 0x9E3779B9 + stream * 0x85EBCA6B + 1) & mask
    h = ((h ^ (h >> 16)) * 0x85EBCA6B) & mask
    h = ((h ^ (h >> 13)) * 0xC2B2AE35) & mask
    return h ^ (h >> 16)


def uniform(stream, shape, scale):
    """In [-scale, scale), steps of scale / 2^23; exact in float32 when scale is a power of two."""
    return ((words(stream, math.prod(shape)) >> 8).to(F64) * 2.0**-23 - 1.0).reshape(shape) * scale


def pixels(stream, shape):
    """In [0, 1), steps of 1/256."""
    return ((words(stream, math.prod(shape)) >> 24).to(F64) / 256.0).reshape(shape)


def classes(stream, count, below):
    return (words(stream, count) >> 8) % below


class Numbers:
    """Short decimals for the cases in the files: multiples of 1/128 in [-2, 2), another stream at each call."""

    def __init__(self, name):
        self.stream = sum(ord(c) * (i + 1) for i, c in enumerate(name))

    def __call__(self, *shape):
        self.stream += 1
        return (((words(self.stream, math.prod(shape)) >> 23).to(F64) - 256.0) / 128.0).reshape(shape)
