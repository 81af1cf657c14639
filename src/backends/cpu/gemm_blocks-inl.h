// The loops of a product around its register tile: blocks of the depth, of the rows, panels of
// columns. A Form says how operands are packed and what a register tile is. Included by gemm.cpp
// (floats, once for each SIMD target) and gemm_bf16.cpp, in their namespaces.

/// Bias and activation, on finished tiles that are still in the cache.
void finish(const Gemm& g, i64 row, i64 rows, i64 col, i64 cols) {
  if (g.bias)
    for (i64 i = row; i < row + rows; ++i) {
      float* c = g.product() + i * g.c_row + col;
      for (i64 j = 0; j < cols; ++j) c[j] += g.bias[col + j];
    }
  if (!g.activation) return;
  if (cols == g.c_row) {  // whole rows lie one behind the other
    cols *= rows;
    rows = 1;
  }
  for (i64 i = row; i < row + rows; ++i) {
    const i64 at = i * g.c_row + col;
    g.activation(g.product() + at, g.c + at, cols, g.alpha, 0);
  }
}

/// A part of an operand that is worked on next, asked for line by line meanwhile: it may come from
/// memory.
struct Ahead {
  static constexpr i64 line = 16;
  const float* piece = nullptr;
  i64 length = 0, stride = 0, pieces = 0;  // of what lies in a row, in floats
  i64 at = 0;

  i64 lines() const { return (length + line - 1) / line * pieces; }
  void fetch(i64 lines) {
    for (; lines > 0 && pieces > 0; --lines) {
      __builtin_prefetch(piece + at, 0, 2);
      at += line;
      if (at < length) continue;
      at = 0;
      piece += stride;
      --pieces;
    }
  }
};

/// `rows` rows of A, or as many as there are, over `depth` of its columns.
inline Ahead rows_of(const Gemm& g, i64 row, i64 rows, i64 col, i64 depth) {
  const float* from = g.a + row * g.a_row + col * g.a_col;
  rows = std::min(rows, g.m - row);
  return g.by_rows() ? Ahead{from, depth, g.a_row, rows} : Ahead{from, rows, g.a_col, depth};
}

/// `depth` rows of B over `cols` of its columns, or what a part of the second-level cache holds.
inline Ahead columns_of(const Gemm& g, i64 row, i64 depth, i64 col, i64 cols) {
  constexpr i64 most = 1 << 16;  // floats
  const float* from = g.b + row * g.b_row + col * g.b_col;
  cols = std::min(cols, g.n - col);
  Ahead ahead =
      g.b_col == 1 ? Ahead{from, cols, g.b_row, depth} : Ahead{from, depth, g.b_col, cols};
  ahead.pieces = std::min(ahead.pieces, most / std::max<i64>(ahead.length, 1));
  return ahead;
}

/// One block: packed rows of A against a packed panel of B, both `depth` packed steps deep. With
/// each tile, `lines` of what comes next are asked for.
template <class Form>
HWY_INLINE void block(const Gemm& g, const float* a, const float* b, i64 row, i64 rows, i64 col,
                      i64 cols, i64 depth, i64 mr, bool add, Ahead& ahead, i64 lines) {
  constexpr i64 nr = Form::nr;
  alignas(64) float edge[Form::max_mr * nr];
  const auto tile = Form::tile(mr, add);
  const i64 a_row = g.by_rows() ? depth : 1, a_step = g.by_rows() ? 1 : mr;
  for (i64 i = 0; i < rows; i += mr, a += mr * depth) {
    const i64 height = std::min(mr, rows - i);
    float* c = g.product() + (row + i) * g.c_row + col;
    ahead.fetch(lines);
    for (i64 r = mr; r < 2 * mr && i + r < rows; ++r) {  // the next tile's
      __builtin_prefetch(c + r * g.c_row, 1);
      __builtin_prefetch(c + r * g.c_row + nr / 2, 1);
    }
    if (height == mr && cols == nr) {
      tile(a, a_row, a_step, b, nr, depth, c, g.c_row);
      continue;
    }
    if (add)
      for (i64 r = 0; r < height; ++r)
        std::memcpy(edge + r * nr, c + r * g.c_row, static_cast<size_t>(cols) * sizeof(float));
    Form::tile(height, add)(a, a_row, a_step, b, nr, depth, edge, nr);
    for (i64 r = 0; r < height; ++r)
      std::memcpy(c + r * g.c_row, edge + r * nr, static_cast<size_t>(cols) * sizeof(float));
  }
}

