// Sequences of several lengths in buckets: what is padded, which batches there are, and that the
// losses are those of the sequences without their padding.
#include <algorithm>
#include <numeric>
#include <set>

#include "data/loader.h"
#include "model_testing.h"
#include "train/model_impl.h"

namespace goneuron {
namespace {

std::vector<i64> lengths_of(i64 count) {
  std::vector<i64> all;
  for (i64 i = 0; i < count; ++i) all.push_back(1 + i * 7 % 19);  // 1 to 19
  return all;
}
std::vector<Tensor> sequences(i64 count, i64 width) {
  std::vector<Tensor> all;
  std::uint32_t seed = 1;
  for (const i64 length : lengths_of(count)) all.push_back(values({length, width}, seed++));
  return all;
}
std::vector<Tensor> step_labels(i64 count) {
  std::vector<Tensor> all;
  for (const i64 length : lengths_of(count)) all.push_back(labels(length, 3));
  return all;
}

/// The mean of w x + b over the steps that count.
Model pooled() {
  const Symbol x = Input({Any, 4}), mask = Input({Any});
  const Symbol steps = sum(Dense(1, {.name = "score"})(x), {2}) * mask;
  auto model = Model({x, mask}, sum(steps, {1}) / sum(mask, {1}));
  model.compile(SGD(0.05), MSE, {MeanAbsoluteError}, {.seed = 2});
  return model;
}
double pooled_by_hand(const Model& model, const Tensor& sequence) {
  const Tensor w = model.weights()[0].value, b = model.weights()[1].value;
  double total = 0;
  for (i64 t = 0; t < sequence.shape()[0]; ++t) {
    total += b.at({0});
    for (i64 k = 0; k < 4; ++k) total += sequence.at({t, k}) * w.at({k, 0});
  }
  return total / static_cast<double>(sequence.shape()[0]);
}

TEST(Buckets, PadToTheFirstLengthThatFits) {
  const auto x = sequences(40, 4);
  const Dataset data = data::buckets(x, values({40}, 9), {.lengths = {4, 10, 19}, .pad = 7});
  EXPECT_EQ(data.size(), 40);
  EXPECT_EQ(data.inputs(), 2);
  EXPECT_EQ(data.x_shape(0), Shape({Any, 4}));
  EXPECT_EQ(data.x_shape(1), Shape({Any}));
  EXPECT_EQ(data.y_shape(), Shape({}));
  std::set<i64> rows;
  for (const DatasetImpl* bucket : data.impl()->parts()) {
    const i64 length = bucket->x[0].shape[0];
    for (i64 i = 0; i < bucket->size(); ++i) {
      const auto row = static_cast<size_t>(bucket->rows[static_cast<size_t>(i)]);
      rows.insert(static_cast<i64>(row));
      const i64 own = x[row].shape()[0];
      EXPECT_LE(own, length);
      EXPECT_GT(own, length == 4 ? 0 : length == 10 ? 4 : 10);
      for (i64 t = 0; t < length; ++t) {
        EXPECT_EQ(bucket->x[1].stored.at({i, t}), t < own ? 1 : 0);
        for (i64 k = 0; k < 4; ++k)
          EXPECT_EQ(bucket->x[0].stored.at({i, t, k}), t < own ? x[row].at({t, k}) : 7);
      }
    }
  }
  EXPECT_EQ(rows.size(), 40U);
  // By themselves: 8, 16 and the longest.
  std::vector<i64> usual;
  const Dataset by_themselves = data::buckets(x, values({40}, 9));
  for (const DatasetImpl* bucket : by_themselves.impl()->parts())
    usual.push_back(bucket->x[0].shape[0]);
  EXPECT_EQ(usual, (std::vector<i64>{8, 16, 19}));
}

// Every batch is of one bucket, every sequence comes once an epoch, and the order is a function of
// seed and epoch.
TEST(Buckets, BatchesOfAnEpoch) {
  const Dataset data = data::buckets(sequences(50, 1), values({50}, 9), {.lengths = {5, 19}});
  const std::vector<Feed> feeds = {{GatherRole::input, 0, DType::f32},
                                   {GatherRole::input, 1, DType::f32},
                                   {GatherRole::target, 0, DType::f32}};
  const auto order = [&](Loader& loader, i64 epoch) {
    std::vector<float> x(8 * 19), mask(8 * 19), y(8);
    void* const memory[] = {x.data(), mask.data(), y.data()};
    loader.start_epoch(epoch);
    std::vector<i64> rows;
    for (i64 step = 0; step < loader.steps(); ++step) {
      const i64 count = loader.rows(step);
      EXPECT_EQ(loader.next(memory), count);
      for (i64 r = 0; r < count; ++r) {
        const i64 row = loader.sample(step, r);
        const i64 length = lengths_of(50)[static_cast<size_t>(row)];
        EXPECT_EQ(loader.part(step), length > 5);
        const i64 padded = length > 5 ? 19 : 5;
        EXPECT_EQ(std::accumulate(mask.begin() + r * padded, mask.begin() + (r + 1) * padded, 0.0),
                  static_cast<double>(length));
        EXPECT_EQ(y[static_cast<size_t>(r)], values({50}, 9).data()[row]);
        rows.push_back(row);
      }
    }
    EXPECT_EQ(loader.next(memory), 0);
    return rows;
  };
  Loader loader(data, 8, true, 3, feeds), again(data.prefetch(), 8, true, 3, feeds),
      other(data, 8, true, 4, feeds);
  const auto first = order(loader, 0);
  EXPECT_EQ(std::set<i64>(first.begin(), first.end()).size(), 50U);
  EXPECT_EQ(order(again, 0), first);
  EXPECT_NE(order(loader, 1), first);
  EXPECT_NE(order(other, 0), first);
  EXPECT_EQ(order(loader, 0), first);
}

TEST(Buckets, PaddingChangesNoLoss) {
  const auto x = sequences(40, 4);
  const Tensor y = values({40}, 9);
  auto model = pooled();
  const Dataset data = data::buckets(x, y, {.lengths = {6, 12, 19}, .pad = 1000});
  for (const i64 batch : {1, 7, 40}) {
    double squares = 0, sizes = 0;
    for (i64 i = 0; i < 40; ++i) {
      const double e = pooled_by_hand(model, x[static_cast<size_t>(i)]) - y.at({i});
      squares += e * e / 40;
      sizes += std::abs(e) / 40;
    }
    const Logs logs = model.evaluate(data, batch);
    EXPECT_NEAR(logs["loss"], squares, 4 * few_roundings) << batch;
    EXPECT_NEAR(logs["mean_absolute_error"], sizes, 4 * few_roundings) << batch;
  }
}

// A target for each step: the loss of an epoch is the mean over all steps of all sequences, however
// they fall into batches.
TEST(Buckets, StepsAreAveragedOverTheWholeData) {
  const auto x = sequences(30, 4);
  const auto y = step_labels(30);
  auto model = Sequential({Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy({.ignore_index = -1}), {Accuracy({.ignore_index = -1})},
                {.seed = 6});
  const Dataset data = data::buckets(x, y, {.mask = false});
  double loss = 0, right = 0, steps = 0;
  model.build({Any, 4});
  for (size_t i = 0; i < x.size(); ++i) {
    const Tensor p = model.predict(x[i].reshape({1, x[i].shape()[0], 4}));
    for (i64 t = 0; t < x[i].shape()[0]; ++t, ++steps) {
      const std::int32_t label = y[i].data<std::int32_t>()[t];
      loss -= std::log(p.at({0, t, label}));
      right += p[0].argmax().data<std::int32_t>()[t] == label;
    }
  }
  for (const i64 batch : {1, 4, 30}) {
    const Logs logs = model.evaluate(data, batch);
    EXPECT_NEAR(logs["loss"], loss / steps, few_roundings) << batch;
    EXPECT_NEAR(logs["accuracy"], right / steps, few_roundings) << batch;
  }
}

TEST(Buckets, TrainWithABoundedNumberOfPlans) {
  const auto x = sequences(60, 4);
  Tensor y(Shape{60});
  for (i64 i = 0; i < 60; ++i) {
    double sum = 0;
    for (i64 t = 0; t < x[static_cast<size_t>(i)].shape()[0]; ++t)
      sum += x[static_cast<size_t>(i)].at({t, 1}) - 2 * x[static_cast<size_t>(i)].at({t, 3});
    y.set({i}, sum / static_cast<double>(x[static_cast<size_t>(i)].shape()[0]));
  }
  const Dataset data = data::buckets(x, y, {.lengths = {5, 10, 19}});
  std::vector<Model> models;
  for (const int workers : {1, 3}) {
    set_threads(workers);
    for (const bool prefetch : {false, true}) {
      auto model = pooled();
      const double before = model.evaluate(data)["loss"];
      model.fit(data.prefetch(prefetch), {.epochs = 20, .batch_size = 8, .seed = 1});
      EXPECT_LT(model.evaluate(data)["loss"], before / 4);
      // Three lengths, full batches and last ones, in training; and evaluated twice.
      EXPECT_LE(model.impl()->executors.size(), 3U * 2 + 3U * 2);
      expect_same_weights(model, models.empty() ? model : models[0]);
      models.push_back(model);
    }
  }
  set_threads(0);
}

TEST(Buckets, AccumulateSplitAndValidate) {
  const auto x = sequences(60, 4);
  const Tensor y = values({60}, 9);
  const Dataset data = data::buckets(x, y, {.lengths = {5, 10, 19}});
  auto model = pooled();
  const auto [front, back] = data.split(0.7);
  EXPECT_EQ(front.size(), 42);
  const History history =
      model.fit(front, {.epochs = 3, .batch_size = 4, .validation = back, .accumulate = 3});
  EXPECT_NEAR(history["val_loss"].back(), model.evaluate(back)["loss"], few_roundings);
  EXPECT_EQ(data.take(10).size(), 10);
  const std::string report = model.memory_report(front, {.batch_size = 4, .accumulate = 3});
  EXPECT_NE(report.find("training, 4 samples"), std::string::npos) << report;
}

TEST(AnyShapes, PredictionsOfSeveralLengths) {
  const auto x = sequences(20, 4);
  auto model = pooled();
  for (const Tensor& one : x) {
    Tensor mask(Shape{1, one.shape()[0]});
    std::fill_n(mask.data(), mask.size(), 1.0F);
    const Tensor p = model.predict({one.reshape({1, one.shape()[0], 4}), mask});
    EXPECT_NEAR(p.item(), pooled_by_hand(model, one), few_roundings);
  }
  EXPECT_LE(model.impl()->executors.size(), 32U);
}

}  // namespace
}  // namespace goneuron
