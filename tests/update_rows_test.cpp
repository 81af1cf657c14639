// Updates that write the weight past the caches give the bits of those that do not.
#include <gtest/gtest.h>
#include <hwy/cache_control.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <random>
#include <vector>

#include "backends/cpu/vector_ops.h"

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

}  // namespace
}  // namespace goneuron
