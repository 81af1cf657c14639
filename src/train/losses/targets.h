// Targets: brings y_true to the shape and dtype that a loss or metric needs, or says why it cannot.
// Losses never broadcast: exactly one missing trailing 1 is accepted, every other mismatch is
// refused.
#pragma once

#include <optional>

#include "goneuron/symbol.h"

namespace goneuron {

/// `y_true` in floating point with the shape of `y_pred`. `name` ("MSE") and `hint` are for the
/// ShapeError.
Symbol value_targets(const char* name, const Symbol& y_true, const Symbol& y_pred,
                     const char* hint);
/// `y_true`, with the shape of `y_pred` where one trailing 1 is all that it has more or less.
Symbol like_predictions(const Symbol& y_true, const Symbol& y_pred);
/// Class indices, i32 [..], or one-hot rows, floating [.., classes], for `y_pred` [.., classes].
Symbol class_targets(const char* name, const Symbol& y_true, const Symbol& y_pred);
/// TypeError unless `labels`, made of `y_true` by class_targets(), are class indices, as an
/// ignore_index needs them.
void need_indices(const char* name, const Symbol& labels, const Symbol& y_true,
                  const Symbol& y_pred);
/// GraphError unless a target can have that value.
void require_index(const char* kind, const std::optional<i64>& index, Site site);

/// Fails the step, by the status word, where a value is not in [0, 1]: targets that are
/// probabilities or rows of classes.
Symbol in_unit_range(const Symbol& targets);
/// Predictions in [0, 1], which the loss or metric `name` needs: GraphError where they are made by
/// something else for certain, such as a layer without activation, else the step fails that meets
/// one outside. `activation`: what should have been the last.
Symbol probabilities(const char* name, const Symbol& y_pred, const char* activation);
/// The predictions as logits: `y_pred` itself where `given` says so, else the input of `activation`
/// ("softmax") where that made them, else an empty Symbol. GraphError for both.
Symbol logits_of(const char* name, const Symbol& y_pred, const char* activation, bool given);

/// The symbol itself, without the nodes that only pass it on under the same shape.
Symbol unwrapped(Symbol symbol);
/// The input of the op `op` that made `symbol`; an empty Symbol when another one did.
Symbol before(const Symbol& symbol, const char* op);
/// The weight of each sample, [batch], by its class: `weights` has one number a class. `y_true` is
/// made of class indices, [batch], or of one-hot rows. Throws GraphError for other targets.
Symbol class_weights(const std::vector<double>& weights, const Symbol& y_true,
                     const Symbol& y_pred);
/// [batch, ..] -> [batch], the mean over all other axes.
Symbol per_sample(const Symbol& values);
/// The mean over everything, as one number.
Symbol batch_mean(const Symbol& values);
/// The mean of `values` where `mask` is 1, as one number; 0 where it is 1 nowhere.
Symbol masked_mean(const Symbol& values, const Symbol& mask);
/// The sum that a ratio of two sums over the batch, such as masked_mean(), divides by, where it is
/// at least 1; else an empty Symbol.
Symbol denominator_of(const Symbol& number);
/// 1 where the class index is not `ignored`, else 0.
Symbol label_mask(const Symbol& labels, i64 ignored);

}  // namespace goneuron
