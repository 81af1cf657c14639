#include "backends/cpu/gemm.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "backends/cpu/bf16_products.h"
#include "backends/cpu/gemm_tile.h"
#include "backends/cpu/target.h"
#include "core/half.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "backends/cpu/gemm.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

#include "backends/cpu/vectors-inl.h"

HWY_BEFORE_NAMESPACE();
namespace goneuron::cpu::HWY_NAMESPACE {

#include "backends/cpu/gemm_tile-inl.h"

/// sum + x b, x spread over all lanes. A compiler loads an x that is used twice once, by an
/// instruction of its own; here the multiplication does it, which is one less to decode.
HWY_INLINE V mul_add_one(const float* x, V b, V sum) {
#if HWY_TARGET <= HWY_AVX3
  static_assert(lanes == 16);
  asm("vfmadd231ps %2%{1to16%}, %1, %0" : "+v"(sum.raw) : "v"(b.raw), "m"(*x));
  return sum;
#else
  return hn::MulAdd(hn::Set(D(), *x), b, sum);
#endif
}

enum class Layout { rows, columns, columns_copying };

template <i64 mr, Layout kLayout>
void micro(const TileWork& t) {
  const D d;
  V s0[mr], s1[mr];
  if (t.add) {
#pragma GCC unroll 12
    for (i64 i = 0; i < mr; ++i) {
      s0[i] = hn::LoadU(d, t.c + i * t.c_row);
      s1[i] = hn::LoadU(d, t.c + i * t.c_row + lanes);
    }
  } else {
#pragma GCC unroll 12
    for (i64 i = 0; i < mr; ++i) s0[i] = s1[i] = hn::Zero(d);
  }
  // Of rows, four pointers reach all with the addressing modes that there are.
  const i64 a_row = kLayout == Layout::rows ? t.a_row : 1;
  const i64 a_step = kLayout == Layout::rows ? 1 : t.a_step, b_row = t.b_row;
  const float* x[4] = {t.a, t.a + 3 * a_row, t.a + 6 * a_row, t.a + 9 * a_row};
  const float* b = t.b;
  [[maybe_unused]] float* packed = t.packed;
  const i64 most = t.fetches ? Fetches::steps : t.k;
  for (i64 left = t.k; left > 0; left -= most) {
    if (t.fetches) (*t.fetches)();
#pragma GCC unroll 2
    for (i64 p = std::min(left, most); p > 0; --p) {
      const V b0 = hn::LoadU(d, b), b1 = hn::LoadU(d, b + lanes);
      if constexpr (kLayout == Layout::columns_copying) {
        hn::Store(b0, d, packed);
        hn::Store(b1, d, packed + lanes);
        packed += nr;
      }
#pragma GCC unroll 12
      for (i64 i = 0; i < mr; ++i) {
        // Every other one: two loads a cycle would be the limit if all were operands in memory.
        if (kLayout != Layout::rows && i % 2 == 1) {
          s0[i] = mul_add_one(x[0] + i, b0, s0[i]);
          s1[i] = mul_add_one(x[0] + i, b1, s1[i]);
          continue;
        }
        const V y = hn::Set(d, kLayout == Layout::rows ? x[i / 3][i % 3 * a_row] : x[0][i]);
        s0[i] = hn::MulAdd(y, b0, s0[i]);
        s1[i] = hn::MulAdd(y, b1, s1[i]);
      }
#pragma GCC unroll 4
      for (i64 i = 0; i < 4; ++i) x[i] += a_step;
      b += b_row;
    }
  }
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    hn::StoreU(s0[i], d, t.c + i * t.c_row);
    hn::StoreU(s1[i], d, t.c + i * t.c_row + lanes);
  }
}

