// The library's accumulators, each by a kind and numbers, so that a model file can name it. Used by
// the metrics and by the loading of models.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "goneuron/metric.h"

namespace goneuron {

using Numbers = std::vector<double>;

/// "kind:1,0.5": what accumulator_of() makes the same one of.
std::string spec_text(const char* kind, const Numbers& numbers);
/// Empty where no accumulator of this library has that text.
std::unique_ptr<Accumulator> accumulator_of(const std::string& spec);

/// GraphError unless a state to restore has as many numbers.
void need_state(const Numbers& state, size_t wanted);

// One file each; null where the numbers do not fit.
std::unique_ptr<Accumulator> class_counts(const Numbers& numbers);
std::unique_ptr<Accumulator> confusion_counts(const Numbers& numbers);
std::unique_ptr<Accumulator> ranked_scores(const Numbers& numbers);
std::unique_ptr<Accumulator> residuals(const Numbers& numbers);
std::unique_ptr<Accumulator> exp_mean(const Numbers& numbers);

/// The same as a metric's evidence.
Evidence evidence_of(const Symbol& rows, std::unique_ptr<Accumulator> (*make)(const Numbers&),
                     const Numbers& numbers);

}  // namespace goneuron
