// 3x3 convolution of one channel + bias + relu + 2x2 max pooling in one pass, and its weight
// gradient: the first layer of image networks. Its weights stay in registers; what pooling
// drops is never written to memory.
#include <algorithm>
#include <cstring>

#include "backends/cpu/kernel.h"
#include "backends/cpu/target.h"
#include "core/unit_bytes.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/kernels/conv_pool.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/vectors-inl.h"

#ifndef GONEURON_CONV_POOL_ARGS
#define GONEURON_CONV_POOL_ARGS
namespace goneuron::cpu {

struct ConvPool {
  const float* x;              // [batch, h, w], in bands of `band` rows
  const std::uint8_t* table;   // or null, and the batch is these rows
  const std::int32_t* listed;  // of a table [images, h, w]
  i64 images;
  const float* w;       // [3, 3, channels]
  const float* bias;    // [channels] or null
  float* y;             // [batch, ph, pw, channels], in bands of `pooled_band` rows
  std::uint8_t* index;  // [ph, batch, pw, channels]: the maximum's cell of its 2x2 window; 4: relu
                        // cut it off
  const float* dy;      // as y
  float *dw, *db;       // [tiles, 3, 3, channels], [tiles, channels]
  i64 batch, h, width, ph, pw, channels, pad_top, pad_left, band, pooled_band;
  bool relu, by_image;
  i64 tiles;
  void (*run)(const ConvPool&, const struct Part&, float* scratch);
};

/// What one call works on: pooled rows [row, row + rows) of some images, which are tiles [tile,
/// end).
struct Part {
  i64 image, images, row, rows, tile, end;
};

/// How many rows of x, or of y, lie before row `row` of an image: in bands, those of other images.
inline i64 rows_before(const ConvPool& c, i64 band, i64 image, i64 row) {
  return (row / band * c.batch + image) * band + row % band;
}

/// Floats of a row of x with the zeros around it.
inline i64 pitch_of(const ConvPool& c) { return 2 * c.pw + 2; }
/// Floats of the sums of some tiles, weights and bias.
inline i64 sums_of(const ConvPool& c, i64 tiles) { return tiles * 10 * c.channels; }
/// Floats of the quads of one row.
inline i64 quads_of(const ConvPool& c) { return round_up(4 * (2 * c.pw + 1), 16); }

}  // namespace goneuron::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {

// Vectors of channels worked on at once: they share the pixels.
constexpr i64 most_vectors = lanes >= 16 ? 2 : 1;

#include "core/unit_bytes-inl.h"
// padded_rows-inl.h needs it
#include "backends/cpu/padded_rows-inl.h"

// and the rows that it makes
#include "backends/cpu/conv_pool_forward-inl.h"

// and the choice of those that it met
#include "backends/cpu/conv_pool_pixels-inl.h"

/// Adds one pooled row's part of the weight gradient for `kVectors` vectors of channels; dy and
/// index point to the row's first element (the next row's is `ahead` of it, and `index_ahead`) of
/// those channels, dw [9, channels] and db likewise. rows: those of the Window.
template <i64 kVectors>
void backward_row(const ConvPool& c, const float* const* rows, const float* HWY_RESTRICT dy,
                  const std::uint8_t* HWY_RESTRICT index, i64 ahead, i64 index_ahead,
                  float* HWY_RESTRICT dw, float* HWY_RESTRICT db) {
  const D d;
  const hn::Rebind<std::int32_t, D> di;
  const hn::Rebind<std::uint8_t, D> d8;
  const i64 channels = c.channels;
  V sums[9][kVectors], total[kVectors];
#pragma GCC unroll 2
  for (i64 v = 0; v < kVectors; ++v) {
    total[v] = db ? hn::LoadU(d, db + v * lanes) : hn::Zero(d);
#pragma GCC unroll 9
    for (i64 t = 0; t < 9; ++t) sums[t][v] = hn::LoadU(d, dw + t * channels + v * lanes);
  }
  for (i64 p = 0; p < c.pw; ++p, dy += channels, index += channels) {
    V g[kVectors];
    Chooser cell[kVectors];
    __builtin_prefetch(index + index_ahead);
#pragma GCC unroll 2
    for (i64 v = 0; v < kVectors; ++v) {
      __builtin_prefetch(dy + ahead + v * lanes);
      g[v] = hn::LoadU(d, dy + v * lanes);
      const auto at = hn::PromoteTo(di, hn::LoadU(d8, index + v * lanes));
      const auto passes = hn::RebindMask(d, hn::Lt(at, hn::Set(di, 4)));
      g[v] = hn::IfThenElseZero(passes, g[v]);
      cell[v] = chooser(at);
      total[v] = hn::Add(total[v], g[v]);
    }
#pragma GCC unroll 9
    for (i64 t = 0; t < 9; ++t) {
      const auto pixels = load(rows, t, p);
#pragma GCC unroll 2
      for (i64 v = 0; v < kVectors; ++v)
        sums[t][v] = hn::MulAdd(g[v], choose(pixels, cell[v]), sums[t][v]);
    }
  }
#pragma GCC unroll 2
  for (i64 v = 0; v < kVectors; ++v) {
    if (db) hn::StoreU(total[v], d, db + v * lanes);
#pragma GCC unroll 9
    for (i64 t = 0; t < 9; ++t) hn::StoreU(sums[t][v], d, dw + t * channels + v * lanes);
  }
}

