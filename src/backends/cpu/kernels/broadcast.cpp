// Broadcasting: arithmetic of operands that repeat along any axes, where, and broadcast_to.
#include "backends/cpu/broadcast.h"

#include <cstring>

#include "backends/cpu/vector_ops.h"

namespace goneuron::cpu::broadcast_kernel {

namespace {

constexpr i64 chunk = 256;  // of an element that is spread over a short row

/// Operand k's next n elements: its own memory, or one number spread over `spread`.
template <int kOperands>
const float* operand(const BroadcastWalk<kOperands>& walk, int k, const float* from, i64 n,
                     float* spread) {
  if (walk.steps[k][0] == 1) return from;
  std::fill_n(spread, n, *from);
  return spread;
}

struct BinaryArgs {
  BinaryRow row;
  const float* in[2];
  float* out;
  float alpha;
  BroadcastWalk<2> walk;
  Pieces pieces;
};

void run_binary(const BinaryArgs& b, i64 begin, i64 end, void*) {
  float spread[2][chunk];
  const i64 most = b.walk.steps[0][0] == 1 && b.walk.steps[1][0] == 1 ? b.walk.dims[0] : chunk;
  b.pieces.each(begin, end, [&](i64 from, i64 count) {
    b.walk.each(from, from + count, [&](i64 at, const i64* offsets, i64 n) {
      for (i64 i = 0; i < n; i += most) {
        const i64 length = std::min(most, n - i);
        const float* in[2];
        for (int k = 0; k < 2; ++k)
          in[k] =
              operand(b.walk, k, b.in[k] + offsets[k] + i * b.walk.steps[k][0], length, spread[k]);
        b.row(in[0], in[1], b.out + at + i, length, b.alpha);
      }
    });
  });
}

struct WhereArgs {
  const float* in[3];
  float* out;
  BroadcastWalk<3> walk;
  Pieces pieces;
};

void run_where(const WhereArgs& w, i64 begin, i64 end, void*) {
  float spread[3][chunk];
  w.pieces.each(begin, end, [&](i64 from, i64 count) {
    w.walk.each(from, from + count, [&](i64 at, const i64* offsets, i64 n) {
      for (i64 i = 0; i < n; i += chunk) {
        const i64 length = std::min(chunk, n - i);
        const float* in[3];
        for (int k = 0; k < 3; ++k)
          in[k] =
              operand(w.walk, k, w.in[k] + offsets[k] + i * w.walk.steps[k][0], length, spread[k]);
        float* out = w.out + at + i;
        for (i64 j = 0; j < length; ++j) out[j] = in[0][j] != 0 ? in[1][j] : in[2][j];
      }
    });
  });
}

Call lower_where(const BoundNode& bound) {
  return make_call<WhereArgs>(
      {{bound.input(0), bound.input(1), bound.input(2)},
       bound.output(),
       broadcast_walk<3>(bound.out_shape(),
                         {bound.in_shape(0), bound.in_shape(1), bound.in_shape(2)}),
       elementwise_pieces(bound)},
      run_where);
}

struct CopyArgs {
  const float* from;
  float* to;
  BroadcastWalk<1> walk;
  Pieces pieces;
};

void run_copy(const CopyArgs& c, i64 begin, i64 end, void*) {
  c.pieces.each(begin, end, [&](i64 from, i64 count) {
    c.walk.each(from, from + count, [&](i64 at, const i64* offsets, i64 n) {
      const float* x = c.from + offsets[0];
      if (c.walk.steps[0][0] == 1)
        std::memcpy(c.to + at, x, static_cast<size_t>(n) * sizeof(float));
      else
        std::fill_n(c.to + at, n, *x);
    });
  });
}

Call lower_binary(const BoundNode& bound) {
  return make_call<BinaryArgs>(
      {binary_row(bound.node.op->name),
       {bound.input(0), bound.input(1)},
       bound.output(),
       static_cast<float>(bound.node.attrs.real("alpha", 0)),
       broadcast_walk<2>(bound.out_shape(), {bound.in_shape(0), bound.in_shape(1)}),
       elementwise_pieces(bound)},
      run_binary);
}

Call lower_broadcast_to(const BoundNode& bound) {
  return make_call<CopyArgs>(
      {bound.input(0), bound.output(), broadcast_walk<1>(bound.out_shape(), {bound.in_shape(0)}),
       elementwise_pieces(bound)},
      run_copy);
}

bool supports(const Graph& graph, const Node& node) { return graph.out_shape(node).elements() > 0; }

constexpr KernelDef kernels[] = {
    {"where", supports, elementwise_schemes, lower_where},
    {"broadcast_to", supports, elementwise_schemes, lower_broadcast_to}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::broadcast_kernel

namespace goneuron::cpu {

Call lower_broadcast_binary(const BoundNode& bound) {
  return broadcast_kernel::lower_binary(bound);
}

}  // namespace goneuron::cpu
