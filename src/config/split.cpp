#include "config/split.h"

#include <cmath>
#include <numeric>

#include "core/message.h"
#include "core/rng.h"
#include "data/dataset.h"

namespace goneuron::config {
namespace {

TrainTest part(const Dataset& all, double share, bool, std::uint64_t, Site site) {
  return all.split(1 - share, site);
}

}  // namespace

Cut cut_data(const Dataset& all, const Dataset& test, bool classes, const Split& split, Site site) {
  Cut cut{all, {}, test};
  double left = 1;
  if (split.test > 0 && !test) {
    const auto [rest, taken] = part(all, split.test, classes, split.seed, site);
    cut.train = rest, cut.test = taken;
    left -= split.test;
  }
  if (split.validation > 0) {
    const double share = split.validation / left;
    const auto [rest, taken] = part(cut.train, share, classes, split.seed, site);
    cut.train = rest, cut.validation = taken;
  } else {
    cut.validation = cut.test;
  }
  return cut;
}

}  // namespace goneuron::config