template <Layout kLayout, size_t... kHeight>
Micro micro_of(i64 height, std::index_sequence<kHeight...>) {
  static constexpr Micro table[] = {micro<static_cast<i64>(kHeight) + 1, kLayout>...};
  return table[height - 1];
}
Micro gemm_tile(i64 height, bool by_rows, bool copies) {
  const auto heights = std::make_index_sequence<max_mr>();
  return copies    ? micro_of<Layout::columns_copying>(height, heights)
         : by_rows ? micro_of<Layout::rows>(height, heights)
                   : micro_of<Layout::columns>(height, heights);
}

#include "backends/cpu/transpose-inl.h"

/// Zeros in columns [rows, stride) of `depth` packed rows.
HWY_INLINE void pad(float* to, i64 rows, i64 depth, i64 stride) {
  for (i64 i = rows; i < stride; ++i)
    for (i64 p = 0; p < depth; ++p) to[p * stride + i] = 0;
}

/// Operands as they are.
struct Floats {
  static constexpr i64 max_mr = HWY_NAMESPACE::max_mr, nr = HWY_NAMESPACE::nr, unit = 1,
                       most_steps = gemm_depth, most_rows = gemm_rows;

  static i64 steps(i64 k) { return k; }
  static i64 height(i64 m) { return tile_height(m, max_mr); }

  /// Whether A is read where it lies: packing it pays from the third panel on.
  static bool in_place(const Gemm& g) { return g.by_rows() && g.n <= 2 * nr; }
  /// A is packed as columns, [cols, mr].
  static TileLayout layout(const Gemm&, i64 /*steps*/, i64 mr) { return {1, mr, false}; }
  /// Whether the first tile that reads a panel of B packs it.
  static bool tile_packs(const Gemm& g) { return g.b_col == 1 && !in_place(g); }

  template <i64 kRows>  // known, so that it is a few moves
  static void copy_columns(const float* from, i64 col, i64 cols, float* HWY_RESTRICT to) {
    for (i64 p = 0; p < cols; ++p, to += kRows, from += col)
      std::memcpy(to, from, kRows * sizeof(float));
  }

  static void pack_a(const Gemm& g, i64 row, i64 rows, i64 col, i64 cols, i64 mr, float* to) {
    const float* from = g.a + row * g.a_row + col * g.a_col;
    if (rows == max_mr && g.a_row == 1) return copy_columns<max_mr>(from, g.a_col, cols, to);
    pad(to, rows, cols, mr);
    if (g.by_rows()) return transpose(from, g.a_row, rows, cols, to, mr);
    for (i64 p = 0; p < cols; ++p, to += mr, from += g.a_col)
      for (i64 i = 0; i < rows; ++i) to[i] = from[i];
  }

  static void pack_b(const Gemm& g, i64 row, i64 rows, i64 col, i64 cols, float* HWY_RESTRICT to) {
    const float* from = g.b + row * g.b_row + col * g.b_col;
    const D d;
    if (g.b_col != 1) {
      pad(to, cols, rows, nr);
      return transpose(from, g.b_col, cols, rows, to, nr);
    }
    if (cols < nr) {
      pad(to, cols, rows, nr);
      for (i64 p = 0; p < rows; ++p, from += g.b_row, to += nr)
        for (i64 j = 0; j < cols; ++j) to[j] = from[j];
      return;
    }
    for (i64 p = 0; p < rows; ++p, from += g.b_row, to += nr) {
      hn::Store(hn::LoadU(d, from), d, to);
      hn::Store(hn::LoadU(d, from + lanes), d, to + lanes);
    }
  }

  static Micro tile(i64 height, bool by_rows, bool copies) {
    return gemm_tile(height, by_rows, copies);
  }
};

/// Operands rounded to bf16 but kept as floats, for processors without fast products of bf16.
struct RoundedFloats : Floats {
  static bool in_place(const Gemm&) { return false; }
  static bool tile_packs(const Gemm&) { return false; }
  static void pack_a(const Gemm& g, i64 row, i64 rows, i64 col, i64 cols, i64 mr, float* to) {
    Floats::pack_a(g, row, rows, col, cols, mr, to);
    round(to, cols * mr);
  }
  static void pack_b(const Gemm& g, i64 row, i64 rows, i64 col, i64 cols, float* to) {
    Floats::pack_b(g, row, rows, col, cols, to);
    round(to, rows * nr);
  }
  static void round(float* x, i64 n) {
    for (i64 i = 0; i < n; ++i) x[i] = round_to_bf16(x[i]);
  }
};

