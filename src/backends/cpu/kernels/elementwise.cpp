// Elementwise ops over contiguous ranges, and broadcasting of one operand over rows.
#include <cstring>

#include "backends/cpu/broadcast.h"
#include "backends/cpu/kernel.h"
#include "backends/cpu/vector_ops.h"

namespace goneuron::cpu {

std::vector<Scheme> elementwise_schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& out = graph.out_shape(node);
  for (int axis = 0; axis < std::min(out.rank(), 2); ++axis)
    for (const i64 tiles : tile_counts(graph)) {
      if (out[axis] < tiles || out.elements() / tiles < 256) continue;
      Scheme scheme = single_tile(node);
      scheme.name = axis == 0 ? "rows" : "columns";
      scheme.tiles = tiles;
      scheme.merges = true;
      scheme.out[0].part = cut(out, axis, tiles);
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        const Shape& in = graph.in_shape(node, static_cast<int>(i));
        if (in == out)
          scheme.in[i].part = cut(in, axis, tiles);
        else
          scheme.in[i].all = true;
      }
      all.push_back(scheme);
    }
  return all;
}

}  // namespace goneuron::cpu

namespace goneuron::cpu::elementwise_kernel {

namespace {

/// The memory of a range of tiles: `outer` pieces of `length` elements, `stride` apart.
struct Range {
  i64 outer, stride, unit, units, tiles;
};
Range range_of(const BoundNode& bound) {
  const Shape& out = bound.out_shape();
  const int axis = std::string_view(bound.scheme.name) == "columns" ? 1 : 0;
  if (bound.scheme.tiles == 1) return {1, 0, out.elements(), 1, 1};
  i64 outer = 1;
  for (int i = 0; i < axis; ++i) outer *= out[i];
  const i64 stride = out.elements() / outer;
  return {outer, stride, stride / out[axis], out[axis], bound.scheme.tiles};
}

struct UnaryArgs {
  UnaryRow row;
  const float* x;
  float* y;
  float a, b;
  Range range;
};

Call lower_unary(const BoundNode& bound) {
  const Attrs& attrs = bound.node.attrs;
  UnaryArgs args{
      unary_row(bound.node.op->name), bound.input(0), bound.output(), 0, 0, range_of(bound)};
  args.a = static_cast<float>(attrs.has("scale") ? attrs.real("scale") : attrs.real("alpha", 0));
  args.b = static_cast<float>(attrs.real("shift", 0));
  return make_call<UnaryArgs>(args, [](const UnaryArgs& u, i64 begin, i64 end, void*) {
    const Range& r = u.range;
    const i64 from = tile_begin(r.units, r.tiles, begin) * r.unit,
              to = tile_begin(r.units, r.tiles, end) * r.unit;
    for (i64 o = 0; o < r.outer; ++o)
      u.row(u.x + o * r.stride + from, u.y + o * r.stride + from, to - from, u.a, u.b);
  });
}

/// How an operand follows the output: itself, one number, or a row repeated.
enum class Follow { same, scalar, row };

bool follow(const Shape& in, const Shape& out, Follow& how) {
  if (in == out)
    how = Follow::same;
  else if (in.elements() == 1)
    how = Follow::scalar;
  else {  // the trailing dimensions of the output, ones in front
    int lead = 0;
    while (lead < in.rank() && in[lead] == 1) ++lead;
    for (int i = lead; i < in.rank(); ++i)
      if (in[i] != out[i - in.rank()]) return false;
    how = Follow::row;
  }
  return true;
}

bool supports_binary(const Graph& graph, const Node& node) {
  return graph.out_shape(node).elements() > 0;
}

/// One operand follows the output, the other one repeats as a whole.
bool repeats_whole(const BoundNode& bound) {
  Follow a, b;
  const Shape& out = bound.out_shape();
  return follow(bound.in_shape(0), out, a) && follow(bound.in_shape(1), out, b) &&
         (a == Follow::same || b == Follow::same);
}

struct BinaryArgs {
  BinaryRow row;
  const float *x, *y;
  float* out;
  float a;
  Range range;
  i64 length_x, length_y;  // elements before the operand repeats; 0: it does not
};

/// Elements [from, to), in pieces that neither repeating operand wraps in.
void run_binary(const BinaryArgs& b, i64 from, i64 to) {
  const i64 period = b.length_x ? b.length_x : b.length_y;
  if (!period) return b.row(b.x + from, b.y + from, b.out + from, to - from, b.a);
  if (period == 1) {  // one number: spread over a short row
    float spread[256];
    std::fill(std::begin(spread), std::end(spread), b.length_x ? *b.x : *b.y);
    for (i64 i = from; i < to; i += 256) {
      const i64 n = std::min<i64>(256, to - i);
      b.row(b.length_x ? spread : b.x + i, b.length_y ? spread : b.y + i, b.out + i, n, b.a);
    }
    return;
  }
  while (from < to) {
    const i64 at = from % period, n = std::min(period - at, to - from);
    b.row(b.length_x ? b.x + at : b.x + from, b.length_y ? b.y + at : b.y + from, b.out + from, n,
          b.a);
    from += n;
  }
}

Call lower_binary(const BoundNode& bound) {
  if (!repeats_whole(bound)) return lower_broadcast_binary(bound);
  const Shape& out = bound.out_shape();
  BinaryArgs args{binary_row(bound.node.op->name),
                  bound.input(0),
                  bound.input(1),
                  bound.output(),
                  static_cast<float>(bound.node.attrs.real("alpha", 0)),
                  range_of(bound),
                  0,
                  0};
  if (!(bound.in_shape(0) == out)) args.length_x = bound.in_shape(0).elements();
  if (!(bound.in_shape(1) == out)) args.length_y = bound.in_shape(1).elements();
  return make_call<BinaryArgs>(args, [](const BinaryArgs& b, i64 begin, i64 end, void*) {
    const Range& r = b.range;
    const i64 from = tile_begin(r.units, r.tiles, begin) * r.unit,
              to = tile_begin(r.units, r.tiles, end) * r.unit;
    for (i64 o = 0; o < r.outer; ++o) run_binary(b, o * r.stride + from, o * r.stride + to);
  });
}

template <class T>
struct CastArgs {
  const T* x;
  float* y;
  Range range;
};

bool supports_cast(const Graph& graph, const Node& node) {
  const DType from = graph.in(node, 0).type.dtype;
  return graph.out(node).type.dtype == DType::f32 &&
         (from == DType::i32 || from == DType::u8 || from == DType::f32);
}

template <class T>
Call cast_call(const BoundNode& bound) {
  return make_call<CastArgs<T>>({bound.input<T>(0), bound.output(), range_of(bound)},
                                [](const CastArgs<T>& c, i64 begin, i64 end, void*) {
                                  const Range& r = c.range;
                                  const i64 from = tile_begin(r.units, r.tiles, begin) * r.unit,
                                            to = tile_begin(r.units, r.tiles, end) * r.unit;
                                  for (i64 o = 0; o < r.outer; ++o)
                                    for (i64 i = o * r.stride + from; i < o * r.stride + to; ++i)
                                      c.y[i] = static_cast<float>(c.x[i]);
                                });
}
Call lower_cast(const BoundNode& bound) {
  switch (bound.graph.in(bound.node, 0).type.dtype) {
    case DType::u8:
      return cast_call<std::uint8_t>(bound);
    case DType::f32:
      return cast_call<float>(bound);
    default:
      return cast_call<std::int32_t>(bound);
  }
}

constexpr KernelDef kernels[] = {
    {"neg", nullptr, elementwise_schemes, lower_unary},
    {"exp", nullptr, elementwise_schemes, lower_unary},
    {"log", nullptr, elementwise_schemes, lower_unary},
    {"sqrt", nullptr, elementwise_schemes, lower_unary},
    {"square", nullptr, elementwise_schemes, lower_unary},
    {"abs", nullptr, elementwise_schemes, lower_unary},
    {"sign", nullptr, elementwise_schemes, lower_unary},
    {"scale_shift", nullptr, elementwise_schemes, lower_unary},
    {"relu", nullptr, elementwise_schemes, lower_unary},
    {"leaky_relu", nullptr, elementwise_schemes, lower_unary},
    {"sigmoid", nullptr, elementwise_schemes, lower_unary},
    {"tanh", nullptr, elementwise_schemes, lower_unary},
    {"gelu", nullptr, elementwise_schemes, lower_unary},
    {"silu", nullptr, elementwise_schemes, lower_unary},
    {"elu", nullptr, elementwise_schemes, lower_unary},
    {"selu", nullptr, elementwise_schemes, lower_unary},
    {"add", supports_binary, elementwise_schemes, lower_binary},
    {"sub", supports_binary, elementwise_schemes, lower_binary},
    {"mul", supports_binary, elementwise_schemes, lower_binary},
    {"div", supports_binary, elementwise_schemes, lower_binary},
    {"greater", supports_binary, elementwise_schemes, lower_binary},
    {"greater_equal", supports_binary, elementwise_schemes, lower_binary},
    {"equal", supports_binary, elementwise_schemes, lower_binary},
    {"maximum", supports_binary, elementwise_schemes, lower_binary},
    {"minimum", supports_binary, elementwise_schemes, lower_binary},
    {"relu_grad", supports_binary, elementwise_schemes, lower_binary},
    {"leaky_relu_grad", supports_binary, elementwise_schemes, lower_binary},
    {"sigmoid_grad", supports_binary, elementwise_schemes, lower_binary},
    {"tanh_grad", supports_binary, elementwise_schemes, lower_binary},
    {"elu_grad", supports_binary, elementwise_schemes, lower_binary},
    {"selu_grad", supports_binary, elementwise_schemes, lower_binary},
    {"gelu_grad", supports_binary, elementwise_schemes, lower_binary},
    {"silu_grad", supports_binary, elementwise_schemes, lower_binary},
    {"sigmoid_binary_cross_entropy", supports_binary, elementwise_schemes, lower_binary},
    {"cast", supports_cast, elementwise_schemes, lower_cast},
};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::elementwise_kernel
