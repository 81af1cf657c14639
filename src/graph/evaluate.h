// evaluate: runs a graph of Exprs one by one with the reference kernels, in f32 or f64.
// Used by gradient checks, by tests of faster kernels, and to find the first value that is not
// finite.
#pragma once

#include <functional>
#include <utility>
#include <vector>

#include "graph/op_def.h"

namespace goneuron {

/// Called with each node and its values, inputs before users.
using Visit = std::function<void(const Expr&, const std::vector<Tensor>&)>;

/// The values of `outputs`, given those of the input symbols. Every floating tensor is converted to
/// `float_type` (f32 or f64), variables and constants included; shapes are inferred anew from those
/// of `inputs`. Variables are not written: an op that mutates one returns its new value, which only
/// later mutations of the same variable see. Throws GraphError for an input or a variable without a
/// value, ShapeError and TypeError where they do not fit.
std::vector<Tensor> evaluate(const std::vector<Symbol>& outputs,
                             const std::vector<std::pair<Symbol, Tensor>>& inputs, DType float_type,
                             StepScalars& scalars, const Visit& visit = nullptr);

}  // namespace goneuron