#include "backends/cpu/gemm_blocks-inl.h"

/// A few rows: B is read once, where it lies, so that the product runs at the speed of memory.
template <i64 kRows>
void few_rows(const Gemm& g) {
  const D d;
  constexpr i64 vectors = kRows == 1 ? 8 : kRows == 2 ? 4 : 2;
  i64 j = 0;
  for (; j + vectors * lanes <= g.n; j += vectors * lanes) {
    V s[kRows][vectors];
    for (i64 i = 0; i < kRows; ++i)
      for (i64 v = 0; v < vectors; ++v)
        s[i][v] = g.add ? hn::LoadU(d, g.product() + i * g.c_row + j + v * lanes) : hn::Zero(d);
    const float* b = g.b + j;
    for (i64 p = 0; p < g.k; ++p, b += g.b_row) {
#pragma GCC unroll 8
      for (i64 v = 0; v < vectors; ++v) {
        const V w = hn::LoadU(d, b + v * lanes);
#pragma GCC unroll 4
        for (i64 i = 0; i < kRows; ++i)
          s[i][v] = hn::MulAdd(hn::Set(d, g.a[i * g.a_row + p * g.a_col]), w, s[i][v]);
      }
    }
    for (i64 i = 0; i < kRows; ++i)
      for (i64 v = 0; v < vectors; ++v)
        hn::StoreU(s[i][v], d, g.product() + i * g.c_row + j + v * lanes);
  }
  // The rest, one vector at a time, the last one cut.
  for (; j < g.n; j += lanes) {
    const auto here = hn::FirstN(d, static_cast<size_t>(std::min(lanes, g.n - j)));
    V s[kRows];
    for (i64 i = 0; i < kRows; ++i)
      s[i] = g.add ? hn::MaskedLoad(here, d, g.product() + i * g.c_row + j) : hn::Zero(d);
    const float* b = g.b + j;
    for (i64 p = 0; p < g.k; ++p, b += g.b_row) {
      const V w = hn::MaskedLoad(here, d, b);
#pragma GCC unroll 4
      for (i64 i = 0; i < kRows; ++i)
        s[i] = hn::MulAdd(hn::Set(d, g.a[i * g.a_row + p * g.a_col]), w, s[i]);
    }
    for (i64 i = 0; i < kRows; ++i) hn::BlendedStore(s[i], here, d, g.product() + i * g.c_row + j);
  }
  finish(g, 0, kRows, 0, g.n);
}

/// So few columns that vectors along them would be half empty: computes the transpose C' = B' A',
/// whose vectors run along the rows of A, nr of them at a time.
void narrow(const Gemm& g, void* scratch) {
  HWY_ALIGN float part[nr * nr];  // of C'
  auto* packed = static_cast<float*>(scratch);
  const i64 most = tile_height(g.n, max_mr);
  constexpr i64 group = narrow_panels * nr;
  for (i64 row = 0; row < g.m; row += nr) {
    const i64 rows = std::min(nr, g.m - row);
    const bool in_place = g.a_row == 1 && rows == nr;
    const bool copied = in_place && g.fenced && g.k <= gemm_depth;
    if (copied && row % group == 0) {
      const i64 width = std::min(group, (g.m - row) / nr * nr);
      for (i64 s = 0; s < g.k; ++s)
        for (i64 i = 0; i < width; i += nr)
          std::memcpy(packed + i * g.k + s * nr, g.a + s * g.a_col + row + i, nr * sizeof(float));
    }
    const i64 depth = in_place ? g.k : gemm_depth;
    for (i64 p = 0; p < g.k; p += depth) {
      const i64 steps = std::min(depth, g.k - p);
      const float* panel = copied ? packed + row % group * g.k : g.a + row * g.a_row + p * g.a_col;
      if (!in_place) {
        pad(packed, rows, steps, nr);
        if (g.a_row == 1)
          for (i64 s = 0; s < steps; ++s) std::copy_n(panel + s * g.a_col, rows, packed + s * nr);
        else
          transpose(panel, g.a_row, rows, steps, packed, nr);
        panel = packed;
      }
      const i64 panel_row = in_place && !copied ? g.a_col : nr;
      for (i64 j = 0; j < g.n; j += most) {
        const Micro tile = gemm_tile(std::min(most, g.n - j), g.b_col != 1);
        tile({g.b + j * g.b_col + p * g.b_row, g.b_col, g.b_row, panel, panel_row, steps,
              part + j * nr, nr, p > 0});
      }
    }
    transpose(part, nr, g.n, rows, g.product() + row * g.c_row, g.c_row);
    finish(g, row, rows, 0, g.n);
  }
}

