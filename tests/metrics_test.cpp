// Metrics: against definitions written out here, known values of the literature's examples, and
// themselves over other batches, restored in the middle, and loaded from a file.
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <random>

#include "error_text.h"
#include "train/metrics/accumulators.h"
#include "train/pass.h"

namespace goneuron {
namespace {

/// A model whose prediction is its input.
Model echo(const Loss& loss, const std::vector<Metric>& metrics, const Layer& last = Layer()) {
  const Layer same("same", [](Symbol x) { return x * 1.0; });
  auto model = Sequential(last.impl() ? std::vector<Layer>{same, last} : std::vector<Layer>{same});
  model.compile(SGD(0.1), loss, metrics);
  return model;
}
const Loss nothing("nothing", [](const Symbol&, const Symbol& p) { return mean(p * 0.0); });

double value_of(const Metric& metric, const Tensor& predictions, const Tensor& targets,
                i64 batch = Any, const std::string& suffix = "") {
  return echo(nothing, {metric}).evaluate(predictions, targets, batch)[metric.name() + suffix];
}
Tensor column(const std::vector<float>& values) {
  return {values, Shape{static_cast<i64>(values.size()), 1}};
}
Tensor one_hot(const std::vector<std::int32_t>& classes, i64 count) {
  Tensor rows(Shape{static_cast<i64>(classes.size()), count});
  for (size_t i = 0; i < classes.size(); ++i) rows.set({static_cast<i64>(i), classes[i]}, 1);
  return rows;
}

// The examples of scikit-learn's documentation.
const std::vector<std::int32_t> truth = {0, 1, 2, 0, 1, 2}, guess = {0, 2, 1, 0, 0, 1};

TEST(Metrics, ClassesOfTheDocumentedExample) {
  const Tensor p = one_hot(guess, 3);
  for (const i64 batch : {1, 2, 4, 6}) {
    const auto of = [&](const Metric& m, const std::string& suffix = "") {
      return value_of(m, p, truth, batch, suffix);
    };
    EXPECT_NEAR(of(Precision), 2.0 / 9, 1e-15);
    EXPECT_NEAR(of(Precision({.average = Micro})), 1.0 / 3, 1e-15);
    EXPECT_NEAR(of(Precision({.average = Weighted})), 2.0 / 9, 1e-15);
    EXPECT_EQ(of(Precision({.average = PerClass}), "_0"), 2.0 / 3);
    EXPECT_EQ(of(Precision({.average = PerClass}), "_1"), 0);
    EXPECT_NEAR(of(Recall), 1.0 / 3, 1e-15);
    EXPECT_NEAR(of(F1Score), 0.8 / 3, 1e-15);
    EXPECT_NEAR(of(F1Score({.average = Micro})), 1.0 / 3, 1e-15);
    EXPECT_NEAR(of(F1Score({.beta = 0.5})), 0.7142857142857143 / 3, 1e-15);
    EXPECT_EQ(of(ConfusionMatrix, "[1,2]"), 1);
    EXPECT_EQ(of(ConfusionMatrix, "[0,0]"), 2);
    EXPECT_EQ(of(ConfusionMatrix, "[2,2]"), 0);
  }
  // One-hot rows as targets, and class 2 ignored.
  EXPECT_NEAR(value_of(F1Score, p, one_hot(truth, 3)), 0.8 / 3, 1e-15);
  // Targets 0, 1, 0, 1 taken for 0, 2, 0, 0: class 0 has 2 of 3 and 2 of 2.
  EXPECT_NEAR(value_of(Precision({.ignore_index = 2}), p, truth), (2.0 / 3) / 3, 1e-15);
  EXPECT_NEAR(value_of(Recall({.ignore_index = 2}), p, truth), 1.0 / 3, 1e-15);
}

TEST(Metrics, OneOutputHasOnePositiveClass) {
  const Tensor p = column({0.9F, 0.2F, 0.6F, 0.4F, 0.7F}), y = column({1, 0, 0, 1, 1});
  EXPECT_EQ(value_of(Precision, p, y, 2), 2.0 / 3);
  EXPECT_EQ(value_of(Recall, p, y, 2), 2.0 / 3);
  EXPECT_EQ(value_of(Recall({.threshold = 0.3}), p, y, 2), 1);
  EXPECT_EQ(value_of(Precision({.threshold = 0.95}), p, y, 2), 0) << "nothing predicted";
  EXPECT_EQ(value_of(ConfusionMatrix, p, y, 2, "[0,1]"), 1);
  EXPECT_EQ(value_of(ConfusionMatrix, p, y, 2, "[1,1]"), 2);
  EXPECT_NEAR(value_of(BinaryAccuracy, p, y, 2), 0.6, 1e-7);
  EXPECT_NEAR(value_of(BinaryAccuracy({.threshold = 0.3}), p, y), 0.8, 1e-7);
  // Integer targets [5] too.
  EXPECT_EQ(value_of(F1Score, p, std::vector<std::int32_t>{1, 0, 0, 1, 1}), 2.0 / 3);
}

TEST(Metrics, SeveralLabelsAtOnce) {
  const Tensor p(std::vector<float>{0.9F, 0.6F, 0.1F, 0.2F, 0.8F, 0.7F}, Shape{3, 2});
  const Tensor y(std::vector<float>{1, 0, 1, 0, 1, 1}, Shape{3, 2});
  // Output 0: right 2 of 2 predicted, 3 wanted. Output 1: right 1 of 2 predicted, 1 wanted.
  EXPECT_EQ(value_of(Precision({.multi_label = true}), p, y, 2), 0.75);
  EXPECT_EQ(value_of(Recall({.multi_label = true}), p, y, 2), (2.0 / 3 + 1) / 2);
  EXPECT_EQ(value_of(Precision({.average = Micro, .multi_label = true}), p, y, 2), 0.75);
  // After a Sigmoid it goes without saying: sigmoid(p) > 0.5 where p > 0.
  const Tensor logits(std::vector<float>{2, 1, -1, -2, 3, 1}, Shape{3, 2});
  EXPECT_EQ(echo(BinaryCrossEntropy, {Precision}, Layer("s", [](Symbol x) { return sigmoid(x); }))
                .evaluate(logits, y)["precision"],
            0.75);
}

TEST(Metrics, AreasOfTheDocumentedExample) {
  const Tensor p = column({0.1F, 0.4F, 0.35F, 0.8F}), y = column({0, 0, 1, 1});
  for (const i64 batch : {1, 2, 3, 4}) {
    EXPECT_EQ(value_of(AUC, p, y, batch), 0.75);
    EXPECT_NEAR(value_of(AUC({.curve = PR}), p, y, batch), 0.8333333333333333, 1e-15);
  }
  EXPECT_TRUE(std::isnan(value_of(AUC, p, column({1, 1, 1, 1})))) << "no negatives";
}

/// The definitions, pair by pair.
double naive_roc(const std::vector<float>& s, const std::vector<float>& y) {
  double right = 0, pairs = 0;
  for (size_t i = 0; i < s.size(); ++i)
    for (size_t j = 0; j < s.size(); ++j)
      if (y[i] > 0.5F && y[j] < 0.5F) pairs += 1, right += s[i] > s[j] ? 1 : s[i] == s[j] ? 0.5 : 0;
  return right / pairs;
}
double naive_precision(const std::vector<float>& s, const std::vector<float>& y) {
  double sum = 0, positives = 0;
  for (size_t i = 0; i < s.size(); ++i) {
    if (y[i] < 0.5F) continue;
    positives += 1;
    double found = 0, above = 0;
    for (size_t j = 0; j < s.size(); ++j)
      if (s[j] >= s[i]) above += 1, found += y[j] > 0.5F;
    sum += found / above;
  }
  return sum / positives;
}

TEST(Metrics, AreasWithTiesAgreeWithTheDefinition) {
  std::mt19937 random(7);
  for (int round = 0; round < 20; ++round) {
    std::vector<float> s, y;
    for (int i = 0; i < 60; ++i) {
      s.push_back(static_cast<float>(random() % 9) / 8);
      y.push_back(static_cast<float>((random() % 8 + random() % 8 * 2) < s.back() * 12));
    }
    y[0] = 0, y[1] = 1;
    EXPECT_NEAR(value_of(AUC, column(s), column(y), 7), naive_roc(s, y), 1e-14);
    EXPECT_NEAR(value_of(AUC({.curve = PR}), column(s), column(y), 7), naive_precision(s, y),
                1e-14);
  }
}

TEST(Metrics, AreaOfEachClassAgainstTheRest) {
  std::mt19937 random(3);
  Tensor p(Shape{40, 3});
  std::vector<std::int32_t> classes;
  std::vector<float> scores[3], labels[3];
  for (i64 i = 0; i < 40; ++i) {
    classes.push_back(static_cast<std::int32_t>(random() % 3));
    for (i64 c = 0; c < 3; ++c) {
      const float s = static_cast<float>(random() % 100) / 100 + (classes.back() == c ? 0.3F : 0);
      p.set({i, c}, s);
      scores[c].push_back(s), labels[c].push_back(classes.back() == c);
    }
  }
  double sum = 0;
  for (int c = 0; c < 3; ++c) {
    const double area = naive_roc(scores[c], labels[c]);
    sum += area;
    EXPECT_NEAR(value_of(AUC({.per_class = true}), p, classes, 16, "_" + std::to_string(c)), area,
                1e-14);
  }
  EXPECT_NEAR(value_of(AUC, p, classes, 16), sum / 3, 1e-14);
  EXPECT_NEAR(value_of(AUC, p, one_hot(classes, 3), 16), sum / 3, 1e-14);
}

TEST(Metrics, ValuesOfTheDocumentedExamples) {
  const Tensor y = column({3, -0.5F, 2, 7}), p = column({2.5F, 0, 2, 8});
  for (const i64 batch : {1, 3, 4}) {
    EXPECT_NEAR(value_of(R2Score, p, y, batch), 0.9486081370449679, 1e-15);
    EXPECT_EQ(value_of(MeanSquaredError, p, y, batch), 0.375);
    EXPECT_EQ(value_of(RootMeanSquaredError, p, y, batch), std::sqrt(0.375));
    EXPECT_NEAR(value_of(MeanAbsoluteError, p, y, batch), 0.5, 1e-7);
    EXPECT_NEAR(value_of(MeanAbsolutePercentageError, p, y, batch),
                100 * (0.5 / 3 + 1 + 0 + 1.0 / 7) / 4, 1e-5);
  }
  const Tensor y2({{0.5F, 1}, {-1, 1}, {7, -6}}), p2({{0, 2}, {-1, 2}, {8, -5}});
  EXPECT_NEAR(value_of(R2Score, p2, y2, 2), 0.9368005266622779, 1e-15);
  // A mean of ten thousand times the spread takes nothing from it: against two passes.
  std::mt19937 random(1);
  std::vector<float> far, near;
  double mean = 0, off = 0, spread = 0;
  for (int i = 0; i < 100; ++i) {
    far.push_back(1e4F + static_cast<float>(random() % 1000) / 700);
    near.push_back(far.back() + static_cast<float>(random() % 100) / 300);
    mean += double{far.back()} / 100;
  }
  for (size_t i = 0; i < far.size(); ++i) {
    off += (double{far[i]} - double{near[i]}) * (double{far[i]} - double{near[i]});
    spread += (double{far[i]} - mean) * (double{far[i]} - mean);
  }
  EXPECT_NEAR(value_of(R2Score, column(near), column(far), 7), 1 - off / spread, 1e-12);
  EXPECT_EQ(value_of(R2Score, column({1, 1}), column({1, 1})), 1);
  EXPECT_EQ(value_of(R2Score, column({1, 2}), column({1, 1})), 0);
  const Tensor a({{3, 4}, {1, 0}, {0, 0}}), b({{4, 3}, {-2, 0}, {1, 1}});
  EXPECT_NEAR(value_of(CosineSimilarity, a, b, 2), (24.0 / 25 - 1 + 0) / 3, 1e-7);
}

TEST(Metrics, PerplexityOverTargetsThatCount) {
  const Tensor p({{0.7F, 0.2F, 0.1F}, {0.1F, 0.6F, 0.3F}, {0.2F, 0.2F, 0.6F}, {0.5F, 0.3F, 0.2F}});
  const std::vector<std::int32_t> y = {0, 2, -1, 1};
  const double mean = -(std::log(0.7) + std::log(0.3) + std::log(0.3)) / 3;
  for (const i64 batch : {1, 3, 4}) {
    EXPECT_NEAR(value_of(Perplexity({.ignore_index = -1}), p, y, batch), std::exp(mean), 1e-6);
    EXPECT_NEAR(value_of(BitsPerCharacter({.ignore_index = -1}), p, y, batch), mean / std::log(2),
                1e-6);
  }
  // Sequences: [2, 2, 3] and [2, 2].
  EXPECT_NEAR(
      value_of(Perplexity({.ignore_index = -1}), p.reshape({2, 2, 3}), Tensor(y, Shape{2, 2}), 1),
      std::exp(mean), 1e-6);
  // After Softmax, from the logits.
  EXPECT_NEAR(echo(CrossEntropy({.ignore_index = -1}), {Perplexity({.ignore_index = -1})},
                   Layer("s", [](Symbol x) { return softmax(x); }))
                  .evaluate(Tensor(Shape{4, 3}), y)["perplexity"],
              3, 1e-6);
}

TEST(Metrics, AccuracyOfEachKindOfLabel) {
  const Tensor p(
      {{0.5F, 0.3F, 0.2F}, {0.2F, 0.5F, 0.3F}, {0.4F, 0.35F, 0.25F}, {0.1F, 0.1F, 0.8F}});
  const std::vector<std::int32_t> y = {1, 2, 2, 2};
  EXPECT_EQ(value_of(SparseCategoricalAccuracy, p, y), 0.25);
  EXPECT_EQ(value_of(CategoricalAccuracy, p, one_hot(y, 3)), 0.25);
  EXPECT_NEAR(value_of(SparseTopKCategoricalAccuracy({.k = 2}), p, y, 3), 0.75, 1e-7);
  EXPECT_NEAR(value_of(TopKCategoricalAccuracy({.k = 2}), p, one_hot(y, 3), 3), 0.75, 1e-7);
  EXPECT_EQ(value_of(SparseTopKCategoricalAccuracy({.k = 3}), p, y), 1);
  EXPECT_EQ(value_of(SparseTopKCategoricalAccuracy({.k = 2, .ignore_index = 1}), p, y, 4),
            static_cast<double>(2.0F / 3));
  EXPECT_THROW(value_of(SparseCategoricalAccuracy, p, one_hot(y, 3)), TypeError);
  EXPECT_THROW(value_of(CategoricalAccuracy, p, y), TypeError);
  EXPECT_THROW(value_of(TopKCategoricalAccuracy({.k = 4}), p, one_hot(y, 3)), ShapeError);
}

TEST(Metrics, EveryNameMakesOne) {
  EXPECT_GE(Metric::names().size(), 20U);
  for (const std::string& name : Metric::names()) EXPECT_EQ(Metric(name.c_str()).name(), name);
  const Tensor p = column({2, 3}), y = column({1, 5});
  EXPECT_EQ(value_of("rmse", p, y), std::sqrt(2.5));
  EXPECT_EQ(value_of("mse", p, y), 2.5);
  EXPECT_EQ(value_of("mae", p, y), 1.5);
}

TEST(Metrics, TheMeanOfAnySymbol) {
  const Symbol x = Input({2}), h = x * 3.0;
  Model model(x, sum(h, {1}, true));
  model.compile(SGD(0.1), MSE, {MeanOf("hidden", h)});
  EXPECT_EQ(model.evaluate(Tensor({{1, 2}, {3, 6}, {5, 1}}), Tensor(Shape{3, 1}), 2)["hidden"], 9);
}

/// The largest difference: a metric of the user's own.
class Largest : public Accumulator {
 public:
  void reset() override { most_ = 0; }
  void add(const float* rows, i64 count) override {
    for (i64 i = 0; i < count; ++i) most_ = std::max(most_, double{rows[i]});
  }
  void finish(double* numbers) override { numbers[0] = most_; }
  std::vector<double> state() const override { return {most_}; }
  void restore(const std::vector<double>& state) override { most_ = state[0]; }

