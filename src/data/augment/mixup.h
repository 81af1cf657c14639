// Mixup: samples and targets mixed with those of another one. Used by augment.cpp.
#pragma once

#include "data/dataset.h"
#include "goneuron/images.h"

namespace goneuron::data {

/// `data`, whose samples have been augmented, mixed. Throws DataError for targets that cannot be.
Dataset mixed(const Dataset& data, const AugmentOptions& options, Site site);

}  // namespace goneuron::data
