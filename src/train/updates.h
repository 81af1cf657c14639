// What a training step does besides its loss: gradients, clipping, updates, averages, as symbols;
// and the memory that these keep from step to step.
#pragma once

#include "train/model_impl.h"

namespace goneuron {

/// The effects of a step in a mode that trains; made once for each graph and mode.
const std::vector<Symbol>& effects_of(ModelImpl& model, TrainGraph& graph, Mode mode);

/// Fills in the gradients of the weights in training. Throws GraphError for a weight that the loss
/// does not depend on.
void add_gradients(ModelImpl& model, TrainGraph& graph);
/// The types of targets that the losses take, as far as that can be told; else none.
std::vector<TensorType> guessed_targets(const ModelImpl& model);
/// What compile() can tell before there is data: throws GraphError where the loss cannot train the
/// model.
void try_training(ModelImpl& model);

/// Fills in model.rules from the optimizer's groups. Throws GraphError for a group that no weight
/// fits.
void resolve_groups(ModelImpl& model);
/// The optimizer's groups with the names of their weights, as a file can hold them.
std::vector<ParameterGroup> groups_by_names(const ModelImpl& model);
/// The weight's part in training, groups considered.
WeightRule rule_of(const ModelImpl& model, const Variable& variable);
/// A parameter that its layer, itself and the groups let train.
bool in_training(const ModelImpl& model, const Variable& variable);
/// `*` any text, `?` any character, `|` between alternatives.
bool fits_pattern(const std::string& pattern, const std::string& name);

}  // namespace goneuron
