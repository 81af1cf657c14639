// Updates that write the weight past the caches give the bits of those that do not; Adam's quotient
// is right for averages of any size.
#include <gtest/gtest.h>
#include <hwy/cache_control.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <memory>
#include <random>
#include <vector>

#include "backends/cpu/vector_ops.h"
#include "plan/flush_denormals.h"

namespace goneuron {
namespace {

constexpr i64 length = 100;            // whole vectors and a rest
constexpr i64 offsets[] = {0, 16, 1};  // of a line, of the next, of none

struct Rows {
  std::vector<float> p, g, m, v;
  explicit Rows(unsigned seed) {
    std::mt19937 random(seed);
    std::normal_distribution<float> normal;
    for (auto* row : {&p, &g, &m, &v})
      for (int i = 0; i < 2 * length; ++i) row->push_back(normal(random));
    for (float& x : v) x *= x;
  }
  /// Memory that begins with a line, as that of a model's weights does.
  float* weight(i64 offset) {
    void* at = p.data();
    size_t room = p.size() * sizeof(float);
    return static_cast<float*>(std::align(64, sizeof(float), at, room)) + offset;
  }
};

template <class Update>
void expect_same_bits(const Update& update) {
  for (const bool clipped : {false, true})
    for (const i64 offset : offsets) {
      Rows usual(7), streamed(7);
      std::copy_n(usual.weight(offset), length, streamed.weight(offset));
      update(usual, usual.weight(offset), clipped, false);
      update(streamed, streamed.weight(offset), clipped, true);
      hwy::FlushStream();
      SCOPED_TRACE(testing::Message() << "offset " << offset << ", clipped " << clipped);
      EXPECT_EQ(std::memcmp(usual.weight(offset), streamed.weight(offset), length * sizeof(float)),
                0);
      EXPECT_EQ(usual.m, streamed.m);
      EXPECT_EQ(usual.v, streamed.v);
    }
}

TEST(UpdateRows, AdamStreamsTheSameBits) {
  expect_same_bits([](Rows& r, float* p, bool clipped, bool streaming) {
    const cpu::AdamStep step{0.01F, 0.9F, 0.999F, 1e-8F, 0.1F, 0.02F, 0.7F, true, 0.5F, 0.3F};
    cpu::adam_row(clipped, streaming)(p, r.g.data(), r.m.data(), r.v.data(), length, step);
  });
}

TEST(UpdateRows, SgdStreamsTheSameBits) {
  expect_same_bits([](Rows& r, float* p, bool clipped, bool streaming) {
    const cpu::SgdStep step{0.01F, 0.9F, 0.1F, true, 0.5F, 0.3F};
    cpu::sgd_row(clipped, streaming)(p, r.g.data(), r.m.data(), length, step);
  });
}

/// What Adam takes from a weight of 0 with these averages, which the step leaves as they are.
std::vector<float> adam_steps(const std::vector<float>& first, const std::vector<float>& second,
                              float epsilon) {
  std::vector<float> p(first.size(), 0.0F), g = p, m = first, v = second;
  const cpu::AdamStep step{0, 1, 1, epsilon, 0, 1, 0.5F, false};
  const FlushDenormals flush;  // as workers do
  cpu::adam_row(false, false)(p.data(), g.data(), m.data(), v.data(), static_cast<i64>(p.size()),
                              step);
  for (float& x : p) x = -x;
  return p;
}

TEST(UpdateRows, AdamDividesAveragesOfAnySize) {
  std::mt19937 random(3);
  std::uniform_real_distribution<float> mantissa(1, 2);
  std::vector<float> m, v;
  for (int exponent = -126; exponent < 128; ++exponent)
    for (int i = 0; i < 50; ++i) {
      v.push_back(std::ldexp(mantissa(random), exponent));
      m.push_back(std::sqrt(v.back()) * (i % 2 == 0 ? mantissa(random) : -mantissa(random)));
    }
  // An approximation's step of Newton's method leaves a rounding and a half each of root and
  // inverse; the sum of root and epsilon and the product with m round once more.
  constexpr double bound = 5 * 0x1p-24;
  for (const float epsilon : {1e-8F, 0.0F, 1.0F}) {
    const std::vector<float> found = adam_steps(m, v, epsilon);
    for (size_t i = 0; i < m.size(); ++i) {
      const double expected = double{m[i]} / (std::sqrt(double{v[i]}) / 0.5 + double{epsilon});
      ASSERT_NEAR(found[i], expected, std::abs(expected) * bound) << "of " << m[i] << ", " << v[i];
    }
  }
}

TEST(UpdateRows, AdamOfWhatIsNoNormalNumber) {
  constexpr float infinite = std::numeric_limits<float>::infinity(),
                  nan = std::numeric_limits<float>::quiet_NaN();
  const std::vector<float> found =
      adam_steps({0, 1, 1, 1e30F, 1, nan}, {0, 0, 1e-42F, infinite, nan, 1}, 1e-8F);
  EXPECT_EQ(found[0], 0);
  EXPECT_FLOAT_EQ(found[1], 1e8F);
  EXPECT_FLOAT_EQ(found[2], 1e8F);  // the root, 1e-21, is nothing beside epsilon
  EXPECT_EQ(found[3], 0);
  EXPECT_TRUE(std::isnan(found[4]));
  EXPECT_TRUE(std::isnan(found[5]));
}

}  // namespace
}  // namespace goneuron
