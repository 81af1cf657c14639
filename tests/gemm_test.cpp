// Products across every edge of their blocks, bit for bit: an element is one chain of fused
// multiply-adds over k, in order. Those of few columns may be chains of several lanes, and those by
// tiles sum parts of floats: within what they can round, and the same bits for a row alone.
#include "backends/cpu/gemm.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <vector>

#include "bf16_way.h"
#include "goneuron/tensor.h"

namespace goneuron::cpu {
namespace {

struct Sizes {
  i64 m, n, k;
};

/// In [-1, 1). Of 8 bits, bf16 keeps them and their sums are exact in any order.
std::vector<float> values(i64 count, std::uint32_t state, int bits) {
  std::vector<float> all(static_cast<size_t>(count));
  for (float& value : all) {
    state = state * 1664525U + 1013904223U;
    value = std::ldexp(static_cast<float>(state >> (32 - bits)), 1 - bits) - 1;
  }
  return all;
}

/// Whether a processor with vectors of some width may take dot products.
bool may_be_dots(Sizes s, bool ta) {
  for (const i64 lanes : {4, 8, 16}) {
    const i64 idle = (lanes - s.n % lanes) % lanes;
    if (!ta && s.n <= 2 * lanes && s.k * idle >= 8 * lanes * s.n) return true;
  }
  return false;
}

/// How often a sum of k terms is rounded: in chains of at least four lanes; or 32 terms at a time,
/// by six instructions, each of which adds 16 pairs in order to two sums. What is left out of a
/// product there is eight more.
double roundings(i64 k, bool parts) {
  return parts ? 6 * static_cast<double>(ceil_div(k, 32)) + 26 : static_cast<double>(k) / 4 + 8;
}

/// Element (i, j) of A B, in doubles, and the sum of its terms' sizes.
struct Truth {
  double value = 0, size = 0;
};
Truth truth(const Gemm& g, i64 i, i64 j, double start) {
  Truth t{start, std::fabs(start)};
  for (i64 p = 0; p < g.k; ++p) {
    const double term = double{g.a[i * g.a_row + p * g.a_col]} * g.b[p * g.b_row + j * g.b_col];
    t.value += term;
    t.size += std::fabs(term);
  }
  return t;
}

void expect_near(const Gemm& g, const std::vector<float>& start, GemmKernel kernel, float* scratch,
                 bool parts) {
  // Not all of a large one: steps that meet every row of a tile, and every column.
  const bool large = g.m * g.n > 10000;
  for (i64 i = 0; i < g.m; i += large ? 37 : 1) {
    std::vector<float> alone(start.begin() + i * g.n, start.begin() + (i + 1) * g.n);
    Gemm row = g;
    row.a += i * g.a_row;
    row.c = alone.data();
    row.z = nullptr;
    row.m = 1;
    kernel(row, scratch);
    for (i64 j = 0; j < g.n; j += large ? 7 : 1) {
      const float got = g.c[i * g.n + j];
      const Truth want = truth(g, i, j, g.add ? start[static_cast<size_t>(i * g.n + j)] : 0);
      const double value = want.value + (g.bias ? g.bias[j] : 0);
      ASSERT_NEAR(got, g.activation ? std::max(value, 0.0) : value,
                  (want.size * roundings(g.k, parts) + 1) * 0x1p-24)
          << "row " << i << ", column " << j;
      ASSERT_EQ(got, alone[static_cast<size_t>(j)]) << "row " << i << " alone, column " << j;
    }
  }
}

class Products : public testing::TestWithParam<Sizes> {};

void check(Sizes sizes, GemmKernel kernel, int bits, bool parts = false) {
  const auto [m, n, k] = sizes;
  const auto a = values(m * k, 1, bits), b = values(k * n, 2, bits), bias = values(n, 3, bits);
  Tensor scratch(
      Shape{gemm_scratch(m, n, k) / i64{sizeof(float)}});  // whose ends are watched by ASan
  const auto at = [](i64 i) { return static_cast<size_t>(i); };
  enum Way { plain, fenced, fused, added };
  for (const int form : {0, 1, 2, 3})
    for (const Way way : {plain, fenced, fused, added}) {
      const bool ta = (form & 1) != 0, tb = (form & 2) != 0;
      const auto before = values(m * n, 4, bits);
      std::vector<float> c = before, z(at(m * n), 7);
      Gemm g;
      g.a = a.data();
      g.a_row = ta ? 1 : k;
      g.a_col = ta ? m : 1;
      g.b = b.data();
      g.b_row = tb ? 1 : n;
      g.b_col = tb ? k : 1;
      g.c = c.data();
      g.c_row = n;
      g.m = m, g.n = n, g.k = k;
      g.fenced = way == fenced;
      g.add = way == added;
      if (way == fused) {
        g.bias = bias.data();
        g.z = z.data();
        g.activation = unary_row("relu");
      }
      kernel(g, scratch.data());
      if (bits == 24 && (parts || may_be_dots(sizes, ta))) {
        expect_near(g, before, kernel, scratch.data(), parts);
        continue;
      }
      // Not all of a large one: steps that meet every row and every column.
      const i64 step = m * n > 100000 ? 131 : m * n > 10000 ? 13 : 1;
      for (i64 e = 0; e < m * n; e += step) {
        const i64 i = e / n, j = e % n;
        float sum = way == added ? before[at(e)] : 0;
        for (i64 p = 0; p < k; ++p)
          sum = std::fmaf(a[at(i * g.a_row + p * g.a_col)], b[at(p * g.b_row + j * g.b_col)], sum);
        if (way == fused) {
          sum += bias[at(j)];
          ASSERT_EQ(z[at(e)], sum) << "form " << form << ", row " << i << ", column " << j;
          sum = std::max(sum, 0.0F);
        }
        ASSERT_EQ(c[at(e)], sum) << "form " << form << ", row " << i << ", column " << j;
      }
    }
}

/// Rows of operands and of the product that lie apart, and memory for a larger product.
TEST(Gemm, KeepsToItsRows) {
  constexpr i64 m = 29, n = 85, k = 37, gap = 5;
  const auto a = values(m * (k + gap), 1, 24), b = values(k * (n + gap), 2, 24);
  Tensor scratch(Shape{gemm_scratch(300, 2000, 900) / i64{sizeof(float)}});
  std::vector<float> c(static_cast<size_t>(m * (n + gap)), 7);
  Gemm g;
  g.a = a.data(), g.a_row = k + gap;
  g.b = b.data(), g.b_row = n + gap;
  g.c = c.data(), g.c_row = n + gap;
  g.m = m, g.n = n, g.k = k;
  gemm_kernel()(g, scratch.data());
  for (i64 i = 0; i < m; ++i)
    for (i64 j = 0; j < n + gap; ++j) {
      float want = j < n ? 0.0F : 7.0F;
      for (i64 p = 0; p < k && j < n; ++p)
        want = std::fmaf(g.a[i * g.a_row + p], g.b[p * g.b_row + j], want);
      ASSERT_EQ(g.c[i * g.c_row + j], want) << "row " << i << ", column " << j;
    }
}

TEST_P(Products, AreOneChainInEveryForm) { check(GetParam(), gemm_kernel(), 24); }

/// In every way that there is.
void check_bf16(Sizes sizes, Bf16 way) {
  if (!available(way)) GTEST_SKIP() << "not on this processor";
  const Bf16Way chosen(way);
  check(sizes, gemm_bf16_kernel(), 8);
}
TEST_P(Products, OfBf16AreExactWhereTheirSumsAre) { check_bf16(GetParam(), Bf16::floats); }
TEST_P(Products, OfPairsAreExactWhereTheirSumsAre) { check_bf16(GetParam(), Bf16::pairs); }
TEST_P(Products, OfTilesAreExactWhereTheirSumsAre) { check_bf16(GetParam(), Bf16::tiles); }

/// Of floats, in three parts: exact where one part is enough, and nearly so elsewhere.
void check_parts(Sizes sizes, int bits) {
  if (!available(Bf16::tiles)) GTEST_SKIP() << "not on this processor";
  const Bf16Way chosen(Bf16::tiles);
  constexpr i64 large = 1000;
  ASSERT_NE(gemm_kernel_for(large, large, large), gemm_kernel());
  check(sizes, gemm_kernel_for(large, large, large), bits, true);
}
TEST_P(Products, OfPartsAreExactWhereTheirSumsAre) { check_parts(GetParam(), 8); }
TEST_P(Products, OfPartsAreRoundedLessThanChains) { check_parts(GetParam(), 24); }

/// Products with 1, which copy a float of several parts: none may be missing.
TEST(Gemm, NoPartIsLeftOutThatCounts) {
  if (!available(Bf16::tiles)) GTEST_SKIP() << "not on this processor";
  const Bf16Way chosen(Bf16::tiles);
  constexpr i64 n = 96, k = 64;
  for (const int bits : {9, 16, 24}) {
    const auto a = values(n * k, 1, bits);
    std::vector<float> c(n * n), b(k * n);
    for (i64 j = 0; j < n; ++j) b[static_cast<size_t>(j % k * n + j)] = 1;  // copies columns of A
    Tensor scratch(Shape{gemm_scratch(n, n, k) / i64{sizeof(float)}});
    Gemm g;
    g.a = a.data(), g.a_row = k;
    g.b = b.data(), g.b_row = n;
    g.c = c.data(), g.c_row = n;
    g.m = n, g.n = n, g.k = k;
    gemm_kernel_for(n, n, k)(g, scratch.data());
    for (i64 i = 0; i < n; ++i)
      for (i64 j = 0; j < n; ++j)
        ASSERT_EQ(c[static_cast<size_t>(i * n + j)], a[static_cast<size_t>(i * k + j % k)]);
  }
}

TEST(Gemm, InfinityAndNaNAreNotFiniteByPartsEither) {
  if (!available(Bf16::tiles)) GTEST_SKIP() << "not on this processor";
  const Bf16Way chosen(Bf16::tiles);
  constexpr i64 n = 64;
  const float bad[] = {INFINITY, -INFINITY, NAN, std::bit_cast<float>(0x7F800001U)};
  for (const float x : bad) {
    std::vector<float> a(n * n, 1), b(n * n, 1), c(n * n);
    a[5 * n + 7] = x;
    Tensor scratch(Shape{gemm_scratch(n, n, n) / i64{sizeof(float)}});
    Gemm g;
    g.a = a.data(), g.a_row = n;
    g.b = b.data(), g.b_row = n;
    g.c = c.data(), g.c_row = n;
    g.m = g.n = g.k = n;
    gemm_kernel_for(n, n, n)(g, scratch.data());
    for (i64 i = 0; i < n; ++i)
      for (i64 j = 0; j < n; ++j)
        ASSERT_EQ(std::isfinite(c[static_cast<size_t>(i * n + j)]), i != 5) << x << ", row " << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Gemm, Products,
    testing::Values(Sizes{1, 1, 1}, Sizes{5, 33, 289}, Sizes{13, 31, 17}, Sizes{3, 500, 300},
                    Sizes{300, 7, 290}, Sizes{0, 8, 5}, Sizes{100, 20, 300}, Sizes{70, 32, 300},
                    Sizes{64, 12, 0}, Sizes{64, 70, 0}, Sizes{241, 70, 288}, Sizes{530, 1100, 130},
                    Sizes{700, 300, 600}, Sizes{490, 2100, 290}, Sizes{1030, 40, 256},
                    Sizes{300, 7, 288}, Sizes{70, 7, 33}, Sizes{33, 10, 448}, Sizes{9, 1, 100},
                    Sizes{50, 25, 1203}, Sizes{33, 100, 10}, Sizes{6, 448, 12}, Sizes{40, 77, 1},
                    Sizes{1, 10, 448}, Sizes{33, 60, 7}, Sizes{9, 45, 5}, Sizes{7, 17, 600},
                    Sizes{70, 31, 300}, Sizes{5, 0, 0}));

}  // namespace
}  // namespace goneuron::cpu
