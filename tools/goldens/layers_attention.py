"""Attention and transformer blocks, in our layouts. Keys are in one weight: queries, keys, values side by side."""
import torch
import torch.nn as nn
import torch.nn.functional as F
from torch.func import functional_call

from goldens.layers import case
from goldens.numbers import *


def rotated(x, base, scale):
    """x [b, heads, t, d]: neighbours (2i, 2i + 1) turn by t * scale / base^(2i / d)."""
    t, d = x.shape[-2:]
    angle = torch.outer(torch.arange(t, dtype=F64) * scale, base ** (-torch.arange(0, d, 2, dtype=F64) / d))
    turn = torch.polar(torch.ones_like(angle), angle).to(torch.complex128 if x.dtype == F64 else torch.complex64)
    turned = torch.view_as_complex(x.reshape(*x.shape[:-1], d // 2, 2).contiguous()) * turn
    return torch.view_as_real(turned).flatten(-2)


def keys_seen(t, o, mask):
    """[b or 1, 1, t, t]: True where a query sees a key."""
    i, j = torch.arange(t)[:, None], torch.arange(t)[None]
    seen = torch.ones(1, 1, t, t, dtype=torch.bool)
    if o.get("causal"):
        seen = seen & (j <= i)
    if o.get("window"):
        seen = seen & ((i - j).abs() < o["window"])
    return seen if mask is None else seen & (mask > 0)[:, None, None, :]


def self_attention(x, o, mask, w, b, w_out, b_out):
    """Written out around F.scaled_dot_product_attention."""
    heads, kv = o["heads"], o.get("kv_heads") or o["heads"]
    dim = o.get("head_dim") or x.shape[-1] // heads
    packed = (x @ w if b is None else x @ w + b).unflatten(-1, (heads + 2 * kv, dim)).transpose(1, 2)
    q, k, v = packed.split((heads, kv, kv), 1)
    if o.get("rope"):
        q, k = (rotated(t, o["rope_base"], o["rope_scale"]) for t in (q, k))
    k, v = (t.repeat_interleave(heads // kv, 1) for t in (k, v))
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=keys_seen(x.shape[1], o, mask), scale=o.get("scale") or None)
    y = y.transpose(1, 2).flatten(2) @ w_out
    return y if b_out is None else y + b_out


def with_mask(one, mask):
    if mask is not None:
        one["mask"] = mask
    return one


def options_of(heads, more):
    return {"heads": heads, **{"rope_base": 10000.0, "rope_scale": 1.0, **more}}


def self_case(name, shape, heads, mask=None, **more):
    n, o = Numbers(name), options_of(heads, more)
    width, kv = shape[-1], more.get("kv_heads") or heads
    dim = more.get("head_dim") or width // heads
    weights = [n(width, (heads + 2 * kv) * dim) / 4, n((heads + 2 * kv) * dim), n(heads * dim, width) / 4, n(width)]
    if not more.get("bias", True):
        weights = weights[::2]

    def function(x, *w):
        if len(w) == 2:
            return self_attention(x, o, mask, w[0], None, w[1], None)
        return self_attention(x, o, mask, *w)
    return with_mask(case(name, "MultiHeadAttention", o, [n(*shape)], weights, function, n), mask)


def module_case(name, shape, heads, keys=None, memory_width=None, mask=None, causal=False):
    """nn.MultiheadAttention itself, of x to itself or to a memory."""
    n, width = Numbers(name), shape[-1]
    other = memory_width or width
    module = nn.MultiheadAttention(width, heads, batch_first=True, kdim=memory_width, vdim=memory_width).double()
    inputs = [n(*shape)] + ([n(shape[0], keys, other)] if keys else [])
    first = [n(width, width) / 4, n(width), n(other, 2 * width) / 4, n(2 * width)] if keys else [n(width, 3 * width) / 4, n(3 * width)]
    weights = first + [n(width, width) / 4, n(width)]
    hidden = None if mask is None else mask == 0
    above = nn.Transformer.generate_square_subsequent_mask(shape[1], dtype=F64) if causal else None

    def function(*leaves):
        x, memory, w = leaves[0], leaves[1 if keys else 0], list(leaves[len(inputs):])
        if keys:
            w = [torch.cat((w[0], w[2]), 1) if not memory_width else (w[0], w[2]), torch.cat((w[1], w[3]))] + w[4:]
        named = {"in_proj_bias": w[1], "out_proj.weight": w[2].T, "out_proj.bias": w[3]}
        if memory_width:
            k, v = w[0][1].chunk(2, 1)
            named.update({"q_proj_weight": w[0][0].T, "k_proj_weight": k.T, "v_proj_weight": v.T})
        else:
            named["in_proj_weight"] = w[0].T
        return functional_call(module, named, (x, memory, memory),
                               {"key_padding_mask": hidden, "attn_mask": above, "need_weights": False})[0]
    return with_mask(case(name, "MultiHeadAttention", options_of(heads, {"causal": causal}), inputs, weights, function, n), mask)


def attention_weights(n, width, memory=False):
    if memory:
        return [n(width, width) / 4, n(width), n(width, 2 * width) / 4, n(2 * width), n(width, width) / 4, n(width)]
    return [n(width, 3 * width) / 4, n(3 * width), n(width, width) / 4, n(width)]


def norm_weights(n, width):
    return [n(width) / 4 + 1.0, n(width)]


def in_order(pre_norm, norm, part):
    return norm + part if pre_norm else part + norm


def encoder_case(name, shape, heads, ff, activation, pre_norm, mask=None, causal=False):
    """nn.TransformerEncoderLayer itself."""
    n, width = Numbers(name), shape[-1]
    layer = nn.TransformerEncoderLayer(width, heads, ff, 0.0, activation, batch_first=True, norm_first=pre_norm).double()
    weights = in_order(pre_norm, norm_weights(n, width), attention_weights(n, width)) + in_order(
        pre_norm, norm_weights(n, width), [n(width, ff) / 4, n(ff), n(ff, width) / 4, n(width)])
    names = in_order(pre_norm, ["norm1.weight", "norm1.bias"], [
        "self_attn.in_proj_weight", "self_attn.in_proj_bias", "self_attn.out_proj.weight", "self_attn.out_proj.bias"]) + in_order(
        pre_norm, ["norm2.weight", "norm2.bias"], ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"])
    above = nn.Transformer.generate_square_subsequent_mask(shape[1], dtype=F64) if causal else None
    hidden = None if mask is None else torch.zeros_like(mask).masked_fill(mask == 0, -math.inf)

    def function(x, *w):
        return functional_call(layer, {k: t.mT if t.ndim > 1 else t for k, t in zip(names, w)}, (x,), {
            "src_mask": above, "src_key_padding_mask": hidden})
    o = {"heads": heads, "ff": ff, "feed_forward": activation, "pre_norm": pre_norm, "causal": causal, "norm": "layer"}
    return with_mask(case(name, "TransformerBlock", o, [n(*shape)], weights, function, n), mask)


def decoder_case(name, shape, keys, heads, ff, pre_norm, mask=None):
    """nn.TransformerDecoderLayer itself, causal."""
    n, width = Numbers(name), shape[-1]
    layer = nn.TransformerDecoderLayer(width, heads, ff, 0.0, "relu", batch_first=True, norm_first=pre_norm).double()
    weights = (in_order(pre_norm, norm_weights(n, width), attention_weights(n, width)) +
               in_order(pre_norm, norm_weights(n, width), attention_weights(n, width, True)) +
               in_order(pre_norm, norm_weights(n, width), [n(width, ff) / 4, n(ff), n(ff, width) / 4, n(width)]))
    names = (in_order(pre_norm, ["norm1.weight", "norm1.bias"], ["self_attn.in_proj_weight", "self_attn.in_proj_bias",
                                                                 "self_attn.out_proj.weight", "self_attn.out_proj.bias"]) +
             in_order(pre_norm, ["norm2.weight", "norm2.bias"], ["q", "qb", "kv", "kvb", "multihead_attn.out_proj.weight",
                                                                 "multihead_attn.out_proj.bias"]) +
             in_order(pre_norm, ["norm3.weight", "norm3.bias"], ["linear1.weight", "linear1.bias", "linear2.weight", "linear2.bias"]))
    above = nn.Transformer.generate_square_subsequent_mask(shape[1], dtype=F64)
    hidden = None if mask is None else torch.zeros_like(mask).masked_fill(mask == 0, -math.inf)

    def function(x, memory, *w):
        named = {k: t.mT if t.ndim > 1 else t for k, t in zip(names, w)}
        named["multihead_attn.in_proj_weight"] = torch.cat((named.pop("q"), named.pop("kv")))
        named["multihead_attn.in_proj_bias"] = torch.cat((named.pop("qb"), named.pop("kvb")))
        return functional_call(layer, named, (x, memory), {"tgt_mask": above, "memory_key_padding_mask": hidden})
    o = {"heads": heads, "ff": ff, "feed_forward": "relu", "pre_norm": pre_norm, "causal": True, "norm": "layer", "cross_attention": True}
    return with_mask(case(name, "TransformerBlock", o, [n(*shape), n(shape[0], keys, width)], weights, function, n), mask)


def rms_norm(x, w):
    return x * torch.rsqrt(x.pow(2).mean(-1, keepdim=True) + 1e-6) * w


def llama_case(name, shape, heads, kv_heads, ff, window):
    """RMSNorm, SwiGLU, rotary positions, shared key heads, no bias: written out."""
    n, width = Numbers(name), shape[-1]
    dim = width // heads
    o = {"heads": heads, "ff": ff, "feed_forward": "swiglu", "pre_norm": True, "causal": True, "norm": "rms", "kv_heads": kv_heads,
         "window": window, "rope": True, "rope_base": 100.0, "rope_scale": 0.5, "bias": False}
    weights = [n(width) / 4 + 1.0, n(width, (heads + 2 * kv_heads) * dim) / 4, n(width, width) / 4, n(width) / 4 + 1.0,
               n(width, 2 * ff) / 4, n(ff, width) / 4]

    def function(x, norm1, w, w_out, norm2, up, down):
        x = x + self_attention(rms_norm(x, norm1), o, None, w, None, w_out, None)
        gate, value = (rms_norm(x, norm2) @ up).chunk(2, -1)
        return x + (F.silu(gate) * value) @ down
    return case(name, "TransformerBlock", o, [n(*shape)], weights, function, n)


def all_cases():
    ragged = torch.tensor([[1.0, 1, 1, 0, 0], [1, 1, 1, 1, 1]], dtype=F64)
    short = torch.tensor([[0.0, 1, 1, 1], [1, 1, 0, 0]], dtype=F64)
    yield module_case("attention", (2, 5, 6), 2)
    yield module_case("attention_causal", (2, 4, 6), 3, causal=True)
    yield module_case("attention_mask", (2, 5, 4), 4, mask=ragged)
    yield module_case("attention_cross", (2, 3, 6), 2, keys=5)
    yield module_case("attention_cross_mask", (2, 5, 6), 3, keys=4, memory_width=7, mask=short)
    yield self_case("attention_shared_keys", (2, 4, 8), 4, kv_heads=2)
    yield self_case("attention_window", (1, 7, 6), 2, window=3)
    yield self_case("attention_window_causal_mask", (2, 5, 6), 2, mask=torch.tensor(
        [[1.0, 1, 0, 1, 1], [1, 1, 1, 1, 1]], dtype=F64), window=3, causal=True)
    yield self_case("attention_rope", (2, 5, 8), 2, rope=True)
    yield self_case("attention_rope_scaled", (1, 6, 6), 3, rope=True, rope_base=500.0, rope_scale=0.25, causal=True)
    yield self_case("attention_head_dim", (2, 3, 5), 2, head_dim=4, bias=False, scale=0.75)
    yield encoder_case("encoder_pre_norm", (2, 4, 6), 2, 5, "gelu", True)
    yield encoder_case("encoder_post_norm", (2, 5, 6), 3, 4, "relu", False, mask=ragged)
    yield encoder_case("encoder_causal", (1, 5, 4), 2, 4, "gelu", True, causal=True)
    yield decoder_case("decoder_pre_norm", (2, 3, 4), 4, 2, 5, True, mask=short)
    yield decoder_case("decoder_post_norm", (1, 4, 4), 5, 2, 6, False)
    yield llama_case("llama_block", (2, 6, 8), 4, 2, 6, 3)
