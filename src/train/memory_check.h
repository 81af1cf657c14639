// The check of a step's memory before it is allocated. Used when an executor is made.
#pragma once

#include "train/model_impl.h"

namespace goneuron {

/// Throws OutOfMemory, with the largest buffers and the largest batch that would fit, unless the
/// plan's memory can be had. The model's mutex is held by the caller.
void check_memory(ModelImpl& model, const Plan& plan, const StepSpec& spec);

}  // namespace goneuron
