// Fewer samples, other ones or the same ones again, as rows of the same storage: slices, filters,
// parts for processes, repetition. Those that look at classes are in stratify.cpp.
#include <algorithm>
#include <cmath>
#include <limits>

#include "core/checked_math.h"
#include "core/message.h"
#include "data/dataset.h"

namespace goneuron {

namespace {

/// The same buckets made of some of their sequences.
Dataset of_sequences(const DatasetImpl& from, std::shared_ptr<const RaggedData> part) {
  auto out = std::make_shared<DatasetImpl>(from);
  const auto made = bucketed(std::move(part));
  out->buckets = made->buckets;
  out->sequences = made->sequences;
  out->x = made->x;
  out->y = made->y;
  return Dataset(share(std::move(out)));
}

void check_count(i64 count, const char* function, Site site) {
  if (count <= std::numeric_limits<std::uint32_t>::max()) return;
  throw_data({user_place(function, site),
              std::to_string(count) + " samples; expected at most 4294967295",
              {},
              "train for more epochs instead"});
}

}  // namespace

Dataset slice_of(const DatasetImpl& from, i64 begin, i64 end) {
  if (from.sequences) {
    auto part = std::make_shared<RaggedData>(*from.sequences);
    part->x = {from.sequences->x.begin() + begin, from.sequences->x.begin() + end};
    part->y = {from.sequences->y.begin() + begin, from.sequences->y.begin() + end};
    return of_sequences(from, std::move(part));
  }
  auto out = std::make_shared<DatasetImpl>(from);
  if (from.source || from.chosen.list) {
    out->chosen.first += begin;
    out->chosen.count = end - begin;
    return Dataset(share(std::move(out)));
  }
  for (auto* columns : {&out->x, &out->y})
    for (Column& c : *columns) c.stored = c.stored.slice(begin, end);
  return Dataset(share(std::move(out)));
}

Dataset chosen_from(const DatasetImpl& from, const std::vector<std::uint32_t>& samples) {
  if (from.sequences) {
    auto part = std::make_shared<RaggedData>(*from.sequences);
    part->x.clear();
    part->y.clear();
    for (const std::uint32_t i : samples) {
      part->x.push_back(from.sequences->x[i]);
      part->y.push_back(from.sequences->y[i]);
    }
    return of_sequences(from, std::move(part));
  }
  auto rows = std::make_shared<std::vector<std::uint32_t>>();
  rows->reserve(samples.size());
  for (const std::uint32_t i : samples)
    rows->push_back(static_cast<std::uint32_t>(from.chosen[i64{i}]));
  auto out = std::make_shared<DatasetImpl>(from);
  out->chosen = {0, static_cast<i64>(rows->size()), std::move(rows)};
  return Dataset(share(std::move(out)));
}

TrainTest Dataset::split(double fraction, Site site) const {
  const DatasetImpl& from = need_data(impl_, "Dataset::split", site);
  const i64 count = from.size();
  // Not (a && b): NaN must fail too.
  const bool inside = fraction > 0 && fraction < 1;
  const auto first =
      inside ? static_cast<i64>(std::llround(fraction * static_cast<double>(count))) : 0;
  if (first < 1 || first >= count)
    throw_data({user_place("Dataset::split", site),
                "a fraction of " + number_text(fraction) + " of " + std::to_string(count) +
                    " samples leaves one side empty; expected a number between 0 and 1",
                {},
                "both sides need a sample: 0.8 keeps 80 % on the first"});
  return {slice_of(from, 0, first), slice_of(from, first, count)};
}

Dataset Dataset::take(i64 count, Site site) const {
  const DatasetImpl& from = need_data(impl_, "Dataset::take", site);
  if (count < 1 || count > from.size())
    throw_data({user_place("Dataset::take", site),
                std::to_string(count) + " samples; expected 1 to " + std::to_string(from.size()),
                {},
                "size() says how many there are"});
  return slice_of(from, 0, count);
}

Dataset Dataset::filter(const Callable<bool(const Sample&)>& wanted, Site site) const {
  const DatasetImpl& from = need_data(impl_, "Dataset::filter", site);
  if (wanted && (from.x.size() != 1 || from.targets() != 1))
    throw_data({user_place("Dataset::filter", site),
                counted(inputs(), "input") + " and " + counted(targets(), "target") +
                    " for a function of one each; expected one that takes Samples",
                {},
                "write it as [](const Samples& s) { return ..; }, with s.x[0], s.x[1], .."});
  if (!wanted) return filter(Callable<bool(const Samples&)>(), site);
  return filter(Callable<bool(const Samples&)>([&](const Samples& s) {
                  return wanted({s.x[0], s.y[0]});
                }),
                site);
}

Dataset Dataset::filter(const Callable<bool(const Samples&)>& wanted, Site site) const {
  const DatasetImpl& from = need_data(impl_, "Dataset::filter", site);
  if (!wanted)
    throw_data({user_place("Dataset::filter", site),
                "the function is empty",
                {},
                "pass a function from Sample to bool"});
  refuse_buckets(from, "Dataset::filter", site);
  check_count(from.size(), "Dataset::filter", site);
  std::vector<std::uint32_t> kept;
  from.each([&](i64 i, const Samples& sample) {
    const UserCode code;
    Samples seen = sample;
    seen.y.resize(from.targets());
    if (wanted(seen)) kept.push_back(static_cast<std::uint32_t>(i));
  });
  if (kept.empty())
    throw_data({user_place("Dataset::filter", site),
                "none of " + counted(from.size(), "sample") + " is wanted; expected at least one",
                {},
                "the function gets the sample as the maps before it make it"});
  return chosen_from(from, kept);
}

Dataset Dataset::shard(i64 index, i64 count, Site site) const {
  const DatasetImpl& from = need_data(impl_, "Dataset::shard", site);
  const i64 size = from.size();
  if (count < 1 || index < 0 || index >= count)
    throw_data({user_place("Dataset::shard", site),
                "part " + std::to_string(index) + " of " + std::to_string(count) +
                    "; expected numbers from 0 to below the count of parts",
                {},
                "shard(rank, ranks)"});
  if (count > size)
    throw_data({user_place("Dataset::shard", site),
                counted(size, "sample") + " for " + std::to_string(count) +
                    " parts; expected at least one each",
                {},
                "make fewer parts"});
  if (from.source && from.source->block() > 1)
    return slice_of(from, index * size / count, (index + 1) * size / count);
  check_count(size, "Dataset::shard", site);
  std::vector<std::uint32_t> samples;
  for (i64 i = index; i < size; i += count) samples.push_back(static_cast<std::uint32_t>(i));
  return chosen_from(from, samples);
}

Dataset Dataset::repeat(i64 times, Site site) const {
  const DatasetImpl& from = need_data(impl_, "Dataset::repeat", site);
  const i64 size = from.size();
  if (times < 1)
    throw_data({user_place("Dataset::repeat", site),
                "every sample " + std::to_string(times) + " times; expected at least once",
                {},
                "repeat(2) doubles an epoch"});
  check_count(checked_mul(size, times), "Dataset::repeat", site);
  std::vector<std::uint32_t> samples;
  samples.reserve(static_cast<size_t>(size * times));
  for (i64 t = 0; t < times; ++t)
    for (i64 i = 0; i < size; ++i) samples.push_back(static_cast<std::uint32_t>(i));
  return chosen_from(from, samples);
}

}  // namespace goneuron
