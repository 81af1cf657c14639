// The register tile of products of floats. Included by gemm.cpp and winograd.cpp, in the namespace
// of each SIMD target.

// The register tile: up to 12 rows of two vectors. 32 registers hold 12 x 2 sums and the operands,
// 16 hold 6 x 2.
constexpr i64 nr = 2 * lanes;
constexpr i64 max_mr = lanes >= 16 ? 12 : 6;

/// The tile of `height` rows, 1 to max_mr, of an A stored by rows (a_step = 1) or by columns
/// (a_row = 1); the latter may copy the panel that it reads.
Micro gemm_tile(i64 height, bool by_rows, bool copies = false);
