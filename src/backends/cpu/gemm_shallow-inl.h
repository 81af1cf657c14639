// Products of small depth, such as the gradient that comes out of a layer of few outputs: a panel
// of B stays in registers while all rows of A pass. Included by gemm.cpp, in the namespace of each
// SIMD target.

constexpr i64 most_shallow = lanes >= 16 ? 12 : 6;

/// Columns [col, col + nr) of C; b is the packed panel [kDepth, nr].
template <i64 kDepth>
void shallow_panel(const Gemm& g, const float* HWY_RESTRICT b, i64 col) {
  const D d;
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
    hn::StoreU(s0, d, c);
    hn::StoreU(s1, d, c + lanes);
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
  i64 col = 0;
  for (; col + nr <= g.n; col += nr) {
    Floats::pack_b(g, 0, g.k, col, nr, packed);
    panel(g, packed, col);
    finish(g, 0, g.m, col, nr);
  }
  if (col == g.n) return;
  Gemm rest = g;
  rest.b += col * g.b_col;
  rest.c += col;
  if (g.z) rest.z += col;
  if (g.bias) rest.bias += col;
  rest.n -= col;
  wide<Floats>(rest, scratch);
}