/// Rows [row, row + kRows) of a product of at most one panel's columns; B [k, nr or more] is read
/// where it lies.
template <i64 kRows, bool kTwo>
HWY_INLINE void direct_rows(const Gemm& g, const float* HWY_RESTRICT b, i64 b_row, i64 row) {
  const D d;
  const auto first = hn::FirstN(d, static_cast<size_t>(std::min(g.n, lanes)));
  const auto second = hn::FirstN(d, static_cast<size_t>(kTwo ? g.n - lanes : 0));
  V s0[kRows], s1[kRows];
#pragma GCC unroll 12
  for (i64 i = 0; i < kRows; ++i) {
    const float* c = g.product() + (row + i) * g.c_row;
    s0[i] = g.add ? hn::MaskedLoad(first, d, c) : hn::Zero(d);
    if constexpr (kTwo) s1[i] = g.add ? hn::MaskedLoad(second, d, c + lanes) : hn::Zero(d);
  }
  const float* a = g.a + row * g.a_row;
  for (i64 p = 0; p < g.k; ++p, a += g.a_col, b += b_row) {
    const V b0 = hn::MaskedLoad(first, d, b);
    V b1;
    if constexpr (kTwo) b1 = hn::MaskedLoad(second, d, b + lanes);
#pragma GCC unroll 12
    for (i64 i = 0; i < kRows; ++i) {
      const V x = hn::Set(d, a[i * g.a_row]);
      s0[i] = hn::MulAdd(x, b0, s0[i]);
      if constexpr (kTwo) s1[i] = hn::MulAdd(x, b1, s1[i]);
    }
  }
#pragma GCC unroll 12
  for (i64 i = 0; i < kRows; ++i) {
    float* c = g.product() + (row + i) * g.c_row;
    hn::BlendedStore(s0[i], first, d, c);
    if constexpr (kTwo) hn::BlendedStore(s1[i], second, d, c + lanes);
  }
}

template <bool kTwo>
void direct_panel(const Gemm& g, const float* b, i64 b_row) {
  constexpr i64 step = Floats::max_mr;
  i64 row = 0;
  for (; row + step <= g.m; row += step) direct_rows<step, kTwo>(g, b, b_row, row);
  for (; row + 4 <= g.m; row += 4) direct_rows<4, kTwo>(g, b, b_row, row);
  for (; row < g.m; ++row) direct_rows<1, kTwo>(g, b, b_row, row);
}

/// Few columns: no packing, since there is little to reuse.
void direct(const Gemm& g, void* scratch) {
  const float* b = g.b;
  i64 b_row = g.b_row;
  if (g.b_col != 1) {
    auto* packed = static_cast<float*>(scratch);
    Floats::pack_b(g, 0, g.k, 0, g.n, packed);
    b = packed;
    b_row = nr;
  }
  if (g.n > lanes)
    direct_panel<true>(g, b, b_row);
  else
    direct_panel<false>(g, b, b_row);
  finish(g, 0, g.m, 0, g.n);
}

