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

/// `rows` rows of A, or as many as there are, over `depth` of its columns.
inline Ahead rows_of(const Gemm& g, i64 row, i64 rows, i64 col, i64 depth) {
  const float* from = g.a + row * g.a_row + col * g.a_col;
  rows = std::min(rows, g.m - row);
  return g.by_rows() ? Ahead{from, depth, g.a_row, rows} : Ahead{from, rows, g.a_col, depth};
}

/// `depth` rows of B over `cols` of its columns, or as many as there are.
inline Ahead columns_of(const Gemm& g, i64 row, i64 depth, i64 col, i64 cols) {
  const float* from = g.b + row * g.b_row + col * g.b_col;
  cols = std::min(cols, g.n - col);
  return g.b_col == 1 ? Ahead{from, cols, g.b_row, depth} : Ahead{from, depth, g.b_col, cols};
}

/// Rows of A as register tiles read them: row i of them at `a + i * tile`, see TileWork.
struct Left {
  const float* a;
  i64 tile, row, step;
};

/// A panel of B against rows of A, both `depth` steps deep. The first tile packs the panel if it
/// is to.
template <class Form>
HWY_INLINE void panel_tiles(const Gemm& g, const Left& left, i64 rows, i64 row, i64 col, i64 mr,
                            TileWork work) {
  constexpr i64 nr = Form::nr;
  alignas(64) float edge[Form::max_mr * nr];
  const i64 cols = std::min(nr, g.n - col);
  work.a_row = left.row;
  work.a_step = left.step;
  float* const first = g.product() + row * g.c_row + col;
  const bool by_rows = left.step == 1;
  const auto tile = Form::tile(mr, by_rows, false);
  for (i64 i = 0; i < rows; i += mr) {
    const i64 height = std::min(mr, rows - i);
    float* c = first + i * g.c_row;
    const bool more = i + mr < rows;  // tiles of this panel, or of the next
    work.fetches->c = more ? c + mr * g.c_row : first + nr;
    work.fetches->c_rows = more ? std::min(mr, rows - i - mr) : col + nr < g.n ? mr : 0;
    work.a = left.a + i * left.tile;
    if (height == mr && cols == nr) {
      work.c = c;
      work.c_row = g.c_row;
      if (work.packed) {
        Form::tile(mr, by_rows, true)(work);
        work.b = work.packed;
        work.b_row = nr;
        work.packed = nullptr;
      } else {
        tile(work);
      }
      continue;
    }
    work.c = edge;
    work.c_row = nr;
    const auto bytes = static_cast<size_t>(cols) * sizeof(float);
    if (work.add)
      for (i64 r = 0; r < height; ++r) std::memcpy(edge + r * nr, c + r * g.c_row, bytes);
    Form::tile(height, by_rows, false)(work);
    for (i64 r = 0; r < height; ++r) std::memcpy(c + r * g.c_row, edge + r * nr, bytes);
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
  const bool in_place = Form::in_place(g), tile_packs = Form::tile_packs(g);
  const i64 depth = Form::steps(g.k);  // of pairs, when a step takes two
  const i64 blocks = std::max<i64>(1, ceil_div(depth, gemm_depth));
  const i64 most_steps = ceil_div(depth, blocks);  // blocks of equal depth
  const i64 most_rows = gemm_rows * gemm_depth / std::max<i64>(most_steps, 1);
  const i64 row_blocks = std::max<i64>(1, ceil_div(g.m, most_rows));
  const i64 all_panels = ceil_div(g.n, nr);
  // B is packed once; with one block of rows a panel is used once, and not kept.
  const i64 together = tile_packs || g.b_col != 1 ? 1 : std::min<i64>(4, all_panels);
  const i64 most_panels = gemm_panels * gemm_depth / std::max<i64>(most_steps, 1);
  const i64 group = row_blocks > 1 ? std::min(most_panels, all_panels) : all_panels;
  auto* packed_b = static_cast<float*>(scratch);
  float* packed_a = packed_b + (row_blocks > 1 ? group : together) * most_steps * nr;
  Fetches fetches;
  fetches.c_row = g.c_row;
  fetches.c_half = nr / 2;
  for (i64 at = 0; at < blocks; ++at) {
    const i64 p = depth * at / blocks, steps = depth * (at + 1) / blocks - p;
    const i64 calls = std::max<i64>(1, Fetches::calls(steps));
    const bool last = at + 1 == blocks;
    for (i64 before = 0; before < all_panels; before += group) {
      const i64 panels = std::min(group, all_panels - before);
      for (i64 part = 0; part < row_blocks; ++part) {
        const i64 row = g.m * part / row_blocks, rows = g.m * (part + 1) / row_blocks - row;
        const i64 mr = tile_height(rows, Form::max_mr), tiles = ceil_div(rows, mr);
        const bool columns = Form::packs_columns(g);
        Left left{packed_a, steps, columns ? 1 : steps, columns ? mr : 1};
        if (in_place)
          left = {g.a + row * g.a_row + p * g.a_col, g.a_row, g.a_row, 1};
        else if (before == 0 || row_blocks > 1)
          pack_tiles(tiles, steps, !g.by_rows(), [&](i64 tile, i64 s, i64 count) {
            const i64 i = tile * mr, step = columns ? mr : 1;
            Form::pack_a(g, row + i, std::min(mr, rows - i), p + s, count, mr,
                         packed_a + i * steps + s * step);
          });
        fetches.c_rate = ceil_div(mr, calls);
        fetches.a = {};
        if (part + 1 < row_blocks)
          fetches.a = rows_of(g, row + rows, rows, g.k * at / blocks, g.k / blocks);
        fetches.a.spread(panels * tiles * calls);
        for (i64 panel = 0; panel < panels; ++panel) {
          const i64 col = (before + panel) * nr, cols = std::min(nr, g.n - col);
          const i64 slot = row_blocks > 1 ? panel : panel % together;
          TileWork work;
          work.b = packed_b + slot * steps * nr;
          work.b_row = nr;
          work.k = steps;
          work.add = p > 0 || g.add;
          work.fetches = &fetches;
          if (part == 0) {
            const i64 batch = tile_packs ? 1 : together;
            if (tile_packs && cols == nr) {
              work.packed = packed_b + slot * steps * nr;
              work.b = g.b + p * g.b_row + col;
              work.b_row = g.b_row;
            } else if (panel % batch == 0) {
              pack_tiles(std::min(batch, panels - panel), steps, g.b_col == 1,
                         [&](i64 tile, i64 s, i64 count) {
                           const i64 c = col + tile * nr;
                           Form::pack_b(g, p + s, count, c, std::min(nr, g.n - c),
                                        packed_b + ((slot + tile) * steps + s) * nr);
                         });
            }
            if (panel % batch == 0) {
              const i64 next = col + batch * nr;
              if (next < g.n)
                fetches.b = columns_of(g, g.k * at / blocks, g.k / blocks, next, batch * nr);
              else if (!last)
                fetches.b = columns_of(g, g.k * (at + 1) / blocks, g.k / blocks, 0, batch * nr);
              fetches.b.spread(batch * tiles * calls);
            }
          }
          panel_tiles<Form>(g, left, rows, row, col, mr, work);
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
