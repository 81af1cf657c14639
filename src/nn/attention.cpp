#include "nn/attention.h"

#include <cmath>

#include "core/message.h"
#include "nn/options.h"

namespace goneuron {

namespace {
[[noreturn]] void fail_input(const LayerContext& context, size_t i, const std::string& what) {
  context.fail_shape(
      "input " + std::to_string(i + 1) + " is " + context.inputs()[i].shape().str() + ", " + what,
      "pass sequences [batch, time, width], and the mask of one, [batch, time], "
      "right behind it");
}

/// As f32, of the length of the sequence in front of it.
Symbol checked_mask(const LayerContext& context, size_t i, const Symbol& sequence) {
  const Symbol& mask = context.inputs()[i];
  const Shape expected{sequence.shape()[0], sequence.shape()[1]};
  if (mask.shape()[1] != Any && expected[1] != Any && mask.shape()[1] != expected[1])
    fail_input(context, i,
               "a mask of " + std::to_string(mask.shape()[1]) + " steps; expected the " +
                   std::to_string(expected[1]) + " of the sequence in front of it");
  if (mask.dtype() == DType::f32) return mask;
  return make("cast", {mask}, {{"dtype", static_cast<i64>(DType::f32)}});
}
}  // namespace

AttentionInputs sequences_of(const LayerContext& context, bool memory_wanted) {
  const auto& inputs = context.inputs();
  AttentionInputs all;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const int rank = inputs[i].shape().rank();
    if (rank == 2 && i > 0) {
      Symbol& mask = all.memory ? all.memory_mask : all.mask;
      if (mask) fail_input(context, i, "a second mask for one sequence");
      mask = checked_mask(context, i, all.memory ? all.memory : all.x);
    } else if (rank != 3) {
      fail_input(context, i,
                 "of rank " + std::to_string(rank) + "; expected " +
                     (i == 0 ? "a sequence" : "a sequence or a mask"));
    } else if (i == 0) {
      all.x = inputs[i];
    } else if (memory_wanted && !all.memory) {
      all.memory = inputs[i];
    } else {
      fail_input(context, i,
                 memory_wanted ? "a third sequence; expected two at most"
                               : "a second sequence; expected one without cross_attention");
    }
    if (rank == 3 && inputs[i].shape()[2] == Any)
      fail_input(context, i, "whose width is not known yet");
  }
  return all;
}

void check_attention(i64 heads, const AttentionOptions& o, const char* kind, Site site) {
  check_count(heads, "heads", kind, site);
  require(o.kv_heads >= 0, kind, site,
          std::to_string(o.kv_heads) + " kv_heads; expected a divisor of the " +
              std::to_string(heads) + " heads, or 0",
          "0 gives every query head keys and values of its own");
  require(o.kv_heads == 0 || heads % o.kv_heads == 0, kind, site,
          std::to_string(o.kv_heads) + " kv_heads for " + std::to_string(heads) +
              " heads; expected a divisor",
          "every key head serves as many query heads: 1, 2, .. that divide the heads");
  require(o.head_dim >= 0, kind, site,
          "a head_dim of " + std::to_string(o.head_dim) + "; expected at least 1, or 0",
          "0 takes the input's width divided by the heads");
  require(o.window >= 0, kind, site,
          "a window of " + std::to_string(o.window) + "; expected at least 1, or 0 for none",
          "a window of 1 sees its own position only; 0 sees them all");
  require(o.dropout >= 0 && o.dropout < 1, kind, site,
          "a dropout of " + number_text(o.dropout) + "; expected at least 0 and below 1",
          "it is the share that is set to zero in training; 0.1 is usual");
  require(!o.rope || (o.rope_base > 0 && std::isfinite(o.rope_base)), kind, site,
          "a rope_base of " + number_text(o.rope_base) + "; expected above 0", "10000 is usual");
  require(!o.rope || (o.rope_scale > 0 && std::isfinite(o.rope_scale)), kind, site,
          "a rope_scale of " + number_text(o.rope_scale) + "; expected above 0",
          "it multiplies positions: 1 leaves them as they are");
  require(std::isfinite(o.scale), kind, site,
          "a scale of " + number_text(o.scale) + "; expected a finite number, or 0",
          "0 takes 1 / sqrt(head_dim)");
  check_initializer(o.in_init, "in_init", kind, site);
  check_initializer(o.out_init, "out_init", kind, site);
}

