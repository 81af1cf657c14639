// The register tile of products of floats. Included by gemm.cpp and winograd.cpp, in the namespace
// of each SIMD target.

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;
constexpr i64 lanes = HWY_LANES(float);
// The register tile: up to 12 rows of two vectors. 32 registers hold 12 x 2 sums and the operands,
// 16 hold 6 x 2.
constexpr i64 nr = 2 * lanes;
constexpr i64 max_mr = lanes >= 16 ? 12 : 6;

/// c (+)= A B for one register tile, over `k` columns of a, (i, p) at a[i a_row + p a_step], and
/// the panel b [k, nr], whose rows lie `b_row` apart: nr, where it is packed.
using Micro = void (*)(const float* a, i64 a_row, i64 a_step, const float* b, i64 b_row, i64 k,
                       float* c, i64 c_row);

/// The tile of `height` rows, 1 to max_mr.
Micro gemm_tile(i64 height, bool add);
