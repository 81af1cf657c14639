// RunPosition: where a run of fit() stands, as a checkpoint keeps it beside the model. Used by the
// checkpoint file and by fit().
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "goneuron/model.h"

namespace goneuron {

/// What must be the same for a run to go on.
struct RunOptions {
  i64 samples = 0, batch = 0, accumulate = 1;
  bool shuffle = false;
  std::uint64_t seed = 0;
  // Not in checkpoints of older versions.
  std::optional<std::uint64_t> data;  // its fingerprint
  std::optional<std::vector<double>> class_weight;
};

struct SavedCallback {
  std::string type;     // of its class, as the compiler names it
  CallbackState state;  // of tensors the names; the numbers are kept apart
};

struct RunPosition {
  RunOptions options;
  double rate = 0;       // that the program gave the run, before callbacks changed it; 0: not known
  i64 epoch = 0;         // done by this fit()
  i64 step = 0;          // batches done in the epoch under way
  i64 samples_seen = 0;  // in it
  double seconds = 0;    // of it
  bool ended = false;    // by a callback
  std::vector<double> means;              // of the epoch under way; kept as a tensor
  std::vector<std::string> names;         // of the logs
  std::vector<std::vector<double>> rows;  // one an epoch, in the order of the names; a tensor too
  std::vector<SavedCallback> callbacks;
};

/// As JSON, but for what is kept as tensors.
std::string position_text(const RunPosition& position);
/// Throws FormatError naming `where`.
RunPosition position_from_text(std::string_view text, const std::string& where);

}  // namespace goneuron
