// Checks of options that the optimizers share; each throws GraphError with the factory's name and
// line.
#pragma once

#include "goneuron/optimizer.h"

namespace goneuron {

/// A learning rate above 0, a weight decay of at least 0, both finite.
void check_rates(const Optimizer& optimizer, const char* kind);
/// Betas in [0, 1), an epsilon above 0.
void check_moments(const Optimizer& optimizer, const char* kind);

/// Bounds of gradients of at least 0, at most one of them; groups with good options.
void check_gradients(const Optimizer& optimizer, const char* kind);
/// The rate of a number; of a schedule whatever passes as one, for its factory has checked it.
double first_rate(const Schedule& schedule);

}  // namespace goneuron
