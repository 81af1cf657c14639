// The register tile of products of floats. Included by gemm.cpp and winograd.cpp, in the namespace
// of each SIMD target.

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr i64 lanes = HWY_LANES(float);
// The register tile: up to 12 rows of two vectors. 32 registers hold 12 x 2 sums and the operands,
// 16 hold 6 x 2.
constexpr i64 nr = 2 * lanes;
constexpr i64 max_mr = lanes >= 16 ? 12 : 6;

/// c (+)= A B for one register tile, over `k` columns of a, (i, p) at a[i a_row + p a_step], and of
/// the packed panel b [k, nr].
template <i64 mr, bool kAdd>
void micro(const float* HWY_RESTRICT a, i64 a_row, i64 a_step, const float* HWY_RESTRICT b, i64 k,
           float* HWY_RESTRICT c, i64 c_row) {
  const D d;
  V s0[mr], s1[mr];
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    s0[i] = kAdd ? hn::LoadU(d, c + i * c_row) : hn::Zero(d);
    s1[i] = kAdd ? hn::LoadU(d, c + i * c_row + lanes) : hn::Zero(d);
  }
  // Four pointers reach all rows with the addressing modes that there are.
  const float* x[4] = {a, a + 3 * a_row, a + 6 * a_row, a + 9 * a_row};
  for (i64 p = 0; p < k; ++p) {
    const V b0 = hn::Load(d, b), b1 = hn::Load(d, b + lanes);
#pragma GCC unroll 12
    for (i64 i = 0; i < mr; ++i) {
      const V y = hn::Set(d, x[i / 3][i % 3 * a_row]);
      s0[i] = hn::MulAdd(y, b0, s0[i]);
      s1[i] = hn::MulAdd(y, b1, s1[i]);
    }
#pragma GCC unroll 4
    for (i64 i = 0; i < 4; ++i) x[i] += a_step;
    b += nr;
  }
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    hn::StoreU(s0[i], d, c + i * c_row);
    hn::StoreU(s1[i], d, c + i * c_row + lanes);
  }
}

using Micro = void (*)(const float* a, i64 a_row, i64 a_step, const float* b, i64 k, float* c,
                       i64 c_row);

template <bool kAdd, size_t... kHeight>
Micro micro_of(i64 height, std::index_sequence<kHeight...>) {
  static constexpr Micro table[] = {micro<static_cast<i64>(kHeight) + 1, kAdd>...};
  return table[height - 1];
}
template <bool kAdd>
Micro micro_of(i64 height) {
  return micro_of<kAdd>(height, std::make_index_sequence<max_mr>());
}
