// The loops of a product around its register tile: blocks of the depth, of the rows, panels of
// columns. A Form says how operands are packed and what a register tile is. Included by gemm.cpp
// (floats, once for each SIMD target) and gemm_bf16.cpp, in their namespaces.

/// Bias, copy of z and activation, on a finished tile that is still in the cache.
void finish(const Gemm& g, i64 row, i64 rows, i64 col, i64 cols) {
  if (g.bias)
    for (i64 i = row; i < row + rows; ++i) {
      float* c = g.c + i * g.c_row + col;
      for (i64 j = 0; j < cols; ++j) c[j] += g.bias[col + j];
    }
  if (cols == g.c_row) {  // whole rows lie one behind the other
    cols *= rows;
    rows = 1;
  }
  for (i64 i = row; i < row + rows; ++i) {
    float* c = g.c + i * g.c_row + col;
    if (g.z) std::memcpy(g.z + i * g.c_row + col, c, static_cast<size_t>(cols) * sizeof(float));
    if (g.activation) g.activation(c, c, cols, g.alpha, 0);
  }
}

/// The register tile's height for `rows` rows: as many tiles as needed, as equal as can be.
inline i64 tile_height(i64 rows, i64 most) {
  const i64 tiles = (rows + most - 1) / most;
  return tiles == 0 ? 1 : (rows + tiles - 1) / tiles;
}

/// One block: packed rows of A against a packed panel of B, both `depth` packed steps deep.
template <class Form>
HWY_INLINE void block(const Gemm& g, const float* a, const float* b, i64 row, i64 rows, i64 col,
                      i64 cols, i64 depth, i64 mr, bool add) {
  constexpr i64 nr = Form::nr;
  alignas(64) float edge[Form::max_mr * nr];
  const auto tile = Form::tile(mr, add);
  const i64 a_row = g.by_rows() ? depth : 1, a_step = g.by_rows() ? 1 : mr;
  for (i64 i = 0; i < rows; i += mr, a += mr * depth) {
    const i64 height = std::min(mr, rows - i);
    float* c = g.c + (row + i) * g.c_row + col;
    for (i64 r = mr; r < 2 * mr && i + r < rows; ++r) {  // the next tile's
      __builtin_prefetch(c + r * g.c_row, 1);
      __builtin_prefetch(c + r * g.c_row + nr / 2, 1);
    }
    if (height == mr && cols == nr) {
      tile(a, a_row, a_step, b, depth, c, g.c_row);
      continue;
    }
    if (add)
      for (i64 r = 0; r < height; ++r)
        std::memcpy(edge + r * nr, c + r * g.c_row, static_cast<size_t>(cols) * sizeof(float));
    tile(a, a_row, a_step, b, depth, edge, nr);
    for (i64 r = 0; r < height; ++r)
      std::memcpy(c + r * g.c_row, edge + r * nr, static_cast<size_t>(cols) * sizeof(float));
  }
}

/// `scratch`: room for a panel of B, [kc, nr], and a block of A, [kc, mc or more rows].
template <class Form>
void wide(const Gemm& g, void* scratch) {
  constexpr i64 nr = Form::nr, kc = Form::kc, mc = Form::mc;
  auto* packed_b = static_cast<float*>(scratch);
  float* packed_a = packed_b + kc * nr;
  const i64 depth = Form::steps(g.k);                          // of pairs, when a step takes two
  const i64 blocks = std::max<i64>(1, (depth + kc - 1) / kc);  // of equal depth
  for (i64 at = 0; at < blocks; ++at) {
    const i64 p = depth * at / blocks, steps = depth * (at + 1) / blocks - p;
    const bool last = at + 1 == blocks, add = p > 0 || g.add;
    const i64 most_rows = steps == 0 ? mc : mc * kc / steps;
    const i64 row_blocks = std::max<i64>(1, (g.m + most_rows - 1) / most_rows);
    for (i64 part = 0; part < row_blocks; ++part) {
      const i64 row = g.m * part / row_blocks, rows = g.m * (part + 1) / row_blocks - row;
      const i64 mr = tile_height(rows, Form::max_mr);
      for (i64 i = 0; i < rows; i += mr)
        Form::pack_a(g, row + i, std::min(mr, rows - i), p, steps, mr, packed_a + i * steps);
      for (i64 col = 0; col < g.n; col += nr) {
        const i64 cols = std::min(nr, g.n - col);
        Form::pack_b(g, p, steps, col, cols, packed_b);
        block<Form>(g, packed_a, packed_b, row, rows, col, cols, steps, mr, add);
        if (last && (g.bias || g.z || g.activation)) finish(g, row, rows, col, cols);
      }
    }
  }
}