Symbol project(LayerContext& context, const Projection& p, const Symbol& x) {
  const i64 in = x.shape()[-1];
  const Symbol weight =
      context.parameter((p.name + "_weight").c_str(), {in, p.units}, p.weight_init, in, p.fan_out);
  const Symbol y = make("matmul", {x, weight});
  if (!p.bias) return y;
  return make("add", {y, context.parameter((p.name + "_bias").c_str(), {p.units}, p.bias_init, in,
                                           p.fan_out)});
}

Symbol drop(const Symbol& x, double rate) {
  return rate > 0 ? make("dropout", {x}, {{"rate", rate}, {"stream", i64{0}}}) : x;
}

namespace {
/// Features of a head.
i64 head_dim_of(const LayerContext& context, i64 heads, const AttentionOptions& o, i64 width) {
  if (o.head_dim == 0 && width % heads != 0)
    context.fail_shape("a width of " + std::to_string(width) + " for " + std::to_string(heads) +
                           " heads; expected a multiple",
                       "choose heads that divide the width, or give .head_dim");
  const i64 dim = o.head_dim ? o.head_dim : width / heads;
  if (o.rope && dim % 2 != 0)
    context.fail_shape("rotary positions for heads of " + std::to_string(dim) +
                           " features; expected an even number",
                       "features turn in pairs: choose heads, or .head_dim, so that it is even");
  return dim;
}
}  // namespace

Symbol attend(LayerContext& context, const std::string& prefix, i64 heads,
              const AttentionOptions& o, const Symbol& x, const Symbol& memory,
              const Symbol& mask) {
  const i64 width = x.shape()[2], dim = head_dim_of(context, heads, o, width);
  const i64 kv_heads = o.kv_heads ? o.kv_heads : heads, all = (heads + 2 * kv_heads) * dim;
  const auto in = [&](const char* name, i64 parts, const Symbol& from) {
    return project(context, {prefix + name, parts * dim, o.in_init, Zeros, all, o.bias}, from);
  };
  std::vector<Symbol> operands;
  if (memory) {
    if (o.rope)
      context.fail("rotary positions for attention to another sequence; expected self-attention",
                   "leave .rope out: positions of two sequences have no distance");
    operands = {in("q", heads, x), in("kv", 2 * kv_heads, memory)};
  } else {
    operands = {in("in", heads + 2 * kv_heads, x)};
    if (o.rope)
      operands[0] = make("rope", {operands[0]},
                         {{"heads", heads + kv_heads},
                          {"dim", dim},
                          {"base", o.rope_base},
                          {"scale", o.rope_scale},
                          {"inverse", i64{0}}});
  }
  if (mask) operands.push_back(mask);
  Attrs attrs{{"heads", heads},
              {"kv_heads", kv_heads},
              {"causal", i64{o.causal}},
              {"window", o.window},
              {"cross", i64{static_cast<bool>(memory)}},
              {"mask", i64{static_cast<bool>(mask)}},
              {"scale", o.scale != 0 ? o.scale : 1 / std::sqrt(static_cast<double>(dim))},
              {"dropout", o.dropout}};
  if (o.dropout > 0) attrs.set("stream", i64{0});
  const Symbol y = make("attention", operands, attrs);
  return project(context, {prefix + "out", width, o.out_init, Zeros, width, o.bias}, y);
}

}  // namespace goneuron
