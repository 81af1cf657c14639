// Diagnosis: why a step was refused, found on the batch that is still in the executor's memory.
// Used by the loops of fit() and evaluate(); the step itself only sets a status word.
#pragma once

#include <functional>
#include <string>

#include "goneuron/error.h"
#include "train/model_impl.h"

namespace goneuron {

struct Refused {
  ModelImpl& model;
  ExecutorLease& lease;
  std::string where;            // the call, for the message
  std::string data;             // "the data" or "the validation data"
  std::function<i64(i64)> row;  // of the data set, for a row of the batch
  bool training;
};

/// The loss of the step, its gradients or what it was given are not finite.
class NotFinite : public DataError {
  using DataError::DataError;
};

/// Throws DataError: the row and value of a bad label or number in the data, else the first layer
/// whose output is not finite, as NotFinite.
[[noreturn]] void diagnose(const Refused& step);

}  // namespace goneuron
