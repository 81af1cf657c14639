// What callbacks share that time the steps of a training. Used by Profile and HTMLReport.
#pragma once

#include <memory>

#include "goneuron/callback.h"
#include "train/model_impl.h"
#include "train/step_profile.h"

namespace goneuron {

/// Has the training's steps timed; two callbacks that want it share one.
std::shared_ptr<StepProfile> begin_profile(const TrainingState& state, i64 first, i64 steps);
void end_profile(const TrainingState& state, std::shared_ptr<StepProfile>& profile);

}  // namespace goneuron
