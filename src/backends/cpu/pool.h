// Pool: the geometry of a pooling for the loops of the max and average pools. Which pixels a window
// covers, and which windows cover a pixel, is made at lowering, so that the loops divide nothing.
#pragma once

#include <vector>

#include "backends/cpu/kernel.h"
#include "ops/window.h"

namespace goneuron::cpu {

struct Span {
  i64 begin, end;
};
using Spans = std::vector<Span>;

/// For each window the pixels that it covers.
inline Spans covered_by(i64 windows, i64 stride, i64 pad, i64 kernel, i64 size) {
  Spans spans;
  for (i64 i = 0; i < windows; ++i)
    spans.push_back(
        {std::max<i64>(i * stride - pad, 0), std::min(i * stride - pad + kernel, size)});
  return spans;
}
/// For each pixel the windows that cover it.
inline Spans covering(i64 size, i64 stride, i64 pad, i64 kernel, i64 windows) {
  Spans spans;
  for (i64 i = 0; i < size; ++i) {
    const i64 over = i + pad - kernel + 1;
    spans.push_back(
        {over <= 0 ? 0 : ceil_div(over, stride), std::min((i + pad) / stride + 1, windows)});
  }
  return spans;
}

/// A pooling, forwards or backwards: images [n, h, w, c] and windows [n, oh, ow, c].
struct Pool {
  Window window;
  i64 images, h, w, c, oh, ow;
  Spans rows, columns;  // of the outputs
  i64 tiles;
  bool by_image;
};
inline Pool pool_of(const BoundNode& bound, const Shape& x, const Shape& y, bool back) {
  const Window w = pool_window(bound.node.attrs);
  Pool p{w,
         x[0],
         x[1],
         x[2],
         x[3],
         y[1],
         y[2],
         {},
         {},
         bound.scheme.tiles,
         std::string_view(bound.scheme.name) != "image rows"};
  const auto make = back ? covering : covered_by;
  p.rows = back ? make(p.h, w.stride_h, w.pad_top, w.kernel_h, p.oh)
                : make(p.oh, w.stride_h, w.pad_top, w.kernel_h, p.h);
  p.columns = back ? make(p.w, w.stride_w, w.pad_left, w.kernel_w, p.ow)
                   : make(p.ow, w.stride_w, w.pad_left, w.kernel_w, p.w);
  return p;
}

/// Calls f(image, row) for the output rows of a range of tiles.
template <class F>
void for_rows(const Pool& p, i64 begin, i64 end, const F& f) {
  const auto rows = static_cast<i64>(p.rows.size());
  i64 image = 0, images = p.images, row = 0, last = rows;
  if (p.by_image) {
    image = tile_begin(p.images, p.tiles, begin);
    images = tile_begin(p.images, p.tiles, end);
  } else {
    row = tile_begin(rows, p.tiles, begin);
    last = tile_begin(rows, p.tiles, end);
  }
  for (i64 n = image; n < images; ++n)
    for (i64 r = row; r < last; ++r) f(n, r);
}

/// By images, or by rows of all images, which stay where windows do not overlap.
inline std::vector<Scheme> pool_schemes(const Graph& graph, const Node& node) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape &in = graph.in_shape(node, 0), &out = graph.out_shape(node);
  const Window w = pool_window(node.attrs);
  const i64 windows = std::min(in[1], out[1]);
  const bool apart =
      w.kernel_h == w.stride_h && w.pad_top == 0 && std::max(in[1], out[1]) == windows * w.stride_h;
  for (int axis = 0; axis < 2; ++axis)
    for (const i64 tiles : tile_counts(graph)) {
      if (out[axis] < tiles || out.elements() / tiles < 256) continue;
      Scheme scheme = single_tile(node);
      scheme.name = axis == 0 ? "rows" : "image rows";
      scheme.tiles = tiles;
      scheme.merges = true;
      const bool stays = axis == 0 || (apart && windows % tiles == 0);
      for (size_t i = 0; i < node.inputs.size(); ++i) {
        if (node.op->shape_only >> i & 1U) continue;
        scheme.in[i].all = !stays;
        if (stays) scheme.in[i].part = cut(in, axis, tiles);
      }
      for (auto& o : scheme.out) o.part = cut(out, axis, tiles);
      all.push_back(scheme);
    }
  return all;
}

}  // namespace goneuron::cpu