/// Calls pack(tile, first step, steps) for all tiles of a packed operand. Where memory runs across
/// the tiles, a few rows at a time through all of them: whole lines are read in order, and rows
/// that lie a power of two apart do not push each other out of the cache.
template <class Pack>
HWY_INLINE void pack_tiles(i64 tiles, i64 steps, bool across, const Pack& pack) {
  const i64 most = across ? pack_rows : std::max<i64>(steps, 1);
  for (i64 p = 0; p < steps; p += most)
    for (i64 tile = 0; tile < tiles; ++tile) pack(tile, p, std::min(most, steps - p));
}

/// `scratch`: see gemm_scratch().
template <class Form>
void wide(const Gemm& g, void* scratch) {
  constexpr i64 nr = Form::nr;
  if (g.m == 0) return;
  const i64 depth = Form::steps(g.k);  // of pairs, when a step takes two
  const i64 blocks = std::max<i64>(1, (depth + gemm_depth - 1) / gemm_depth);  // of equal depth
  const i64 most_steps = (depth + blocks - 1) / blocks;
  const i64 most_rows = gemm_rows * gemm_depth / std::max<i64>(most_steps, 1);
  const i64 row_blocks = std::max<i64>(1, (g.m + most_rows - 1) / most_rows);
  // B is packed once. With one block of rows a panel is used once, so that few are kept; a
  // transposed one is read along its own rows, and has nothing in common with the next.
  const i64 together = std::min(row_blocks > 1 ? gemm_panels
                                : g.b_col == 1 ? 4
                                               : 1,
                                (g.n + nr - 1) / nr);
  auto* packed_b = static_cast<float*>(scratch);
  float* packed_a = packed_b + together * most_steps * nr;
  for (i64 at = 0; at < blocks; ++at) {
    const i64 p = depth * at / blocks, steps = depth * (at + 1) / blocks - p;
    const bool last = at + 1 == blocks, add = p > 0 || g.add;
    for (i64 first = 0; first < g.n; first += together * nr) {
      const i64 panels = std::min(together, (g.n - first + nr - 1) / nr);
      pack_tiles(panels, steps, g.b_col == 1, [&](i64 panel, i64 s, i64 count) {
        const i64 col = first + panel * nr;
        Form::pack_b(g, p + s, count, col, std::min(nr, g.n - col),
                     packed_b + (panel * steps + s) * nr);
      });
      for (i64 part = 0; part < row_blocks; ++part) {
        const i64 row = g.m * part / row_blocks, rows = g.m * (part + 1) / row_blocks - row;
        const i64 mr = tile_height(rows, Form::max_mr);
        const float* a = packed_a;
        if (blocks == 1 && Form::as_stored(g))
          a = g.a + row * g.a_row;
        else if (first == 0 || row_blocks > 1)
          pack_tiles((rows + mr - 1) / mr, steps, !g.by_rows(), [&](i64 tile, i64 s, i64 count) {
            const i64 i = tile * mr, step = g.by_rows() ? 1 : mr;
            Form::pack_a(g, row + i, std::min(mr, rows - i), p + s, count, mr,
                         packed_a + i * steps + s * step);
          });
        Ahead ahead;
        const i64 next = first + together * nr;
        if (part + 1 < row_blocks)
          ahead = rows_of(g, row + rows, rows, g.k * at / blocks, g.k / blocks);
        else if (next < g.n)
          ahead = columns_of(g, g.k * at / blocks, g.k / blocks, next, together * nr);
        else if (!last)
          ahead = columns_of(g, g.k * (at + 1) / blocks, g.k / blocks, 0, together * nr);
        const i64 lines = ahead.lines() / (panels * ((rows + mr - 1) / mr)) + 1;
        for (i64 panel = 0; panel < panels; ++panel) {
          const i64 col = first + panel * nr, cols = std::min(nr, g.n - col);
          block<Form>(g, a, packed_b + panel * steps * nr, row, rows, col, cols, steps, mr, add,
                      ahead, lines);
          // Rows of a few panels together: those of one are short for a loop of their own.
          constexpr i64 few = 4;
          const i64 begun = panel % few;
          if (last && (begun + 1 == few || panel + 1 == panels))
            finish(g, row, rows, col - begun * nr, begun * nr + cols);
        }
      }
    }
  }
}
