// Winograd's convolutions against sums in double precision, at every edge of their tiles, blocks
// and panels. Scratch is as large as is said and no larger: its ends are watched by ASan.
#include "backends/cpu/winograd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "goneuron/tensor.h"

namespace goneuron::cpu {
namespace {

struct Case {
  i64 images, h, w, pad, in, out;
  i64 oh() const { return h + 2 * pad - 2; }
  i64 ow() const { return w + 2 * pad - 2; }
  Windows windows() const {
    Windows s{};
    s.h = h, s.w = w, s.c = s.pixel = in;
    s.kh = s.kw = 3;
    s.stride_h = s.stride_w = s.dilation_h = s.dilation_w = 1;
    s.top = s.left = pad;
    s.oh = oh(), s.ow = ow();
    return s;
  }
};

/// In [-1, 1).
std::vector<float> values(i64 count, std::uint32_t state) {
  std::vector<float> all(static_cast<size_t>(count));
  for (float& value : all) {
    state = state * 1664525U + 1013904223U;
    value = std::ldexp(static_cast<float>(state >> 8), -23) - 1;
  }
  return all;
}

/// x at a pixel that may lie outside.
double pixel(const Case& c, const std::vector<float>& x, i64 n, i64 row, i64 column, i64 channel) {
  if (row < 0 || row >= c.h || column < 0 || column >= c.w) return 0;
  return x[static_cast<size_t>(((n * c.h + row) * c.w + column) * c.in + channel)];
}

/// Errors of sums of `terms` products of numbers whose size is 1/3, in units of 9e-7 of the sums'
/// own size, root(terms) / 3. With AVX2, AVX-512 and plain instructions, the root of their mean
/// square is 0.5 to 1.13 in the cases below; larger in a tile's far corner, so that the largest of
/// those looked at is 6.9 (of all elements, 9.1).
class Errors {
 public:
  explicit Errors(i64 terms) : unit_(9e-7 * std::sqrt(static_cast<double>(terms)) / 3) {}
  void add(double got, double want) {
    const double error = std::abs(got - want) / unit_;
    largest_ = std::max(largest_, error);
    squares_ += error * error;
    ++count_;
  }
  void expect_small() const {
    EXPECT_LE(largest_, 8);
    EXPECT_LE(std::sqrt(squares_ / static_cast<double>(count_)), 1.3);
  }

 private:
  double unit_, largest_ = 0, squares_ = 0;
  i64 count_ = 0;
};

class Winograd : public testing::TestWithParam<Case> {};

TEST_P(Winograd, OutputsAreThoseOfDirectSums) {
  const Case& c = GetParam();
  const auto x = values(c.images * c.h * c.w * c.in, 1), w = values(9 * c.in * c.out, 2),
             bias = values(c.out, 3);
  const i64 row = c.ow() * c.out, image = c.oh() * row;
  for (const bool transposed : {false, true}) {  // as the gradient of the input reads the weight
    std::vector<float> y(static_cast<size_t>(c.images * image), 7);
    Tensor scratch(Shape{winograd_floats(c.windows(), c.out)});
    Convolution v{};
    v.windows = c.windows();
    v.x = x.data(), v.y = y.data(), v.bias = bias.data();
    v.y_image = image, v.y_row = row, v.y_pixel = c.out, v.columns = c.out;
    Packing packing{w.data(), 3, c.in, c.out, c.out, {0, 1, 3}, {0, 1, 3}, false};
    if (transposed) packing = {w.data(), 3, c.out, c.in, c.in, {2, -1, 3}, {2, -1, 3}, true};
    // In two parts that cut a row of tiles.
    const i64 first = c.oh() / 2;
    winograd_kernels().convolution(v, packing, {0, c.images, 0, first}, scratch.data());
    winograd_kernels().convolution(v, packing, {0, c.images, first, c.oh() - first},
                                   scratch.data());
    Errors errors(9 * c.in);
    for (i64 e = 0; e < c.images * image; e += 7) {
      const i64 n = e / image, r = e % image / row, q = e % row / c.out, o = e % c.out;
      double sum = bias[static_cast<size_t>(o)];
      for (i64 tap = 0; tap < 9; ++tap)
        for (i64 i = 0; i < c.in; ++i)
          sum += pixel(c, x, n, r - c.pad + tap / 3, q - c.pad + tap % 3, i) *
                 w[static_cast<size_t>(transposed ? ((8 - tap) * c.out + o) * c.in + i
                                                  : (tap * c.in + i) * c.out + o)];
      errors.add(y[static_cast<size_t>(e)], sum);
    }
    errors.expect_small();
  }
}

TEST_P(Winograd, GradientsAreThoseOfDirectSums) {
  const Case& c = GetParam();
  const auto x = values(c.images * c.h * c.w * c.in, 1),
             dy = values(c.images * c.oh() * c.ow() * c.out, 4);
  std::vector<float> dw(static_cast<size_t>(9 * c.in * c.out), 7);
  Tensor scratch(Shape{winograd_gradient_floats(c.windows(), c.out)});
  WeightGradient g{};
  g.windows = c.windows();
  g.x = x.data(), g.dy = dy.data(), g.dw = dw.data();
  g.dy_pixel = g.dw_row = g.columns = c.out;
  winograd_kernels().weight_gradient(g, 0, c.images, scratch.data());
  Errors errors(c.images * c.oh() * c.ow());
  for (size_t e = 0; e < dw.size(); e += 11) {
    const auto at = static_cast<i64>(e);
    const i64 tap = at / c.out / c.in, i = at / c.out % c.in, o = at % c.out;
    double sum = 0;
    for (i64 p = 0; p < c.images * c.oh() * c.ow(); ++p) {
      const i64 n = p / c.ow() / c.oh(), r = p / c.ow() % c.oh(), q = p % c.ow();
      sum += pixel(c, x, n, r - c.pad + tap / 3, q - c.pad + tap % 3, i) *
             dy[static_cast<size_t>(p * c.out + o)];
    }
    errors.add(dw[e], sum);
  }
  errors.expect_small();
}

INSTANTIATE_TEST_SUITE_P(Cases, Winograd,
                         testing::Values(Case{1, 16, 16, 1, 16, 16}, Case{2, 9, 11, 1, 32, 48},
                                         Case{3, 14, 13, 0, 48, 16}, Case{5, 6, 6, 2, 16, 80},
                                         Case{4, 8, 8, 1, 96, 64}, Case{17, 5, 4, 1, 64, 32}));

TEST(WinogradSuits, WholeVectorsAndTilesEnough) {
  const auto suits = [](Case c) { return winograd_suits(c.images, c.windows(), c.out); };
  EXPECT_TRUE(suits({1, 16, 16, 1, 16, 16}));
  EXPECT_FALSE(suits({1, 12, 16, 1, 16, 16})) << "12 tiles";
  EXPECT_FALSE(suits({1, 16, 16, 1, 3, 16}));
  EXPECT_FALSE(suits({1, 16, 16, 1, 16, 24}));
  EXPECT_FALSE(suits({64, 4, 4, 0, 16, 16})) << "outputs of 2 x 2";
  EXPECT_FALSE(suits({8, 16, 16, 1, 16, 1024}));
  Windows strided = Case{8, 16, 16, 1, 16, 16}.windows();
  strided.stride_h = 2;
  EXPECT_FALSE(winograd_suits(8, strided, 16));
}

}  // namespace
}  // namespace goneuron::cpu
