// What functions on symbols share: the place of their errors, and axes as the user counts them.
#pragma once

#include <vector>

#include "graph/expr.h"

namespace goneuron {

/// `slice (train.cpp:14)`
std::string function_place(const char* function, Site site);
/// `axis` from 0; ShapeError when x has no such axis.
int normal_axis(const char* function, const Symbol& x, int axis, Site site);
/// The same, of an axis that is not the samples'.
int sample_axis(const char* function, const Symbol& x, int axis, Site site);
/// Sorted and not negative; all but the batch when none is given. ShapeError for one given twice.
std::vector<i64> normal_axes(const char* function, const Symbol& x, const std::vector<int>& axes,
                             Site site);

}  // namespace goneuron
