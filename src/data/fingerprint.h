// A number of a data set's samples, to see whether a run goes on with those that it began with.
// Used by fit() where there are checkpoints.
#pragma once

#include "data/dataset.h"

namespace goneuron {

/// Of shapes, dtypes, names, the order's own seed and a few samples as they are stored; other data
/// gives another one nearly always. Reads no more than what takes a few milliseconds, and nothing
/// where reading calls functions of the user.
std::uint64_t fingerprint(const DatasetImpl& data);

}  // namespace goneuron
