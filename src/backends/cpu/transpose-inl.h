// The transpose of a block in registers. Included by gemm.cpp, transpose.cpp and
// attention_tiles-inl.h, in a namespace of each SIMD target.

#if HWY_TARGET != HWY_SCALAR
/// Four columns of every fourth row, each in a block of four lanes.
template <i64 kLanes>
HWY_INLINE hn::Vec<hn::FixedTag<float, kLanes>> load_blocks(const float* from, i64 row) {
  const hn::FixedTag<float, kLanes> d;
  if constexpr (kLanes == 4)
    return hn::LoadU(d, from);
  else
    return hn::Combine(d, load_blocks<kLanes / 2>(from + kLanes / 2 * row, row),
                       load_blocks<kLanes / 2>(from, row));
}

/// Four columns of as many rows as D has lanes; r0 to r3 hold every fourth row, a block each.
template <class D, class V>
HWY_INLINE void store_columns(D d, V r0, V r1, V r2, V r3, float* to, i64 stride) {
  const auto u0 = hn::InterleaveLower(d, r0, r2), u1 = hn::InterleaveLower(d, r1, r3);
  const auto u2 = hn::InterleaveUpper(d, r0, r2), u3 = hn::InterleaveUpper(d, r1, r3);
  hn::StoreU(hn::InterleaveLower(d, u0, u1), d, to);
  hn::StoreU(hn::InterleaveUpper(d, u0, u1), d, to + stride);
  hn::StoreU(hn::InterleaveLower(d, u2, u3), d, to + 2 * stride);
  hn::StoreU(hn::InterleaveUpper(d, u2, u3), d, to + 3 * stride);
}

/// Four rows over a vector of columns.
HWY_INLINE void turn_rows(const float* from, i64 row, float* HWY_RESTRICT to, i64 stride) {
  const hn::ScalableTag<float> d;
  const hn::FixedTag<float, 4> d4;
  constexpr i64 lanes = HWY_LANES(float);
  HWY_ALIGN float turned[4 * lanes];  // blocks of four, which are stored one by one
  store_columns(d, hn::LoadU(d, from), hn::LoadU(d, from + row), hn::LoadU(d, from + 2 * row),
                hn::LoadU(d, from + 3 * row), turned, lanes);
  for (i64 p = 0; p < lanes; ++p)
    hn::StoreU(hn::Load(d4, turned + p % 4 * lanes + p / 4 * 4), d4, to + p * stride);
}
#endif

/// to[p * stride + i] = from[i * row + p] for i < rows, p < columns. Ends are done by vectors that
/// overlap the ones before.
static HWY_NOINLINE void transpose(const float* from, i64 row, i64 rows, i64 columns,
                                   float* HWY_RESTRICT to, i64 stride) {
#if HWY_TARGET != HWY_SCALAR
  if (rows >= 4 && columns >= 4) {
    const hn::ScalableTag<float> d;
    const hn::FixedTag<float, 4> d4;
    constexpr i64 lanes = HWY_LANES(float);
    i64 i = 0;
    for (; i + lanes <= rows; i += lanes)
      for (i64 next = 0; next < columns; next += 4) {
        const i64 p = std::min(next, columns - 4);
        const float* f = from + i * row + p;
        store_columns(d, load_blocks<lanes>(f, row), load_blocks<lanes>(f + row, row),
                      load_blocks<lanes>(f + 2 * row, row), load_blocks<lanes>(f + 3 * row, row),
                      to + p * stride + i, stride);
      }
    for (; i < rows; i += 4) {
      const i64 at = std::min(i, rows - 4);
      i64 next = 0;
      for (; next < columns && columns >= lanes; next += lanes) {
        const i64 p = std::min(next, columns - lanes);
        turn_rows(from + at * row + p, row, to + p * stride + at, stride);
      }
      for (; next < columns; next += 4) {
        const i64 p = std::min(next, columns - 4);
        const float* f = from + at * row + p;
        store_columns(d4, hn::LoadU(d4, f), hn::LoadU(d4, f + row), hn::LoadU(d4, f + 2 * row),
                      hn::LoadU(d4, f + 3 * row), to + p * stride + at, stride);
      }
    }
    return;
  }
#endif
  for (i64 i = 0; i < rows; ++i, from += row)
    for (i64 p = 0; p < columns; ++p) to[p * stride + i] = from[p];
}
