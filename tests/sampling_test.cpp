// Parts, splits and repetitions of data sets: which samples they hold, over arrays, sources of rows
// and of blocks alike.
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <set>

#include "error_text.h"
#include "number_source.h"

namespace goneuron {
namespace {

/// The numbers of the samples, in order.
std::vector<i64> rows(const Dataset& data) {
  const Tensor x = data.arrays().x;
  std::vector<i64> all;
  for (i64 i = 0; i < x.shape()[0]; ++i) all.push_back(static_cast<i64>(x.at({i, 0})));
  return all;
}
std::vector<i64> range(i64 first, i64 end, i64 step = 1) {
  std::vector<i64> all;
  for (i64 i = first; i < end; i += step) all.push_back(i);
  return all;
}
std::map<i64, i64> classes(const Dataset& data) {
  std::map<i64, i64> counts;
  const Tensor y = data.arrays().y;
  for (i64 i = 0; i < y.shape()[0]; ++i) ++counts[static_cast<i64>(y.at({i}))];
  return counts;
}
std::vector<i64> joined(const Dataset& a, const Dataset& b) {
  auto all = rows(a);
  const auto more = rows(b);
  all.insert(all.end(), more.begin(), more.end());
  std::sort(all.begin(), all.end());
  return all;
}
/// `count` samples as each kind of data set.
std::vector<Dataset> kinds(i64 count, i64 classes = 1 << 30) {
  return {arrays(count, classes), numbers(count, 1, classes), numbers(count, 8, classes)};
}
/// 30 samples of class 0, 12 of class 1, 3 of class 2, in turns as long as there are some.
Dataset uneven() {
  return arrays(45).map([](const Sample& s) {
    const double i = s.y.item();
    return Sample{s.x, Tensor(std::vector<std::int32_t>{i < 3 ? 2 : i < 15 ? 1 : 0}).reshape({})};
  });
}
/// What a loader makes of it is what arrays() says.
void expect_loads(const Dataset& data) {
  const Epoch epoch = read(data, 7, false);
  std::vector<i64> seen;
  for (size_t i = 0; i < epoch.y.size(); ++i) {
    seen.push_back(static_cast<i64>(epoch.x[2 * i]));
    ASSERT_EQ(epoch.samples[i], static_cast<i64>(i));
  }
  EXPECT_EQ(seen, rows(data));
  const Epoch shuffled = read(data, 7, true);
  EXPECT_EQ(read(data.prefetch(3), 7, true), shuffled);
  const std::vector<i64> all = rows(data);
  ASSERT_EQ(shuffled.y.size(), all.size());
  for (size_t i = 0; i < all.size(); ++i)
    ASSERT_EQ(static_cast<i64>(shuffled.x[2 * i]), all[static_cast<size_t>(shuffled.samples[i])]);
  EXPECT_EQ(std::set<i64>(shuffled.samples.begin(), shuffled.samples.end()).size(), all.size());
}

TEST(Shard, TakesEveryNthSample) {
  for (const Dataset& data : {arrays(10), numbers(10, 1)}) {
    EXPECT_EQ(rows(data.shard(0, 3)), range(0, 10, 3));
    EXPECT_EQ(rows(data.shard(2, 3)), range(2, 10, 3));
    EXPECT_EQ(rows(data.shard(1, 2).shard(1, 2)), range(3, 10, 4)) << "of a part";
    EXPECT_EQ(rows(data.shard(1, 2).take(2)), range(1, 5, 2));
    EXPECT_EQ(rows(data.take(7).shard(1, 2)), range(1, 7, 2));
    EXPECT_EQ(rows(data.split(0.5).test.shard(1, 2)), range(6, 10, 2));
    expect_loads(data.shard(1, 2));
  }
  EXPECT_EQ(rows(numbers(10, 4).shard(1, 3)), range(3, 6))
      << "stretches, of what is read in blocks";
  expect_loads(numbers(100, 8).shard(1, 3));
  const Dataset data = arrays(10);
  EXPECT_EQ(data.shard(0, 2).impl()->x[0].stored.raw(), data.impl()->x[0].stored.raw())
      << "no copy";
  for (const auto& [index, count] :
       std::vector<std::pair<i64, i64>>{{-1, 2}, {2, 2}, {0, 0}, {0, 11}})
    EXPECT_THROW(data.shard(index, count), DataError);
}

TEST(Filter, KeepsWhatIsWanted) {
  for (const Dataset& data : kinds(50)) {
    const Dataset odd =
        data.filter([](const Sample& s) { return static_cast<i64>(s.x.at({0})) % 2 == 1; });
    EXPECT_EQ(rows(odd), range(1, 50, 2));
    expect_loads(odd);
    EXPECT_EQ(rows(odd.filter([](const Samples& s) { return s.y[0].item() > 20; })),
              range(21, 50, 2));
    EXPECT_EQ(rows(odd.split(0.6).test), range(31, 50, 2));
    EXPECT_THROW(data.filter([](const Sample&) { return false; }), DataError);
    EXPECT_THROW(data.filter(std::function<bool(const Sample&)>()), DataError);
  }
  const Dataset mapped = arrays(9).map([](const Sample& s) {
    Sample out = s;
    out.x.set({0}, 10 * s.x.at({0}));
    return out;
  });
  EXPECT_EQ(rows(mapped.filter([](const Sample& s) { return s.x.at({0}) > 55; })),
            range(60, 90, 10))
      << "after the maps before it";
  // A file is read once, block by block.
  const auto source = std::make_shared<Numbers>(1000, 64);
  over(source).filter([](const Sample&) { return true; });
  EXPECT_EQ(source->seen().size(), 1000U);
}

TEST(Repeat, GoesThroughAllAgain) {
  for (const Dataset& data : kinds(20)) {
    auto twice = range(0, 20);
    for (const i64 i : range(0, 20)) twice.push_back(i);
    EXPECT_EQ(rows(data.repeat(2)), twice);
    EXPECT_EQ(rows(data.repeat(1)), range(0, 20));
    expect_loads(data.repeat(3));
    EXPECT_THROW(data.repeat(0), DataError);
    EXPECT_THROW(data.repeat(i64{1} << 40), DataError);
  }
  const Dataset noisy = arrays(4).map([](const Sample& s, const SampleContext& context) {
    auto random = context.random();
    Sample out = s;
    out.x.set({1}, random.uniform());
    return out;
  });
  const Tensor x = noisy.repeat(2).arrays().x;
  for (i64 i = 0; i < 4; ++i) EXPECT_NE(x.at({i, 1}), x.at({i + 4, 1}));
}

TEST(Concat, PutsOneBehindTheOther) {
  for (const Dataset& a : kinds(20))
    for (const Dataset& b : kinds(13)) {
      const Dataset both = a.concat(b);
      EXPECT_EQ(both.size(), 33);
      auto wanted = range(0, 20);
      for (const i64 i : range(0, 13)) wanted.push_back(i);
      EXPECT_EQ(rows(both), wanted);
      expect_loads(both);
      EXPECT_EQ(rows(both.concat(a)).size(), 53U);
      expect_loads(both.concat(b.shard(1, 2)).take(36));
      EXPECT_EQ(rows(both.split(0.5).test), std::vector<i64>(wanted.begin() + 17, wanted.end()));
    }
  // Several files: each block is read once, though the second begins in the middle of one.
  const auto a = std::make_shared<Numbers>(1003, 64), b = std::make_shared<Numbers>(500, 64);
  read(over(a).concat(over(b)).shuffle(1, 200), 16, true);
  EXPECT_EQ(a->seen().size(), 1003U);
  EXPECT_EQ(b->seen().size(), 500U);
  expect_contains(message_of<DataError>([] {
                    arrays(3).concat(Dataset(Tensor(Shape{2, 3}), Tensor(Shape{2})));
                  }),
                  {"Dataset::concat", "[2] f32", "[3] f32", "hint"});
  EXPECT_THROW(arrays(3).concat(Dataset()), DataError);
}

TEST(Concat, MapsOfThePartsSeeEpochAndSeed) {
  const auto noisy = [](const Dataset& data) {
    return data.map([](const Sample& s, const SampleContext& context) {
      auto random = context.random();
      Sample out = s;
      out.x.set({1}, random.uniform());
      return out;
    });
  };
  const Epoch alone = read(noisy(arrays(20)), 8, false, 3),
              both = read(noisy(arrays(20)).concat(noisy(numbers(10, 4))), 8, false, 3);
  EXPECT_TRUE(std::equal(alone.x.begin(), alone.x.end(), both.x.begin()));
  EXPECT_NE(read(noisy(arrays(20)).concat(arrays(10)), 8, false, 4).x[1], alone.x[1]);
}

TEST(StratifiedSplit, KeepsTheSharesOfTheClasses) {
  for (const Dataset& data : kinds(103, 4)) {
    const auto [train, test] = data.stratified_split(0.75, 3);
    EXPECT_EQ(train.size(), 77) << "that of split()";
    EXPECT_EQ(joined(train, test), range(0, 103));
    for (const auto& [kind, count] : classes(train))
      EXPECT_NEAR(static_cast<double>(count), kind < 3 ? 19.5 : 18.75, 1) << kind;
    EXPECT_EQ(rows(data.stratified_split(0.75, 3).test), rows(test));
    EXPECT_NE(rows(data.stratified_split(0.75, 4).test), rows(test));
    expect_loads(test);
  }
  const auto [train, test] = uneven().stratified_split(0.99);
  EXPECT_EQ(classes(test), (std::map<i64, i64>{{0, 1}, {1, 1}, {2, 1}})) << "one at least";
  // One-hot targets are of the class of the 1.
  const Dataset hot = arrays(40).map([](const Sample& s) {
    Tensor y(Shape{4});
    y.set({static_cast<i64>(s.y.item()) % 4}, 1);
    return Sample{s.x, y};
  });
  std::map<i64, i64> counts;
  for (const i64 row : rows(hot.stratified_split(0.5).train)) ++counts[row % 4];
  EXPECT_EQ(counts, (std::map<i64, i64>{{0, 5}, {1, 5}, {2, 5}, {3, 5}}));
}

TEST(StratifiedSplit, RefusesWhatHasNoClasses) {
  const Dataset data = arrays(9);
  for (const double fraction : {0.0, 1.0, std::nan("")})
    EXPECT_THROW(arrays(8, 2).stratified_split(fraction), DataError);
  expect_contains(message_of<DataError>([&] { data.stratified_split(0.5); }),
                  {"class 0 has 1 sample", "hint"});
  expect_contains(message_of<DataError>([&] {
                    data.map([](const Sample& s) {
                          return Sample{s.x, Tensor(std::vector<float>{0.25F}).reshape({})};
                        })
                        .balanced();
                  }),
                  {"the target of sample 0 is 0.25", "hint"});
  EXPECT_THROW(Dataset(Tensor(Shape{4, 1}), Tensor(Shape{4, 3}, DType::i32)).balanced(), DataError);
  EXPECT_THROW(Dataset({Tensor(Shape{4, 1})}, {Tensor(Shape{4}), Tensor(Shape{4})}).balanced(),
               DataError);
}

TEST(KFold, EverySampleIsTestedOnce) {
  for (const bool stratified : {false, true})
    for (const Dataset& data : kinds(47, 4)) {
      std::vector<i64> tested;
      for (i64 fold = 0; fold < 5; ++fold) {
        const auto [train, test] = data.k_fold(5, fold, 7, stratified);
        EXPECT_NEAR(static_cast<double>(test.size()), 9.4, 0.7);
        EXPECT_EQ(joined(train, test), range(0, 47));
        const auto some = rows(test);
        tested.insert(tested.end(), some.begin(), some.end());
        if (!stratified) continue;
        for (const auto& [kind, count] : classes(test))
          EXPECT_NEAR(static_cast<double>(count), 2.4, 0.7) << kind;
        expect_loads(train);
      }
      EXPECT_NE(tested, range(0, 47)) << "picked by seed";
      std::sort(tested.begin(), tested.end());
      EXPECT_EQ(tested, range(0, 47));
    }
  for (const auto& [k, fold] : std::vector<std::pair<i64, i64>>{{1, 0}, {10, 0}, {3, 3}, {3, -1}})
    EXPECT_THROW(arrays(9).k_fold(k, fold), DataError);
  expect_contains(message_of<DataError>([] { uneven().k_fold(4, 0, 0, true); }),
                  {"class 2 has 3 samples", "4 folds"});
}

TEST(Balanced, EveryClassIsAsLargeAsTheLargest) {
  const Dataset data = uneven().balanced(3);
  EXPECT_EQ(classes(data), (std::map<i64, i64>{{0, 30}, {1, 30}, {2, 30}}));
  std::map<i64, i64> times;
  for (const i64 row : rows(data)) ++times[row];
  EXPECT_EQ(times.size(), 45U) << "nothing is left out";
  for (const auto& [row, count] : times) {
    const i64 least = row < 3 ? 10 : row < 15 ? 2 : 1;
    EXPECT_GE(count, least) << row;
    EXPECT_LE(count, least == 2 ? 3 : least) << row;
  }
  EXPECT_EQ(rows(uneven().balanced(3)), rows(data));
  EXPECT_NE(rows(uneven().balanced(4)), rows(data));
  expect_loads(numbers(45, 8, 4).balanced());
  expect_loads(arrays(45, 4).balanced());
}

/// Sequences in buckets are picked as a whole.
TEST(Buckets, AreSampledToo) {
  std::vector<Tensor> sequences;
  std::vector<std::int32_t> labels;
  for (i64 i = 0; i < 40; ++i) {
    sequences.emplace_back(Shape{1 + i % 13, 2});
    labels.push_back(static_cast<std::int32_t>(i % 5 == 0));
  }
  const Dataset data = data::buckets(sequences, labels);
  EXPECT_EQ(data.shard(1, 3).size(), 13);
  EXPECT_EQ(data.repeat(2).size(), 80);
  EXPECT_EQ(data.balanced().size(), 64);
  EXPECT_EQ(data.stratified_split(0.75).test.size(), 10);
  EXPECT_EQ(data.k_fold(4, 0).train.size(), 30);
  EXPECT_THROW(data.filter([](const Sample&) { return true; }), DataError);
  EXPECT_THROW(data.concat(data), DataError);
}

}  // namespace
}  // namespace goneuron
