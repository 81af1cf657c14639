#include "config/split.h"

#include <cmath>
#include <numeric>

#include "core/message.h"
#include "core/rng.h"
#include "data/dataset.h"

namespace goneuron::config {
namespace {

constexpr std::uint32_t split_stream = 0x53504C54;  // "SPLT"

/// A part that is taken away: "validation", its share as the config has it, and of what is left.
struct Share {
  const char* name;
  double asked, of_rest;
};

/// {all but the share, the share}; which samples is decided by the seed.
TrainTest random_split(const Dataset& all, const Share& share, std::uint64_t seed, Site site) {
  const i64 count = all.size();
  const auto kept = static_cast<i64>(std::llround(share.of_rest * static_cast<double>(count)));
  if (kept < 1 || kept >= count)
    throw_data({.where = place("split", site),
                .what = std::string(share.name) + " takes " + counted(kept, "sample") + " of " +
                        std::to_string(count) + ", a share of " + number_text(share.asked) +
                        "; expected at least one for each part",
                .hint = "give more data, or another share"});
  std::vector<std::uint32_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), 0U);
  PhiloxStream random(seed, split_stream);
  for (size_t i = order.size(); i > 1; --i)
    std::swap(order[i - 1], order[random.below(static_cast<std::uint32_t>(i))]);
  std::vector<std::uint32_t> first(order.begin(), order.end() - kept),
      second(order.end() - kept, order.end());
  std::sort(first.begin(), first.end());  // files are read from front to back
  std::sort(second.begin(), second.end());
  return {chosen_from(*all.impl(), first), chosen_from(*all.impl(), second)};
}

TrainTest part(const Dataset& all, const Share& share, bool classes, std::uint64_t seed,
               Site site) {
  return classes ? all.stratified_split(1 - share.of_rest, seed, site)
                 : random_split(all, share, seed, site);
}

}  // namespace

Cut cut_data(const Dataset& all, const Dataset& test, bool classes, const Split& split, Site site) {
  Cut cut{all, {}, test};
  double left = 1;
  if (split.test > 0 && !test) {
    const auto [rest, taken] =
        part(all, {"test", split.test, split.test}, classes, split.seed, site);
    cut.train = rest, cut.test = taken;
    left -= split.test;
  }
  if (split.validation > 0) {
    const Share share{"validation", split.validation, split.validation / left};
    const auto [rest, taken] = part(cut.train, share, classes, split.seed, site);
    cut.train = rest, cut.validation = taken;
  } else {
    cut.validation = cut.test;
  }
  return cut;
}

}  // namespace goneuron::config
