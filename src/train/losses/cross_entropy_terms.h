// The cross-entropy of each target, before any mean. Used by the loss and by perplexity.
#pragma once

#include "goneuron/loss.h"

namespace goneuron {

struct CrossEntropyTerms {
  Symbol losses;  // [batch, ..], one a target
  Symbol mask;    // the same, 1 where it counts; empty: everywhere
};
CrossEntropyTerms cross_entropy_terms(const char* name, const Symbol& y_true, const Symbol& y_pred,
                                      const CrossEntropyOptions& options);

}  // namespace goneuron
