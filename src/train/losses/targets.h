// Targets: brings y_true to the shape and dtype that a loss or metric needs, or says why it cannot.
// Losses never broadcast: exactly one missing trailing 1 is accepted, every other mismatch is
// refused.
#pragma once

#include "goneuron/symbol.h"

namespace goneuron {

/// `y_true` in floating point with the shape of `y_pred`. `name` ("MSE") and `hint` are for the
/// ShapeError.
Symbol value_targets(const char* name, const Symbol& y_true, const Symbol& y_pred,
                     const char* hint);
/// Class indices, i32 [..], or one-hot rows, floating [.., classes], for `y_pred` [.., classes].
Symbol class_targets(const char* name, const Symbol& y_true, const Symbol& y_pred);

/// The symbol itself, without the nodes that only pass it on under the same shape.
Symbol unwrapped(Symbol symbol);
/// The input of the op `op` that made `symbol`; an empty Symbol when another one did.
Symbol before(const Symbol& symbol, const char* op);
/// [batch, ..] -> [batch], the mean over all other axes.
Symbol per_sample(const Symbol& values);
/// The mean over everything, as one number.
Symbol batch_mean(const Symbol& values);

}  // namespace goneuron
