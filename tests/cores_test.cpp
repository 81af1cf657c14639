// How many cores there are is asked for once, not at each step: the answer comes from the system
// and takes longer than a small step.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "goneuron/goneuron.h"

namespace {
std::atomic<int> asked{0};
}  // namespace

/// Stands in for the standard library's, in this program.
unsigned std::thread::hardware_concurrency() noexcept {
  ++asked;
  return 3;
}

namespace goneuron {
namespace {

TEST(Cores, AreAskedForOnce) {
  auto model = Sequential({Dense(1)});
  model.compile(SGD(0.1), MSE);
  const Tensor x{{1, 2}, {3, 4}}, y{{1}, {2}};
  EXPECT_EQ(threads(), 3) << "the number of cores is not taken from where this test counts";
  model.train_on_batch(x, y);  // starts the workers, which are pinned to cores
  model.predict(x);
  const int before = asked;
  EXPECT_GE(before, 1);
  for (int step = 0; step < 20; ++step) {
    model.train_on_batch(x, y);
    model.test_on_batch(x, y);
    model.predict(x);
  }
  model.fit(x, y, {.epochs = 5, .batch_size = 1});
  EXPECT_EQ(threads(), 3);
  EXPECT_EQ(asked - before, 0);
}

}  // namespace
}  // namespace goneuron
