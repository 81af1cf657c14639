// Products of small depth, such as the gradient that comes out of a layer of few outputs: a panel
// of B stays in registers while all rows of A pass. Included by gemm.cpp, in the namespace of each
// SIMD target.

constexpr i64 most_shallow = lanes >= 16 ? 12 : 6;

/// Columns [col, col + nr) of C, or as many as there are; b is the packed panel [kDepth, nr].
template <i64 kDepth>
void shallow_panel(const Gemm& g, const float* HWY_RESTRICT b, i64 col) {
  const D d;
  const i64 cols = std::min(nr, g.n - col);
  const auto first = hn::FirstN(d, static_cast<size_t>(std::min(cols, lanes)));
  const auto second = hn::FirstN(d, static_cast<size_t>(std::max<i64>(cols - lanes, 0)));
  V b0[kDepth], b1[kDepth];
#pragma GCC unroll 12
  for (i64 p = 0; p < kDepth; ++p) {
    b0[p] = hn::Load(d, b + p * nr);
    b1[p] = hn::Load(d, b + p * nr + lanes);
  }
  const float* a = g.a;
  float* c = g.product() + col;
  for (i64 i = 0; i < g.m; ++i, a += g.a_row, c += g.c_row) {
    __builtin_prefetch(c + nr, 1);  // of the next panel
    __builtin_prefetch(c + nr + lanes, 1);
    V s0 = hn::Zero(d), s1 = hn::Zero(d);
#pragma GCC unroll 12
    for (i64 p = 0; p < kDepth; ++p) {
      const V x = hn::Set(d, a[p * g.a_col]);
      s0 = hn::MulAdd(x, b0[p], s0);
      s1 = hn::MulAdd(x, b1[p], s1);
    }
    if (cols == nr) {
      hn::StoreU(s0, d, c);
      hn::StoreU(s1, d, c + lanes);
    } else {
      hn::BlendedStore(s0, first, d, c);
      if (cols > lanes) hn::BlendedStore(s1, second, d, c + lanes);
    }
  }
}

using ShallowPanel = void (*)(const Gemm& g, const float* b, i64 col);
template <size_t... kDepth>
ShallowPanel shallow_panel_of(i64 depth, std::index_sequence<kDepth...>) {
  static constexpr ShallowPanel table[] = {shallow_panel<static_cast<i64>(kDepth) + 1>...};
  return table[depth - 1];
}

void shallow(const Gemm& g, void* scratch) {
  auto* packed = static_cast<float*>(scratch);
  const ShallowPanel panel = shallow_panel_of(g.k, std::make_index_sequence<most_shallow>());
  for (i64 col = 0; col < g.n; col += nr) {
    const i64 cols = std::min(nr, g.n - col);
    Floats::pack_b(g, 0, g.k, col, cols, packed);
    panel(g, packed, col);
    finish(g, 0, g.m, col, cols);
  }
}
