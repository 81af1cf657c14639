// Cut: training data, what it is watched by and what it is judged by, as the section "split" says.
// Used by the data sources.
#pragma once

#include "config/loaded.h"

namespace goneuron::config {

struct Cut {
  Dataset train, validation, test;
};

/// Takes shares of `all` that are decided by the seed; with `classes` each class in its share. The
/// test set, where there is one, stays as it is, and watches the training where the split has no
/// share for that.
Cut cut_data(const Dataset& all, const Dataset& test, bool classes, const Split& split, Site site);

}  // namespace goneuron::config