 private:
  double most_ = 0;
};

TEST(Metrics, OneOfTheUsersOwn) {
  const Metric largest("largest", [](const Symbol& y, const Symbol& p) {
    return Evidence{abs(y - p), [] { return std::make_unique<Largest>(); }};
  });
  EXPECT_EQ(value_of(largest, column({1, 2, 7, 3}), column({2, 2, 2, 2}), 2), 5);
}

/// One of every kind, trained with accumulation and validation.
Model all_of_them() {
  auto model = Sequential({Dense(5, Tanh), Dense(3, Softmax)});
  model.compile(SGD(0.1), CrossEntropy,
                {Accuracy, Precision, F1Score({.average = PerClass}), AUC, ConfusionMatrix,
                 Perplexity, SparseTopKCategoricalAccuracy({.k = 2})},
                {.seed = 4});
  return model;
}
Dataset classes_of(i64 count) {
  std::mt19937 random(11);
  Tensor x(Shape{count, 4}), y(Shape{count}, DType::i32);
  for (i64 i = 0; i < x.size(); ++i) x.data()[i] = static_cast<float>(random() % 1000) / 500 - 1;
  for (i64 i = 0; i < count; ++i) y.set({i}, x.at({i, 0}) > 0 ? 1 : x.at({i, 1}) > 0 ? 2 : 0);
  return {x, y};
}

TEST(Metrics, TrainingReportsThemAndTheNumberOfWorkersDoesNotMatter) {
  const auto run = [](int workers) {
    set_threads(workers);
    auto model = all_of_them();
    const History history =
        model.fit(classes_of(53), {.epochs = 2, .batch_size = 8, .validation = classes_of(30)});
    set_threads(0);
    return history;
  };
  const History one = run(1), two = run(2);
  ASSERT_EQ(one.epochs[1].names, two.epochs[1].names);
  EXPECT_EQ(one.epochs[1].values, two.epochs[1].values);
  const Logs& logs = one.epochs[1];
  const Tensor matrix = confusion_matrix(logs, "val_");
  double all = 0, right = 0;
  for (i64 i = 0; i < 3; ++i)
    for (i64 j = 0; j < 3; ++j) all += matrix.at({i, j}), right += i == j ? matrix.at({i, j}) : 0;
  EXPECT_EQ(all, 30);
  EXPECT_NEAR(logs["val_accuracy"], right / 30, 1e-6);
  EXPECT_THROW(confusion_matrix({{"loss"}, {1}}), GraphError);
}

TEST(Metrics, GoOnInTheMiddleOfAnEpoch) {
  auto model = all_of_them();
  const Dataset data = classes_of(53);
  const auto pass = [&] {
    return std::make_unique<Pass>(*model.impl(), data, Pass::Options{.batch = 8}, "evaluate",
                                  Site{});
  };
  auto whole = pass();
  whole->start(0);
  for (i64 s = 0; s < whole->steps(); ++s) whole->step();
  whole->means.finish();
  for (i64 stop = 0; stop <= whole->steps(); ++stop) {
    auto first = pass(), second = pass();
    first->start(0), second->start(0);
    for (i64 s = 0; s < stop; ++s) first->step();
    for (i64 s = 0; s < stop; ++s) second->step();  // to be at the same batch
    second->means.reset();
    second->means.restore(first->means.state());
    for (i64 s = stop; s < second->steps(); ++s) second->step();
    second->means.finish();
    EXPECT_EQ(second->means.logs.values, whole->means.logs.values) << stop;
  }
  auto state = whole->means.state();
  state.pop_back();
  EXPECT_THROW(whole->means.restore(state), GraphError);
  state.resize(3);
  EXPECT_THROW(whole->means.restore(state), GraphError);
  state.resize(9000);
  EXPECT_THROW(whole->means.restore(state), GraphError);
}

TEST(Metrics, AModelFileKeepsThem) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("metrics_test_" + std::to_string(getpid()));
  auto model = all_of_them();
  model.fit(classes_of(53), {.epochs = 1});
  model.save(path);
  const Model loaded = Model::load(path);
  const Logs then = model.evaluate(classes_of(30)), now = loaded.evaluate(classes_of(30));
  EXPECT_EQ(now.names, then.names);
  EXPECT_EQ(now.values, then.values);
  loaded.save(path);
  EXPECT_EQ(Model::load(path).evaluate(classes_of(30)).values, then.values) << "saved once more";
  std::filesystem::remove(path);
}

TEST(Metrics, TextsThatAreNoAccumulator) {
  for (const char* spec : {"", "class_counts", "class_counts:", "class_counts:1", "class_counts:a",
                           "class_counts:0,1,1,1e9,0,0.5,0,0", "class_counts:0,1,1,nan,0,0.5,0,0",
                           "nobody:1", "residuals:1,1,1", "residuals:3,1", "exp_mean:1;2",
                           "confusion_counts:23,0,0,0,0", "ranked_scores:0,0,0,0,0,0"})
    EXPECT_EQ(accumulator_of(spec), nullptr) << spec;
  EXPECT_NE(accumulator_of("residuals:1,1"), nullptr);
}

}  // namespace
}  // namespace goneuron
