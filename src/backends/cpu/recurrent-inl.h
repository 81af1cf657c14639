// What the LSTM and GRU steps share: packed recurrent weights, register tiles of their products,
// and chunks of rows. Included once for each instruction set.
#if defined(GONEURON_RECURRENT_INL) == defined(HWY_TARGET_TOGGLE)
#ifdef GONEURON_RECURRENT_INL
#undef GONEURON_RECURRENT_INL
#else
#define GONEURON_RECURRENT_INL
#endif

#include <algorithm>
#include <cstring>
#include <optional>
#include <utility>

#include "backends/cpu/recurrent.h"
#include "backends/cpu/vector_math-inl.h"
#include "backends/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {

/// Sums that fit in registers with their operands: 24 vectors of 32, 12 of 16.
constexpr i64 sums = lanes >= 16 ? 24 : 12;

/// Private memory, taken piece by piece; every piece begins a cache line.
class Scratch {
 public:
  explicit Scratch(void* memory) : at_(static_cast<float*>(memory)) {}
  float* take(i64 floats) {
    float* piece = at_;
    at_ += (floats + 15) / 16 * 16;
    return piece;
  }

 private:
  float* at_;
};

/// Rows of states in scratch memory: padded to whole vectors, and one more line, so that rows do
/// not fall on the same lines of the cache.
constexpr i64 padded(i64 units) { return (units + lanes - 1) / lanes * lanes; }
constexpr i64 pitch_of(i64 columns) { return (columns + 15) / 16 * 16 + 16; }

/// The gates' functions: a rational in x^2 fitted to 6e-9, so that rounding decides, over the range
/// in which tanh is not 1 in f32. Highway's, exact to the last bit, take three times as long. A NaN
/// stays one: Min and Max give their second operand then.
struct Ratio {
  V above, below;
};
HWY_INLINE Ratio tanh_ratio(V x) {
  x = hn::Max(num(-7.9F), hn::Min(num(7.9F), x));
  const V u = hn::Mul(x, x);
  const V p = horner(u, 0.9999999943576393F, 0.13450623243442836F, 0.0035789952055008227F,
                     2.202329812978581e-05F, 1.542804785375409e-08F);
  const V q = horner(u, 1.0F, 0.4678395124648233F, 0.026192250016496107F, 0.00034236557785788103F,
                     8.598810470989567e-07F);
  return {hn::Mul(x, p), q};
}
HWY_INLINE V gate_tanh(V x) {
  const Ratio r = tanh_ratio(x);
  return hn::Div(r.above, r.below);
}
/// (1 + tanh(x / 2)) / 2
HWY_INLINE V from_tanh(V t) { return hn::MulAdd(num(0.5F), t, num(0.5F)); }
/// a and b become sigmoids, c a tanh and e a sigmoid, by one division: the denominators are at most
/// 230.
HWY_INLINE void lstm_gates(V& a, V& b, V& c, V& e) {
  const V half = num(0.5F);
  const Ratio ra = tanh_ratio(hn::Mul(half, a)), rb = tanh_ratio(hn::Mul(half, b)),
              rc = tanh_ratio(c), re = tanh_ratio(hn::Mul(half, e));
  const V ab = hn::Mul(ra.below, rb.below), ce = hn::Mul(rc.below, re.below);
  const V inverse = hn::Div(num(1), hn::Mul(ab, ce));
  const V of_ab = hn::Mul(inverse, ce), of_ce = hn::Mul(inverse, ab);
  a = from_tanh(hn::Mul(ra.above, hn::Mul(of_ab, rb.below)));
  b = from_tanh(hn::Mul(rb.above, hn::Mul(of_ab, ra.below)));
  c = hn::Mul(rc.above, hn::Mul(of_ce, re.below));
  e = from_tanh(hn::Mul(re.above, hn::Mul(of_ce, rc.below)));
}
/// Both become sigmoids, by one division.
HWY_INLINE void two_sigmoids(V& a, V& b) {
  const V half = num(0.5F);
  const Ratio ra = tanh_ratio(hn::Mul(half, a)), rb = tanh_ratio(hn::Mul(half, b));
  const V inverse = hn::Div(num(1), hn::Mul(ra.below, rb.below));
  a = from_tanh(hn::Mul(ra.above, hn::Mul(inverse, rb.below)));
  b = from_tanh(hn::Mul(rb.above, hn::Mul(inverse, ra.below)));
}

