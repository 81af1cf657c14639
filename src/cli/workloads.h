// The workloads of the bench: small models whose steps other frameworks are timed with, too.
// Used by bench.cpp.
#pragma once

#include <string>
#include <vector>

#include "goneuron/model.h"

namespace goneuron::cli {

struct Workload {
  const char* name;
  i64 batch;
  /// A compiled model; Adam with a learning rate of 0.001.
  Model (*build)(const CompileOptions& options);
  /// `batch` random samples with targets.
  Sample (*data)(i64 batch);
  /// Multiplications and additions of matrix products and convolutions, a sample: by arithmetic,
  /// not by what the engine happens to run. Element-wise work is not counted.
  double train_flops, infer_flops;
};

const std::vector<Workload>& workloads();

}  // namespace goneuron::cli
