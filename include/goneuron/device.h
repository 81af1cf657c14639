// Device and threads: where and on how many workers models run. Results do not depend on the
// number.
#pragma once

#include "goneuron/shape.h"
#include "goneuron/site.h"

namespace goneuron {

/// "cpu", or "reference" for the plain kernels. Throws DeviceError listing the devices there are.
void set_device(const std::string& name, Site site = Site::here());
std::vector<std::string> devices();
/// Workers for the steps that follow; 0: one a core.
void set_threads(int count, Site site = Site::here());
int threads();
/// Most bytes that weights, optimizer and the memory of steps may take in this process; 0 (the
/// default): what the system has. Beyond it OutOfMemory says which batch size would fit.
void set_memory_limit(i64 bytes, Site site = Site::here());
/// "0.1.0"
const char* version();

}  // namespace goneuron
