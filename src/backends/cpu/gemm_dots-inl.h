// Products of few columns as dot products: vectors run along the depth, so that no lane is idle.
// Included by gemm.cpp, in the namespace of each SIMD target.

/// Rows and columns of a register tile, and how much of the depth is added before lanes are.
constexpr i64 dot_rows = lanes >= 16 ? 4 : 2, dot_columns = 5, dot_depth = 512;

/// c [rows, columns] (+)= the sums of parts [rows, columns, lanes] over the lanes.
HWY_NOINLINE void add_lanes(const float* parts, i64 rows, i64 columns, float* c, i64 c_row,
                            bool add) {
  const D d;
  for (i64 i = 0; i < rows; ++i, c += c_row)
    for (i64 j = 0; j < columns; ++j, parts += lanes) {
      const float sum = hn::GetLane(hn::SumOfLanes(d, hn::Load(d, parts)));
      c[j] = add ? c[j] + sum : sum;
    }
}

/// c (+)= A B over `k` steps of rows of A and of B's columns, which lie as rows: each element is a
/// chain of multiply-adds for each lane, then their sum.
template <i64 kRows, i64 kColumns>
void dot_tile(const float* HWY_RESTRICT a, i64 a_row, const float* HWY_RESTRICT b, i64 b_row, i64 k,
              float* HWY_RESTRICT c, i64 c_row, bool add) {
  const D d;
  HWY_ALIGN float parts[kRows * kColumns * lanes];
  V sums[kRows][kColumns];
  for (auto& row : sums)
    for (V& sum : row) sum = hn::Zero(d);
  const auto step = [&](auto load, i64 p) HWY_ATTR {
    V x[kRows];
#pragma GCC unroll 4
    for (i64 i = 0; i < kRows; ++i) x[i] = load(a + i * a_row + p);
#pragma GCC unroll 5
    for (i64 j = 0; j < kColumns; ++j) {
      const V y = load(b + j * b_row + p);
#pragma GCC unroll 4
      for (i64 i = 0; i < kRows; ++i) sums[i][j] = hn::MulAdd(x[i], y, sums[i][j]);
    }
  };
  i64 p = 0;
  for (; p + lanes <= k; p += lanes)
    step([&](const float* x) HWY_ATTR { return hn::LoadU(d, x); }, p);
  if (p < k) {
    const auto here = hn::FirstN(d, static_cast<size_t>(k - p));
    step([&](const float* x) HWY_ATTR { return hn::MaskedLoad(here, d, x); }, p);
  }
#pragma GCC unroll 4
  for (i64 i = 0; i < kRows; ++i)
#pragma GCC unroll 5
    for (i64 j = 0; j < kColumns; ++j) hn::Store(sums[i][j], d, parts + (i * kColumns + j) * lanes);
  add_lanes(parts, kRows, kColumns, c, c_row, add);
}

using DotTile = void (*)(const float* a, i64 a_row, const float* b, i64 b_row, i64 k, float* c,
                         i64 c_row, bool add);
template <i64 kRows, size_t... kWidth>
DotTile dot_tile_of(i64 width, std::index_sequence<kWidth...>) {
  static constexpr DotTile table[] = {dot_tile<kRows, static_cast<i64>(kWidth) + 1>...};
  return table[width - 1];
}

/// Whether dot products are less work than vectors along the columns: what these leave idle
/// outweighs adding up the lanes. Not for an A that is stored by columns, were it a single one.
bool as_dots(const Gemm& g) {
  const i64 idle = (lanes - g.n % lanes) % lanes;
  return g.a_row != 1 && g.a_col == 1 && idle > 0 && g.k * idle >= 8 * lanes * g.n;
}

void dots(const Gemm& g, void* scratch) {
  const auto widths = std::make_index_sequence<dot_columns>();
  const i64 blocks = (g.k + dot_depth - 1) / dot_depth;
  const i64 depth = ((g.k + blocks - 1) / blocks + lanes - 1) / lanes * lanes;
  const i64 width = tile_height(g.n, dot_columns);
  for (i64 p = 0; p < g.k; p += depth) {
    const i64 steps = std::min(depth, g.k - p);
    const bool add = p > 0 || g.add;
    const float* b = g.b + p * g.b_row;
    i64 b_row = g.b_col;
    if (g.b_row != 1) {
      auto* turned = static_cast<float*>(scratch);
      transpose(b, g.b_row, steps, g.n, turned, depth);
      b = turned;
      b_row = depth;
    }
    i64 row = 0;
    const auto rows = [&](auto tile_of, i64 height) {
      for (; row + height <= g.m; row += height)
        for (i64 j = 0; j < g.n; j += width)
          tile_of(std::min(width, g.n - j), widths)(g.a + row * g.a_row + p, g.a_row, b + j * b_row,
                                                    b_row, steps, g.product() + row * g.c_row + j,
                                                    g.c_row, add);
    };
    rows([](i64 w, auto all) { return dot_tile_of<dot_rows>(w, all); }, dot_rows);
    rows([](i64 w, auto all) { return dot_tile_of<1>(w, all); }, 1);
  }
  finish(g, 0, g.m, 0, g.n);
}