#if HWY_TARGET != HWY_SCALAR  // both are there to fill vectors
#include "backends/cpu/gemm_dots-inl.h"
#include "backends/cpu/gemm_shallow-inl.h"
#endif

void gemm(const Gemm& g, void* scratch) {
  if (g.follower) return wide<Floats>(g, scratch);
  if (g.n <= nr) {
#if HWY_TARGET != HWY_SCALAR
    if (as_dots(g)) return dots(g, scratch);
#endif
    // A transposed B is turned round in the scratch memory, which holds so many rows. The rows of
    // an A that is stored by its columns fill vectors as they lie, which pays when a fifth of a
    // vector along the columns would be idle.
    const bool fits = g.b_col == 1 || g.k <= gemm_depth;
    const i64 padded = (g.n + lanes - 1) / lanes * lanes;
    const bool idle = g.a_row == 1 && 5 * g.n <= 4 * padded;
    if (g.m >= nr && g.k > 0 && (idle || !fits) && !g.add) return narrow(g, scratch);
    if (fits) return direct(g, scratch);
  }
  if (g.m <= 4 && g.b_col == 1) {
    switch (g.m) {
      case 0:
        return;
      case 1:
        return few_rows<1>(g);
      case 2:
        return few_rows<2>(g);
      case 3:
        return few_rows<3>(g);
      default:
        return few_rows<4>(g);
    }
  }
#if HWY_TARGET != HWY_SCALAR
  if (g.k > 0 && g.k <= most_shallow && !g.add) return shallow(g, scratch);
#endif
  wide<Floats>(g, scratch);
}

void gemm_rounded(const Gemm& g, void* scratch) { wide<RoundedFloats>(g, scratch); }

}  // namespace goneuron::cpu::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::cpu {
HWY_EXPORT(gemm);
HWY_EXPORT(gemm_rounded);

GemmKernel gemm_kernel() {
  choose_target();
  return &HWY_DYNAMIC_DISPATCH(gemm);
}

#if defined(__x86_64__)
void gemm_float_tiles(const Gemm& g, void* scratch);  // gemm_tiles.cpp
#endif

GemmKernel gemm_kernel_for(i64 m, i64 n, i64 k) {
#if defined(__x86_64__)
  constexpr i64 least_rows = 32, least_columns = 48, least_depth = 48;
  if (bf16_products() == Bf16::tiles && m >= least_rows && n >= least_columns && k >= least_depth)
    return gemm_float_tiles;
#endif
  return gemm_kernel();
}

GemmKernel gemm_rounded_kernel() {
  choose_target();
  return &HWY_DYNAMIC_DISPATCH(gemm_rounded);
}

bool gemm_takes_follower(i64 m, i64 n, i64 k) {
  constexpr i64 few_rows = 4, narrow = 32, wide = 1024, shallow = 32;
  return m > few_rows && n > narrow && n <= wide && k >= shallow;
}

i64 gemm_scratch(i64 m, i64 n, i64 k) {
  constexpr i64 widest_panel = 32, tallest_tile = 32, tile_depth = 32;
  const bool tiles = bf16_products() == Bf16::tiles;
  const i64 deepest = tiles ? gemm_split_depth : gemm_depth;
  const i64 tallest = tiles ? gemm_split_rows : gemm_rows;
  const i64 depth = std::min(tiles ? round_up(k, tile_depth) / 2 * 3 : k, deepest);
  const i64 panels = ceil_div(n, widest_panel) + narrow_panels;
  const i64 packed_b = std::min(panels * depth, gemm_panels * gemm_depth + narrow_panels * deepest);
  const i64 packed_a = std::min((m + tallest_tile) * depth, (tallest + tallest_tile) * deepest);
  return (packed_b * widest_panel + packed_a) * i64{sizeof(float)} + 64;
}

}  // namespace goneuron::cpu
#endif
