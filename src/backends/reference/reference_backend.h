// The plain kernels of the ops as a device of their own, "reference".
#pragma once

#include "plan/backend.h"

namespace goneuron {

const Backend& reference_backend();

}  // namespace goneuron
