// Concat, slice and the gradient of slice: copies of blocks, cut by samples.
#include <cstring>

#include "backends/cpu/kernel.h"

namespace goneuron::cpu::concat_kernel {

namespace {

/// One stretch of every row: `bytes` from a row of `from_pitch` to one of `to_pitch`; without a
/// source, zeros.
struct Copy {
  const char* from;
  char* to;
  i64 from_pitch, to_pitch, bytes;
};

struct Args {
  std::vector<Copy> copies;
  i64 rows, units, tiles;
};

void run(const Args& args, i64 begin, i64 end, void*) {
  const i64 unit = args.rows / args.units, first = tile_begin(args.units, args.tiles, begin) * unit,
            last = tile_begin(args.units, args.tiles, end) * unit;
  for (i64 row = first; row < last; ++row)
    for (const Copy& c : args.copies) {
      char* to = c.to + row * c.to_pitch;
      if (c.from)
        std::memcpy(to, c.from + row * c.from_pitch, static_cast<size_t>(c.bytes));
      else
        std::memset(to, 0, static_cast<size_t>(c.bytes));
    }
}

/// Bytes of everything from `axis` on.
i64 block_bytes(const Value& value, i64 axis) {
  i64 bytes = dtype_size(value.type.dtype);
  for (int i = static_cast<int>(axis); i < value.type.shape.rank(); ++i)
    bytes *= value.type.shape[i];
  return bytes;
}

Args args_of(const BoundNode& bound) {
  const i64 axis = bound.node.attrs.integer("axis");
  const Shape& y = bound.out_shape();
  Args args{{}, 1, 1, bound.scheme.tiles};
  for (int i = 0; i < axis; ++i) args.rows *= y[i];
  if (args.tiles > 1) args.units = y[0];
  return args;
}

void add(Args& args, const Copy& copy) {
  if (copy.bytes > 0) args.copies.push_back(copy);
}

Call lower_concat(const BoundNode& bound) {
  Args args = args_of(bound);
  const i64 axis = bound.node.attrs.integer("axis");
  const i64 pitch = block_bytes(bound.graph.out(bound.node), axis);
  i64 at = 0;
  for (size_t i = 0; i < bound.in.size(); ++i) {
    const i64 bytes = block_bytes(bound.graph.in(bound.node, static_cast<int>(i)), axis);
    add(args, {bound.input<char>(i), bound.output<char>() + at, bytes, pitch, bytes});
    at += bytes;
  }
  return make_call(std::move(args), run);
}

/// The bytes of a row before the slice.
i64 offset_of(const BoundNode& bound, const Value& whole) {
  return bound.node.attrs.integer("begin", 0) *
         block_bytes(whole, bound.node.attrs.integer("axis") + 1);
}

Call lower_slice(const BoundNode& bound) {
  Args args = args_of(bound);
  const i64 axis = bound.node.attrs.integer("axis");
  const Value& x = bound.graph.in(bound.node, 0);
  const i64 bytes = block_bytes(bound.graph.out(bound.node), axis);
  add(args, {bound.input<char>(0) + offset_of(bound, x), bound.output<char>(), block_bytes(x, axis),
             bytes, bytes});
  return make_call(std::move(args), run);
}

Call lower_slice_grad(const BoundNode& bound) {
  Args args = args_of(bound);
  const i64 axis = bound.node.attrs.integer("axis");
  const Value& x = bound.graph.out(bound.node);
  const i64 bytes = block_bytes(bound.graph.in(bound.node, 0), axis), pitch = block_bytes(x, axis),
            before = offset_of(bound, x);
  char* to = bound.output<char>();
  add(args, {nullptr, to, 0, pitch, before});
  add(args, {bound.input<char>(0), to + before, bytes, pitch, bytes});
  add(args, {nullptr, to + before + bytes, 0, pitch, pitch - before - bytes});
  return make_call(std::move(args), run);
}

std::vector<Scheme> schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape& y = graph.out_shape(node);
  if (node.attrs.integer("axis") == 0) return all;
  for (const i64 tiles : tile_counts(graph)) {
    if (y[0] < tiles || y.elements() / tiles < 1024) continue;
    all.push_back(by_rows(graph, node, tiles, ~node.op->shape_only));
  }
  return all;
}

constexpr KernelDef kernels[] = {{"concat", nullptr, schemes, lower_concat},
                                 {"slice", nullptr, schemes, lower_slice},
                                 {"slice_like", nullptr, schemes, lower_slice},
                                 {"slice_grad", nullptr, schemes, lower_slice_grad}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::concat_kernel
