// Splits and sampling that look at the classes, and the parts of cross-validation.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/checked_math.h"
#include "core/message.h"
#include "core/rng.h"
#include "data/classes.h"

namespace goneuron {

namespace {

// "STRA", "FOLD", "BALA": no other stream is numbered so.
constexpr std::uint32_t stratify_stream = 0x53545241, fold_stream = 0x464F4C44,
                        balance_stream = 0x42414C41;

void mix(std::vector<std::uint32_t>& samples, std::uint64_t seed, std::uint32_t stream,
         std::uint32_t number) {
  PhiloxStream random(seed, stream, number);
  for (size_t i = samples.size(); i > 1; --i)
    std::swap(samples[i - 1], samples[random.below(static_cast<std::uint32_t>(i))]);
}

/// In order: what is read from files goes from front to back.
Dataset in_order(const DatasetImpl& from, std::vector<std::uint32_t> samples) {
  std::sort(samples.begin(), samples.end());
  return chosen_from(from, samples);
}

}  // namespace

TrainTest Dataset::stratified_split(double fraction, std::uint64_t seed, Site site) const {
  const DatasetImpl& from = need_data(impl_, "Dataset::stratified_split", site);
  const std::string where = user_place("Dataset::stratified_split", site);
  if (!(fraction > 0 && fraction < 1))
    throw_data({where,
                "a fraction of " + number_text(fraction) + "; expected a number between 0 and 1",
                {},
                "0.8 keeps 80 % of each class on the first side"});
  std::vector<std::uint32_t> sides[2];
  i64 seen = 0, taken = 0;
  std::uint32_t number = 0;
  for (auto& [kind, samples] : samples_by_class(from, where)) {
    const auto count = static_cast<i64>(samples.size());
    if (count < 2)
      throw_data({where,
                  "class " + std::to_string(kind) + " has 1 sample; expected 2 or more",
                  {},
                  "leave the class out by filter(), or use split()"});
    auto mixed = samples;
    mix(mixed, seed, stratify_stream, number++);
    // Rounded over all classes so far, so that the sum is that of split().
    seen += count;
    const auto wanted = std::llround(fraction * static_cast<double>(seen));
    const i64 first = std::clamp<i64>(wanted - taken, 1, count - 1);
    taken += first;
    sides[0].insert(sides[0].end(), mixed.begin(), mixed.begin() + first);
    sides[1].insert(sides[1].end(), mixed.begin() + first, mixed.end());
  }
  return {in_order(from, sides[0]), in_order(from, sides[1])};
}

TrainTest Dataset::k_fold(i64 k, i64 fold, std::uint64_t seed, bool stratified, Site site) const {
  const DatasetImpl& from = need_data(impl_, "Dataset::k_fold", site);
  const std::string where = user_place("Dataset::k_fold", site);
  const i64 size = from.size();
  if (k < 2 || k > size || fold < 0 || fold >= k)
    throw_data({where,
                "fold " + std::to_string(fold) + " of " + std::to_string(k) + " and " +
                    counted(size, "sample") +
                    "; expected at least 2 folds, a number below theirs, and a sample for each",
                {},
                "for (i64 fold = 0; fold < 5; ++fold) .. k_fold(5, fold)"});
  std::map<i64, std::vector<std::uint32_t>> groups;
  if (stratified) {
    groups = samples_by_class(from, where);
  } else {
    for (i64 i = 0; i < size; ++i) groups[0].push_back(static_cast<std::uint32_t>(i));
  }
  std::vector<std::uint32_t> train, test;
  std::uint32_t number = 0;
  i64 dealt = 0;
  for (auto& [kind, samples] : groups) {
    if (static_cast<i64>(samples.size()) < k)
      throw_data({where,
                  "class " + std::to_string(kind) + " has " +
                      counted(static_cast<i64>(samples.size()), "sample") +
                      "; expected one for each of the " + std::to_string(k) + " folds",
                  {},
                  "make fewer folds, or do without `stratified`"});
    mix(samples, seed, fold_stream, number++);
    // Dealt like cards, one class after the other: sizes differ by one sample at most.
    for (const std::uint32_t sample : samples)
      (dealt++ % k == fold ? test : train).push_back(sample);
  }
  return {in_order(from, train), in_order(from, test)};
}

Dataset Dataset::balanced(std::uint64_t seed, Site site) const {
  const DatasetImpl& from = need_data(impl_, "Dataset::balanced", site);
  const std::string where = user_place("Dataset::balanced", site);
  auto by_class = samples_by_class(from, where);
  size_t most = 0;
  for (const auto& [kind, samples] : by_class) most = std::max(most, samples.size());
  if (most * by_class.size() > std::numeric_limits<std::uint32_t>::max())
    throw_data({where,
                counted(static_cast<i64>(by_class.size()), "class") + " with " +
                    std::to_string(most) + " samples each are more than 4294967295",
                {},
                "take() some of the largest class first"});
  std::vector<std::uint32_t> all;
  std::uint32_t number = 0;
  for (auto& [kind, samples] : by_class) {
    mix(samples, seed, balance_stream, number++);
    for (size_t i = 0; i < most; ++i) all.push_back(samples[i % samples.size()]);
  }
  return in_order(from, std::move(all));
}

}  // namespace goneuron
