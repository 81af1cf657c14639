// The classes of samples, for splits and sampling that keep or change their shares.
// Used by stratify.cpp.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "data/dataset.h"

namespace goneuron {

/// The samples of each class in order. The class is a target that is a whole number, or the place
/// of the largest number among several, which are floating. Throws DataError for data sets with
/// several targets, and for others.
std::map<i64, std::vector<std::uint32_t>> samples_by_class(const DatasetImpl& data,
                                                           const std::string& where);

}  // namespace goneuron