/// s += a[kRows, k] b[k, kVectors lanes] with b packed; one chain of multiply-adds a sum. The last
/// vector's sums are those at kLast.
template <i64 kVectors, i64 kLast = kVectors - 1, i64 kRows, i64 kSums>
HWY_INLINE void multiply(const float* HWY_RESTRICT a, i64 a_row, const float* HWY_RESTRICT b, i64 k,
                         V (&s)[kRows][kSums]) {
  for (i64 p = 0; p < k; ++p, b += kVectors * lanes) {
    V w[kVectors];
#pragma GCC unroll 4
    for (i64 v = 0; v < kVectors; ++v) w[v] = hn::Load(d, b + v * lanes);
#pragma GCC unroll 24
    for (i64 i = 0; i < kRows; ++i) {
      const V x = num(a[i * a_row + p]);
#pragma GCC unroll 4
      for (i64 v = 0; v < kVectors; ++v) {
        V& sum = s[i][v + 1 < kVectors ? v : kLast];
        sum = hn::MulAdd(x, w[v], sum);
      }
    }
  }
}

/// The tile's height for `rows` rows of at most `most`: as many tiles as needed, as equal as can
/// be.
constexpr i64 even_height(i64 rows, i64 most) {
  const i64 tiles = (rows + most - 1) / most;
  return tiles == 0 ? 1 : (rows + tiles - 1) / tiles;
}

/// w[k, gates units] for the forward product: a block holds `lanes` units, their gates side by
/// side: [blocks][block_rows][gates lanes], of which this fills k rows from `first` on.
HWY_INLINE void pack_forward(const float* w, i64 k, i64 units, i64 gates, float* HWY_RESTRICT to,
                             i64 first, i64 block_rows) {
  for (i64 unit = 0; unit < units; unit += lanes) {
    const auto here = hn::FirstN(d, static_cast<size_t>(std::min(lanes, units - unit)));
    float* at = to + (unit / lanes * block_rows + first) * gates * lanes;
    for (i64 p = 0; p < k; ++p)
      for (i64 g = 0; g < gates; ++g, at += lanes)
        hn::Store(hn::MaskedLoad(here, d, w + (p * gates + g) * units + unit), d, at);
  }
}

constexpr i64 panel = 4;         // vectors of a panel of the backward product
constexpr i64 depth_most = 128;  // its rows that stay in the first-level cache

/// The transpose of w[units, gates units], whose k-th row is that of gate k / padded(units):
/// [panels][gates padded(units)][panel lanes or what is left].
HWY_INLINE void pack_backward(const float* w, i64 units, i64 gates, float* HWY_RESTRICT to) {
  const i64 wide = padded(units), columns = panel * lanes;
  std::memset(to, 0, static_cast<size_t>(wide * gates * wide) * sizeof(float));
  // A block of lines of both sides stays in the first-level cache.
  for (i64 first = 0; first < wide; first += columns) {
    const i64 width = std::min(columns, wide - first), last = std::min(first + columns, units);
    float* part = to + first * gates * wide;
    for (i64 k = 0; k < gates; ++k)
      for (i64 unit = 0; unit < units; unit += 16)
        for (i64 n = first; n < last; ++n)
          for (i64 u = unit; u < std::min(unit + 16, units); ++u)
            part[(k * wide + u) * width + n - first] = w[(n * gates + k) * units + u];
  }
}