/// Each tile has sums of its own, in private memory until they are done: the processor would fetch
/// them ahead for the worker of the tile before. The images are the outer loop, so that tiles of
/// neighbouring rows share the padded copy and the window.
void backward(const ConvPool& c, const Part& part, float* scratch) {
  const i64 pitch = pitch_of(c), sums = 9 * c.channels, row_size = c.pw * c.channels;
  const i64 tiles = part.end - part.tile;
  float *const dw = scratch, *const db = c.db ? dw + tiles * sums : nullptr;
  std::fill_n(dw, sums_of(c, tiles), 0.0F);
  scratch += sums_of(c, tiles);
  PaddedRows rows(c, part, scratch);
  Window window(c, scratch, scratch + round_up((2 * part.rows + 2) * pitch, 16));
  for (i64 n = part.image; n < part.image + part.images; ++n) {
    rows.fill(n);
    i64 tile = 0;
    for (i64 r = 0; r < part.rows; ++r) {
      const float* const* met = window.at(r);
      while (tile + 1 < tiles && part.row + r >= tile_begin(c.ph, c.tiles, part.tile + tile + 1))
        ++tile;
      const i64 row = part.row + r, before = rows_before(c, c.pooled_band, n, row),
                base = before * row_size, index_base = (row * c.batch + n) * row_size;
      // To the next row, of the next image after the last one.
      const bool next_image = r + 1 == part.rows;
      const i64 next = next_image ? rows_before(c, c.pooled_band, n + 1, part.row)
                                  : rows_before(c, c.pooled_band, n, row + 1),
                ahead = (next - before) * row_size,
                index_ahead = (next_image ? 1 - r * c.batch : c.batch) * row_size;
      i64 channel = 0;
      const auto add = [&](auto run, i64 vectors) {
        for (; channel + vectors * lanes <= c.channels; channel += vectors * lanes)
          run(c, met, c.dy + base + channel, c.index + index_base + channel, ahead, index_ahead,
              dw + tile * sums + channel, db ? db + tile * c.channels + channel : nullptr);
      };
      add(backward_row<most_vectors>, most_vectors);
      add(backward_row<1>, 1);
    }
  }
  std::copy_n(dw, tiles * sums, c.dw + part.tile * sums);
  if (db) std::copy_n(db, tiles * c.channels, c.db + part.tile * c.channels);
}

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu::conv_pool_kernel {
HWY_EXPORT(forward);
HWY_EXPORT(backward);

namespace {

bool is_table(const Graph& graph, const Node& node) {
  return graph.in(node, 0).type.dtype == DType::u8;
}

bool supports(const Graph& graph, const Node& node) {
  const Attrs& a = node.attrs;
  const Shape& x = graph.in_shape(node, 0);
  const bool back =
      node.outputs.size() > 0 && std::string_view(node.op->name) == "conv2d_pool_weight_grad";
  const Shape& w = graph.in_shape(node, back ? 3 : 1);
  const Shape& y = back ? graph.in_shape(node, 1) : graph.out_shape(node);
  const auto is = [&](const char* name, i64 value) { return a.integer(name) == value; };
  return x[3] == 1 && w[0] == 3 && w[1] == 3 && w[3] % 16 == 0 && is("stride_h", 1) &&
         is("stride_w", 1) && a.integer("dilation_h", 1) == 1 && a.integer("dilation_w", 1) == 1 &&
         is("pool_kernel_h", 2) && is("pool_kernel_w", 2) && is("pool_stride_h", 2) &&
         is("pool_stride_w", 2) && y.elements() > 0;
}

ConvPool args_of(const BoundNode& bound, bool back) {
  const Shape &x = bound.in_shape(0), &y = back ? bound.in_shape(1) : bound.out_shape();
  const Attrs& a = bound.node.attrs;
  ConvPool c{};
  if (is_table(bound.graph, bound.node)) {
    c.table = bound.input<std::uint8_t>(0);
    c.listed = bound.input<std::int32_t>(bound.in.size() - 1);
    c.images = x[0];
  } else {
    c.x = bound.input(0);
  }
  c.batch = y[0];
  c.h = x[1];
  c.width = x[2];
  c.ph = y[1];
  c.pw = y[2];
  c.channels = y[3];
  c.pad_top = a.integer("pad_top");
  c.pad_left = a.integer("pad_left");
  c.band = c.h / bound.scheme.in[0].bands;
  c.pooled_band = c.ph / (back ? bound.scheme.in[1] : bound.scheme.out[0]).bands;
  c.relu = a.text("activation") == "relu";
  c.by_image = std::string_view(bound.scheme.name) == "rows";
  c.tiles = bound.scheme.tiles;
  return c;
}

/// Whole images, or image rows: both cuts leave every output where it was.
std::vector<Scheme> schemes(const Graph& graph, const Node& node, bool back) {
  std::vector<Scheme> all = {single_tile(node)};
  const Shape &x = graph.in_shape(node, 0),
              &y = back ? graph.in_shape(node, 1) : graph.out_shape(node),
              &index = back ? graph.in_shape(node, 2) : graph.out_shape(node, 1);
  for (int axis = 0; axis < 2; ++axis)
    for (const i64 tiles : tile_counts(graph)) {
      if (y[axis] < tiles) continue;
      Scheme scheme = single_tile(node);
      scheme.name = axis == 0 ? "rows" : "image rows";
      scheme.tiles = tiles;
      scheme.merges = !back || axis == 1;  // sums of tiles of images have nothing in common
      scheme.partial = back;
      for (auto& in : scheme.in) in.all = true;
      if (axis == 1 && !is_table(graph, node)) scheme.in[0] = {true, cut(x, 1, tiles), x[1]};
      const Partition rows = cut(y, axis, tiles), indices = cut(index, 1 - axis, tiles);
      if (back) {
        for (auto& out : scheme.out) out.part = {1, tiles, tiles};
        scheme.in[1] = {false, rows, axis == 1 ? y[1] : 1};
        scheme.in[2] = {false, indices};
      } else {
        scheme.out[0] = {false, rows, axis == 1 ? y[1] : 1};
        scheme.out[1].part = indices;
      }
      all.push_back(scheme);
    }
  const i64 pitch = 2 * y[2] + 2;
  for (Scheme& scheme : all)
    scheme.scratch =
        ((2 * y[1] + 2) * pitch + 48 +
         (back ? 3 * (8 * y[2] + 20) + scheme.tiles * 10 * y[3] : 12 * (pitch + 16) + 16 * y[3])) *
        i64{sizeof(float)};
  return all;
}
std::vector<Scheme> forward_schemes(const Graph& graph, const Node& node) {
  return schemes(graph, node, false);
}
std::vector<Scheme> backward_schemes(const Graph& graph, const Node& node) {
  return schemes(graph, node, true);
}

void run(const ConvPool& c, i64 begin, i64 end, void* scratch) {
  auto* memory = static_cast<float*>(scratch);
  if (c.tiles == 1) return c.run(c, {0, c.batch, 0, c.ph, 0, 1}, memory);
  const i64 units = c.by_image ? c.batch : c.ph;
  const i64 from = tile_begin(units, c.tiles, begin),
            count = tile_begin(units, c.tiles, end) - from;
  if (c.by_image)
    c.run(c, {from, count, 0, c.ph, begin, end}, memory);
  else
    c.run(c, {0, c.batch, from, count, begin, end}, memory);
}

Call lower_forward(const BoundNode& bound) {
  ConvPool c = args_of(bound, false);
  c.w = bound.input(1);
  c.bias = bound.in.size() - (c.table ? 1 : 0) > 2 ? bound.input(2) : nullptr;
  c.y = bound.output(0);
  c.index = bound.output<std::uint8_t>(1);
  choose_target();
  c.run = &HWY_DYNAMIC_DISPATCH(forward);
  return make_call<ConvPool>(c, run);
}

Call lower_backward(const BoundNode& bound) {
  ConvPool c = args_of(bound, true);
  c.dy = bound.input(1);
  c.index = const_cast<std::uint8_t*>(bound.input<std::uint8_t>(2));
  c.dw = bound.output(0);
  c.db = bound.node.attrs.integer("bias") ? bound.output(1) : nullptr;
  choose_target();
  c.run = &HWY_DYNAMIC_DISPATCH(backward);
  return make_call<ConvPool>(c, run);
}

constexpr KernelDef kernels[] = {
    {"conv2d_pool", supports, forward_schemes, lower_forward},
    {"conv2d_pool_weight_grad", supports, backward_schemes, lower_backward}};

}  // namespace

std::span<const KernelDef> table() { return kernels; }

}  // namespace goneuron::cpu::conv_pool_kernel
#endif
