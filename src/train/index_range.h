// Which index a step was refused for: found again on the batch, once a kernel has set the status
// word to status_index_range. Used by diagnose() and predict().
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "goneuron/symbol.h"

namespace goneuron {

struct IndexSearch {
  std::vector<Symbol> outputs;                    // of the graph that was run
  std::vector<std::pair<Symbol, Tensor>> inputs;  // the batch
  std::string where;                              // the call, for the message
  std::string data;                               // "the data" or "the validation data"
  std::function<i64(i64)> row;                    // of the data set, for a row of the batch
};

/// Throws DataError: the layer, and the row, place and value of the first index of the graph that
/// is out of range.
[[noreturn]] void refuse_index(const IndexSearch& search);

}  // namespace goneuron
