// The processor as a device: SIMD kernels on the worker pool.
#pragma once

#include "plan/backend.h"

namespace goneuron {

const Backend& cpu_backend();

}  // namespace goneuron
