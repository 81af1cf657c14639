"""Ten steps of a small GPT: a block as GPT-2's and one as Llama's."""
import torch
import torch.nn.functional as F

from goldens.layers_attention import rms_norm, self_attention
from goldens.training import training_case


def model(x, w):
    """Tokens and learned positions, two causal blocks, LayerNorm, a head without bias."""
    w = list(w)
    h = w[0][x.long()] + w[1]
    norm1, norm1_b, qkv, qkv_b, out, out_b, norm2, norm2_b, up, up_b, down, down_b = w[2:14]
    y = F.layer_norm(h, h.shape[-1:], norm1, norm1_b)
    h = h + self_attention(y, {"heads": 2, "causal": True}, None, qkv, qkv_b, out, out_b)
    h = h + F.gelu(F.layer_norm(h, h.shape[-1:], norm2, norm2_b) @ up + up_b) @ down + down_b
    norm1, qkv, out, norm2, up, down = w[14:20]
    o = {"heads": 4, "kv_heads": 2, "causal": True, "rope": True, "rope_base": 10000.0, "rope_scale": 1.0}
    h = h + self_attention(rms_norm(h, norm1), o, None, qkv, None, out, None)
    gate, value = (rms_norm(h, norm2) @ up).chunk(2, -1)
    h = h + (F.silu(gate) * value) @ down
    return (F.layer_norm(h, h.shape[-1:], w[20], w[21]) @ w[22]).flatten(0, 1)


def all_cases():
    norm = [((16,), 0.25, 1.0), ((16,), 0.25, 0.0)]
    shapes = [((13, 16), 1.0, 0.0), ((12, 16), 0.5, 0.0), *norm,
              ((16, 48), 0.25, 0.0), ((48,), 0.25, 0.0), ((16, 16), 0.25, 0.0), ((16,), 0.25, 0.0), *norm,
              ((16, 32), 0.25, 0.0), ((32,), 0.25, 0.0), ((32, 16), 0.25, 0.0), ((16,), 0.25, 0.0),
              norm[0], ((16, 32), 0.25, 0.0), ((16, 16), 0.25, 0.0), norm[0], ((16, 48), 0.25, 0.0), ((24, 16), 0.25, 0.0),
              *norm, ((16, 11), 0.25, 0.0)]
    # A bias of keys changes no weight of attention: its gradient is rounding alone, which Adam would turn into steps.
    yield training_case("gpt", model, (12,), 11, shapes, lambda p: torch.optim.SGD(p, lr=0.1, momentum=0.9), batch=6,
                        first_weight=500, tokens=13)
