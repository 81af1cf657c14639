// Checks of options that several layers share: initialisers and counts.
#pragma once

#include "goneuron/initializer.h"
#include "graph/layer_impl.h"

namespace goneuron {

/// GraphError naming `option` unless the initializer's numbers make sense.
void check_initializer(const Initializer& init, const char* option, const char* kind, Site site);
/// GraphError unless `count` is at least 1; `what` is its plural: "units".
void check_count(i64 count, const char* what, const char* kind, Site site);

}  // namespace goneuron
