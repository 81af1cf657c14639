// Optimizers: what the factories refuse, by its full text.
#include <gtest/gtest.h>

#include <cmath>

#include "goneuron/optimizer.h"
#include "graph_value.h"

namespace goneuron {
namespace {

const Site site{"train.cpp", 14};

TEST(Optimizers, KeepWhatTheyAreGiven) {
  const Optimizer sgd = SGD(0.5, {.momentum = 0.9, .nesterov = true, .weight_decay = 0.1}, site);
  EXPECT_EQ(sgd.kind, Optimizer::Kind::sgd);
  EXPECT_EQ(sgd.learning_rate, 0.5);
  EXPECT_EQ(sgd.momentum, 0.9);
  EXPECT_TRUE(sgd.nesterov);
  EXPECT_EQ(sgd.weight_decay, 0.1);
  EXPECT_EQ(sgd.site.line, 14);
  const Optimizer adam = Adam(0.5, {.beta1 = 0, .beta2 = 0.5, .epsilon = 0.25, .weight_decay = 2});
  EXPECT_EQ(adam.kind, Optimizer::Kind::adam);
  EXPECT_EQ(adam.beta1 + adam.beta2 + adam.epsilon + adam.weight_decay, 2.75);
  EXPECT_EQ(AdamW().kind, Optimizer::Kind::adamw);
  EXPECT_EQ(AdamW().weight_decay, 0.01);
}

TEST(OptimizerErrors, Rates) {
  EXPECT_EQ(text_of<GraphError>([] { SGD(0, {}, site); }),
            "GraphError: SGD (train.cpp:14): a learning rate of 0; expected a number above 0\n"
            "  hint   0.001 is a usual start for Adam, 0.01 for SGD");
  EXPECT_EQ(
      text_of<GraphError>([] { Adam(-0.001, {}, site); }),
      "GraphError: Adam (train.cpp:14): a learning rate of -0.001; expected a number above 0\n"
      "  hint   0.001 is a usual start for Adam, 0.01 for SGD");
  EXPECT_EQ(text_of<GraphError>([] { AdamW(std::nan(""), {}, site); }),
            "GraphError: AdamW (train.cpp:14): a learning rate of nan; expected a number above 0\n"
            "  hint   0.001 is a usual start for Adam, 0.01 for SGD");
  EXPECT_EQ(text_of<GraphError>([] { AdamW(0.001, {.weight_decay = -1}, site); }),
            "GraphError: AdamW (train.cpp:14): a weight decay of -1; expected 0 or more\n"
            "  hint   0 is none; 0.01 is usual for AdamW");
  EXPECT_THROW(SGD(INFINITY), GraphError);
  EXPECT_THROW(SGD(0.1, {.weight_decay = INFINITY}), GraphError);
}

TEST(OptimizerErrors, Momentum) {
  EXPECT_EQ(
      text_of<GraphError>([] { SGD(0.1, {.nesterov = true}, site); }),
      "GraphError: SGD (train.cpp:14): Nesterov without momentum; expected a momentum above 0\n"
      "  hint   pass {.momentum = 0.9, .nesterov = true}");
  EXPECT_EQ(
      text_of<GraphError>([] { SGD(0.1, {.momentum = 1}, site); }),
      "GraphError: SGD (train.cpp:14): a momentum of 1; expected at least 0 and below 1\n"
      "  hint   it is the share of the velocity that is kept from step to step; 0.9 is usual");
}

TEST(OptimizerErrors, Moments) {
  EXPECT_EQ(text_of<GraphError>([] { Adam(0.1, {.beta1 = 1}, site); }),
            "GraphError: Adam (train.cpp:14): a beta1 of 1; expected at least 0 and below 1\n"
            "  hint   it is the share of the moment that is kept from step to step");
  EXPECT_EQ(text_of<GraphError>([] { AdamW(0.1, {.beta2 = -0.1}, site); }),
            "GraphError: AdamW (train.cpp:14): a beta2 of -0.1; expected at least 0 and below 1\n"
            "  hint   it is the share of the moment that is kept from step to step");
  EXPECT_EQ(text_of<GraphError>([] { Adam(0.1, {.epsilon = 0}, site); }),
            "GraphError: Adam (train.cpp:14): an epsilon of 0; expected a number above 0\n"
            "  hint   it keeps a step with gradient 0 from dividing by 0");
}

}  // namespace
}  // namespace goneuron
