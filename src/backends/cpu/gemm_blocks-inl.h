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
inline Region rows_of(const Gemm& g, i64 row, i64 rows, i64 col, i64 depth) {
  const float* from = g.a + row * g.a_row + col * g.a_col;
  rows = std::min(rows, g.m - row);
  return g.by_rows() ? Region{from, depth, g.a_row, rows} : Region{from, rows, g.a_col, depth};
}

/// `depth` rows of B over `cols` of its columns, or as many as there are.
inline Region columns_of(const Gemm& g, i64 row, i64 depth, i64 col, i64 cols) {
  const float* from = g.b + row * g.b_row + col * g.b_col;
  cols = std::min(cols, g.n - col);
  return g.b_col == 1 ? Region{from, cols, g.b_row, depth} : Region{from, depth, g.b_col, cols};
}

/// Rows of A as register tiles read them: the tile that begins with row i of them at `a + i *
/// pitch`.
struct Left {
  const float* a;
  i64 pitch;
  TileLayout at;
};

/// A panel of B against rows of A, both `depth` steps deep. The first tile packs the panel if it
/// is to.
template <class Form>
HWY_INLINE void panel_tiles(const Gemm& g, const Left& left, i64 rows, i64 row, i64 col, i64 mr,
                            TileWork work) {
  constexpr i64 nr = Form::nr;
  alignas(64) float edge[Form::max_mr * nr];
  const i64 cols = std::min(nr, g.n - col);
  work.a_row = left.at.row;
  work.a_step = left.at.step;
  float* const first = g.product() + row * g.c_row + col;
  const auto tile = Form::tile(mr, left.at.by_rows, false);
  for (i64 i = 0; i < rows; i += mr) {
    const i64 height = std::min(mr, rows - i);
    float* c = first + i * g.c_row;
    const bool more = i + mr < rows;  // else the next panel's first tile comes next
    work.fetches->c = more ? c + mr * g.c_row : first + nr;
    work.fetches->c_rows = more ? std::min(mr, rows - i - mr) : col + nr < g.n ? mr : 0;
    work.a = left.a + i * left.pitch;
    if (height == mr && cols == nr) {
      work.c = c;
      work.c_row = g.c_row;
      if (work.packed) {
        Form::tile(mr, left.at.by_rows, true)(work);
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
    Form::tile(height, left.at.by_rows, false)(work);
    for (i64 r = 0; r < height; ++r) std::memcpy(c + r * g.c_row, edge + r * nr, bytes);
  }
}

/// Calls pack(tile, first step, steps) for all tiles of a packed operand. Where memory runs across
/// the tiles, a few rows at a time through all of them: whole lines are read in order, and rows
/// that lie a power of two apart do not push each other out of the cache.
template <class Pack>
HWY_INLINE void pack_tiles(i64 tiles, i64 steps, i64 unit, bool across, const Pack& pack) {
  const i64 most = across ? std::max(pack_rows, unit) : std::max<i64>(steps, 1);
  for (i64 p = 0; p < steps; p += most)
    for (i64 tile = 0; tile < tiles; ++tile) pack(tile, p, std::min(most, steps - p));
}

/// Of rows that a follower works on while they are in the second-level cache, with three tensors
/// of its own, so many; parts of fewer rows would read B too often.
inline i64 followed_rows(const Gemm& g) {
  constexpr i64 floats = 32768, least = 48;
  return g.follower ? std::max(least, floats / g.n) : std::max<i64>(g.m, 1);
}

/// A product block by block; `scratch`: see gemm_scratch().
template <class Form>
struct Blocks {
  static constexpr i64 nr = Form::nr, part_floats = Form::most_rows * Form::most_steps,
                       group_rows = gemm_panels * gemm_depth;
  const Gemm& g;
  const bool tile_packs = Form::tile_packs(g);
  // Of the depth, as equal as can be; in pairs, when a step takes two, and whole units of steps.
  const i64 depth = Form::steps(g.k);
  const i64 blocks = ceil_div(depth, Form::most_steps);
  const i64 most_steps = ceil_div(depth / Form::unit, blocks) * Form::unit;
  // Of the rows, in whole tiles.
  const i64 mr = Form::height(g.m), tiles = ceil_div(g.m, mr);
  const i64 part_rows = std::min(part_floats / most_steps, followed_rows(g));
  const i64 parts = std::max<i64>(1, ceil_div(g.m, part_rows));
  // B is packed once: panels that are packed together, and that all parts of the rows use before
  // the next ones are packed. With one part a panel is used once, and not kept.
  const i64 panels = ceil_div(g.n, nr);
  const i64 together = tile_packs || g.b_col != 1 ? 1 : std::min<i64>(4, panels);
  const i64 group = parts > 1 ? std::min(group_rows / most_steps, panels) : panels;
  float* const packed_b;
  float* const packed_a = packed_b + (parts > 1 ? group : together) * most_steps * nr;
  Fetches fetches = {};
  // Of the block at hand.
  i64 block = 0, from = 0, steps = 0, calls = 0;

  Blocks(const Gemm& gemm, void* scratch) : g(gemm), packed_b(static_cast<float*>(scratch)) {
    fetches.c_row = g.c_row;
    fetches.c_half = nr / 2;
  }

  void run() {
    for (block = 0; block < blocks; ++block) {
      const i64 units = depth / Form::unit;
      from = units * block / blocks * Form::unit;
      steps = units * (block + 1) / blocks * Form::unit - from;
      calls = Fetches::calls(steps);
      for (i64 first = 0; first < panels; first += group)
        for (i64 part = 0; part < parts; ++part)
          run_part(part, first, std::min(first + group, panels));
    }
  }

  /// Panels [first, end) against a part of the rows.
  void run_part(i64 part, i64 first, i64 end) {
    const i64 tile = tiles * part / parts, some_tiles = tiles * (part + 1) / parts - tile,
              row = tile * mr, rows = std::min(some_tiles * mr, g.m - row);
    const Left left = left_of(row, rows, first == 0 || parts > 1);
    fetches.c_rate = ceil_div(mr, calls);
    const bool finished = block + 1 == blocks && end == panels;
    fetches.part.clear();
    if (part + 1 < parts)
      fetches.part.add(rows_of(g, row + rows, rows, g.k * block / blocks, g.k / blocks));
    if (finished && g.follower)
      for (const float* read : g.follower->reads)
        if (read) fetches.part.add({read + g.first + row * g.n, rows * g.n, 0, 1});
    fetches.part.spread((end - first) * some_tiles * calls);
    for (i64 panel = first; panel < end; ++panel) {
      float* const packed = packed_b + (parts > 1 ? panel - first : panel % together) * steps * nr;
      const i64 col = panel * nr, cols = std::min(nr, g.n - col);
      TileWork work;
      work.b = packed;
      work.b_row = nr;
      work.k = steps;
      work.add = from > 0 || g.add;
      work.fetches = &fetches;
      if (part == 0 && tile_packs && cols == nr) {
        work.b = g.b + from * g.b_row + col;
        work.b_row = g.b_row;
        work.packed = packed;
      } else if (part == 0 && (panel - first) % together == 0) {
        pack_panels(col, std::min(together, end - panel), packed);
      }
      if (part == 0 && (panel - first) % together == 0)
        fetch_panels(col + together * nr, some_tiles);
      panel_tiles<Form>(g, left, rows, row, col, mr, work);
      // Rows of a few panels together: those of one are short for a loop of their own.
      constexpr i64 few = 4;
      const i64 begun = (panel - first) % few;
      if (block + 1 == blocks && (begun + 1 == few || panel + 1 == end))
        finish(g, row, rows, col - begun * nr, begun * nr + cols);
    }
    if (finished && g.follower) g.follow(row, rows);
  }

  Left left_of(i64 row, i64 rows, bool fresh) {
    if (Form::in_place(g))
      return {g.a + row * g.a_row + from * g.a_col, g.a_row, {g.a_row, 1, true}};
    const TileLayout at = Form::layout(g, steps, mr);
    if (fresh)
      pack_tiles(ceil_div(rows, mr), steps, Form::unit, !g.by_rows(),
                 [&](i64 tile, i64 s, i64 some) {
                   const i64 i = tile * mr;
                   Form::pack_a(g, row + i, std::min(mr, rows - i), from + s, some, mr,
                                packed_a + i * steps + s * at.step);
                 });
    return {packed_a, steps, at};
  }

  void pack_panels(i64 col, i64 some, float* to) {
    pack_tiles(some, steps, Form::unit, g.b_col == 1, [&](i64 panel, i64 s, i64 some_steps) {
      const i64 c = col + panel * nr;
      Form::pack_b(g, from + s, some_steps, c, std::min(nr, g.n - c),
                   to + (panel * steps + s) * nr);
    });
  }

  /// Asks for the panels that come next, from `col` on or the first ones of the next block.
  void fetch_panels(i64 col, i64 some_tiles) {
    fetches.panels.clear();
    if (col < g.n)
      fetches.panels.add(columns_of(g, g.k * block / blocks, g.k / blocks, col, together * nr));
    else if (block + 1 < blocks)
      fetches.panels.add(columns_of(g, g.k * (block + 1) / blocks, g.k / blocks, 0, together * nr));
    fetches.panels.spread(together * some_tiles * calls);
  }
};

template <class Form>
void wide(const Gemm& g, void* scratch) {
  if (g.m == 0 || g.n == 0) return;
  if (g.k > 0) return Blocks<Form>(g, scratch).run();
  for (i64 i = 0; i < g.m && !g.add; ++i) std::fill_n(g.product() + i * g.c_row, g.n, 0.0F);
  finish(g, 0, g.m, 0, g.n);
  if (g.follower) g.follow(0, g.m);
}