/// c (+)= a b for one register tile.
template <i64 kRows, i64 kVectors>
void tile(const float* a, i64 a_row, const float* b, i64 k, float* c, i64 c_row, bool add) {
  V s[kRows][kVectors];
#pragma GCC unroll 24
  for (i64 i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (i64 v = 0; v < kVectors; ++v)
      s[i][v] = add ? hn::Load(d, c + i * c_row + v * lanes) : hn::Zero(d);
  multiply<kVectors>(a, a_row, b, k, s);
#pragma GCC unroll 24
  for (i64 i = 0; i < kRows; ++i)
#pragma GCC unroll 4
    for (i64 v = 0; v < kVectors; ++v) hn::Store(s[i][v], d, c + i * c_row + v * lanes);
}
using Tile = void (*)(const float*, i64, const float*, i64, float*, i64, bool);

template <i64 kVectors, size_t... kHeight>
HWY_INLINE Tile tile_of(i64 height, std::index_sequence<kHeight...>) {
  static constexpr Tile table[] = {tile<static_cast<i64>(kHeight) + 1, kVectors>...};
  return table[height - 1];
}
HWY_INLINE Tile tile_of(i64 height, i64 vectors) {
  const auto heights = std::make_index_sequence<static_cast<size_t>(sums / panel)>();
  return vectors == 1   ? tile_of<1>(height, heights)
         : vectors == 2 ? tile_of<2>(height, heights)
         : vectors == 3 ? tile_of<3>(height, heights)
                        : tile_of<4>(height, heights);
}

/// The product of a step's operands, x and h, by tiles: [rows, columns].
class StepTiles {
 public:
  StepTiles(const RowTiles& tiles, i64 in, i64 units, i64 columns, Scratch& scratch)
      : tiles_(tiles),
        in_(in),
        units_(units),
        columns_(columns),
        h_first_(row_tiles_steps(in)),
        steps_(h_first_ + row_tiles_steps(units)),
        w_(scratch.take(columns * steps_)),
        operands_(scratch.take(sequence_rows * steps_)),
        sums_(scratch.take(sequence_rows * pitch())) {}

  /// Some columns of a weight whose rows are `row` apart; they are at `column` of the product.
  void pack_x(const float* w, i64 row, i64 count, i64 column) {
    pack(w, row, in_, count, 0, column);
  }
  void pack_h(const float* w, i64 row, i64 count, i64 column) {
    pack(w, row, units_, count, h_first_, column);
  }
  void zero() { std::memset(w_, 0, static_cast<size_t>(columns_ * steps_) * sizeof(float)); }

  void multiply(const float* x_then_h, i64 row, i64 rows) const {
    tiles_.pack_rows(x_then_h, row, rows, in_, 0, steps_, operands_);
    tiles_.pack_rows(x_then_h + in_, row, rows, units_, h_first_, steps_, operands_);
    tiles_.multiply(operands_, w_, rows, columns_, steps_, sums_, pitch(), false);
  }
  const float* sums() const { return sums_; }
  i64 pitch() const { return pitch_of(columns_); }

 private:
  void pack(const float* w, i64 row, i64 depth, i64 count, i64 first, i64 column) {
    tiles_.pack_matrix(w, row, 1, depth, count, first, steps_, w_ + column * steps_);
  }
  const RowTiles& tiles_;
  const i64 in_, units_, columns_, h_first_, steps_;
  float *const w_, *const operands_, *const sums_;
};

/// s += the sums of rows from `row` on, and of one vector of units in each of kParts parts.
template <i64 kParts, i64 kRows>
HWY_INLINE void add_sums(const StepTiles& tiles, i64 row, i64 unit, i64 units,
                         V (&s)[kRows][kParts]) {
  const float* from = tiles.sums() + row * tiles.pitch() + unit;
  for (i64 i = 0; i < kRows; ++i, from += tiles.pitch())
#pragma GCC unroll 4
    for (i64 k = 0; k < kParts; ++k) s[i][k] = hn::Add(s[i][k], hn::LoadU(d, from + k * units));
}

/// Memory that the next step reads, fetched bit by bit while a product is computed.
struct Fetch {
  struct Rows {
    const float* from = nullptr;
    i64 stride = 0, columns = 0;
  };
  Rows all[3] = {};
  HWY_INLINE void operator()(i64 row, i64 rows, i64 part, i64 parts) const {
    constexpr i64 line = 16;
    for (const Rows& one : all) {
      if (!one.from) continue;
      const i64 lines = (one.columns + line - 1) / line;
      const i64 first = lines * part / parts, last = lines * (part + 1) / parts;
      for (i64 i = row; i < row + rows; ++i)
        for (i64 l = first; l < last; ++l)
          __builtin_prefetch(one.from + i * one.stride + l * line, 0, 2);
    }
  }
};

/// c[rows, units] (+)= a[rows, gates padded(units)] w^T, w packed by pack_backward.
HWY_INLINE void product_backward(const float* a, i64 a_row, const float* w, i64 rows, i64 units,
                                 i64 gates, float* c, i64 c_row, bool add, const Fetch& fetch) {
  const i64 wide = padded(units), depth = gates * wide, height = even_height(rows, sums / panel);
  const i64 blocks = (depth + depth_most - 1) / depth_most;
  const i64 panels = (wide + panel * lanes - 1) / (panel * lanes);
  for (i64 block = 0; block < blocks; ++block) {
    const i64 p = depth * block / blocks, k = depth * (block + 1) / blocks - p;
    for (i64 q = 0; q < panels; ++q) {
      const i64 first = q * panel * lanes, width = std::min(panel * lanes, wide - first);
      const float* b = w + first * depth + p * width;
      for (i64 row = 0; row < rows; row += height) {
        const i64 count = std::min(height, rows - row);
        fetch(row, count, block * panels + q, blocks * panels);
        tile_of(count, width / lanes)(a + row * a_row + p, a_row, b, k, c + row * c_row + first,
                                      c_row, add || block > 0);
      }
    }
  }
}

/// The product that takes the gradients of a step's gates to the state before it.
class Backwards {
 public:
  Backwards(const Sequence& sequence, i64 gates, Scratch& scratch)
      : tiles_(sequence.tiles), units_(sequence.units), gates_(gates) {
    const i64 depth = gates * padded(units_), steps = row_tiles_steps(depth);
    w_ = scratch.take(tiles_ ? units_ * steps : depth * padded(units_));
    if (tiles_) {
      operands_ = scratch.take(sequence_rows * steps);
      tiles_->pack_matrix(sequence.w, 1, depth, depth, units_, 0, steps, w_);
    } else {
      pack_backward(sequence.w, units_, gates, w_);
    }
  }
  /// dh[rows, units] (+)= from[rows, gates padded(units)] w^T
  void operator()(const float* from, i64 row, i64 rows, float* dh, i64 dh_row, bool add,
                  const Fetch& fetch) const {
    if (!tiles_)
      return product_backward(from, row, w_, rows, units_, gates_, dh, dh_row, add, fetch);
    const i64 depth = gates_ * units_, steps = row_tiles_steps(depth);
    tiles_->pack_rows(from, row, rows, depth, 0, steps, operands_);
    fetch(0, rows, 0, 1);
    tiles_->multiply(operands_, w_, rows, units_, steps, dh, dh_row, add);
  }

 private:
  const RowTiles* tiles_;
  i64 units_, gates_;
  float *w_ = nullptr, *operands_ = nullptr;
};

/// Every vector of `units`, the last one cut: f(unit, mask of the elements that there are).
template <class F>
HWY_INLINE void each_vector(i64 units, const F& f) {
  for (i64 u = 0; u < units; u += lanes)
    f(u, hn::FirstN(d, static_cast<size_t>(std::min(lanes, units - u))));
}

/// Rows into rows of `pitch`, or zeros; and back. Both begin at a column of a wider row.
HWY_INLINE void load_rows(const float* from, i64 from_pitch, i64 rows, i64 columns, float* to,
                          i64 pitch) {
  const auto bytes = static_cast<size_t>(columns) * sizeof(float);
  for (i64 i = 0; i < rows; ++i) {
    if (from)
      std::memcpy(to + i * pitch, from + i * from_pitch, bytes);
    else
      std::memset(to + i * pitch, 0, bytes);
  }
}
HWY_INLINE void store_rows(const float* from, i64 pitch, i64 rows, i64 units, float* to,
                           i64 to_pitch) {
  if (!to) return;
  for (i64 i = 0; i < rows; ++i)
    std::memcpy(to + i * to_pitch, from + i * pitch, static_cast<size_t>(units) * sizeof(float));
}

/// A pointer moved on, null where it was.
template <class T>
HWY_INLINE T* moved(T* pointer, i64 by) {
  return pointer ? pointer + by : nullptr;
}

HWY_INLINE bool kept(const Sequence& s, i64 row, i64 t) {
  return !s.mask || s.mask[row * s.steps + t] > 0.5F;
}

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();
#endif
