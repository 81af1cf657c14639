// choose_target(): tells Highway which instructions this processor has, before a kernel is picked
// with HWY_DYNAMIC_DISPATCH. Used where kernels are looked up.
#pragma once

#include <hwy/targets.h>

namespace goneuron::cpu {

/// Asks the processor once: on a virtual machine the question costs as much as a small kernel.
inline void choose_target() {
  hwy::ChosenTarget& target = hwy::GetChosenTarget();
  if (!target.IsInitialized()) target.Update(hwy::SupportedTargets());
}

}  // namespace goneuron::cpu
