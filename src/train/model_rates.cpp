// The learning rate of a model, and the moving averages of its weights.
#include <algorithm>
#include <cmath>

#include "core/message.h"
#include "train/updates.h"

namespace goneuron {

namespace {
const char* factory_of(Schedule::Kind kind) {
  constexpr const char* names[] = {
      "",        "StepDecay", "ExponentialDecay", "CosineDecay", "WarmupLinear", "WarmupCosine",
      "Schedule"};
  return names[static_cast<size_t>(kind)];
}

void check_rate(double value, const char* caller, Site site) {
  if (value > 0 && std::isfinite(value)) return;
  throw_graph({.where = call_site(caller, site),
               .what = "a learning rate of " + number_text(value) + "; expected a number above 0",
               .hint = "0.001 suits Adam, 0.01 SGD"});
}
}  // namespace

double ModelImpl::learning_rate() const {
  return optimizer.schedule.constant() ? optimizer.learning_rate : optimizer.schedule(step);
}

void ModelImpl::set_learning_rate(double value, const char* caller, Site where) {
  check_rate(value, caller, where);
  const Schedule& schedule = optimizer.schedule;
  if (!schedule.constant()) {
    const std::string place = site_text(schedule.site());
    throw_graph({.where = call_site(caller, where),
                 .what = "a learning rate of " + number_text(value) +
                         " for a model whose rate follows " + factory_of(schedule.kind()) + "()" +
                         (place.empty() ? "" : " (" + place + ")") +
                         "; expected one without a schedule",
                 .hint = "call set_schedule(" + number_text(value) +
                         ") to leave the schedule, or change the schedule itself"});
  }
  optimizer.learning_rate = value;
}

double Model::learning_rate() const { return need(impl_).learning_rate(); }

void Model::set_learning_rate(double value, Site site) {
  need(impl_).set_learning_rate(value, "set_learning_rate", site);
  impl_->given_rate = value;
}

void Model::set_schedule(const Schedule& schedule, Site site) {
  const UserCall user("set_schedule", site);
  ModelImpl& m = need(impl_);
  if (schedule.constant()) {
    check_rate(schedule(0), "set_schedule", site);
    m.optimizer.learning_rate = m.given_rate = schedule(0);
  }
  m.optimizer.schedule = schedule;
}

void Model::use_averaged_weights(bool averaged, Site site) {
  const UserCall user("use_averaged_weights", site);
  ModelImpl& m = need(impl_);
  const std::lock_guard lock(m.mutex);
  if (averaged && (m.averages.empty() || m.averages.begin()->second->value.empty()))
    throw_graph({.where = call_site("use_averaged_weights", site),
                 .what = m.ema > 0 ? "the model has not been trained yet; expected weights that "
                                     "have an average"
                                   : "the model keeps no moving average of its weights; expected "
                                     "one compiled with {.ema = ..}",
                 .hint = m.ema > 0 ? "call fit() first"
                                   : "pass {.ema = 0.999} as the last argument of compile()"});
  if (averaged == m.averaged) return;
  const std::lock_guard running(worker_mutex());
  for (const auto& variable : m.variables)
    if (const auto at = m.averages.find(variable.get()); at != m.averages.end())
      std::swap_ranges(variable->value.data(), variable->value.data() + variable->value.size(),
                       at->second->value.data());
  m.averaged = averaged;
}

bool Model::uses_averaged_weights() const { return need(impl_).averaged; }

AveragedWeights::AveragedWeights(const Model& model, Site site)
    : model_(model), before_(model.uses_averaged_weights()) {
  model_.use_averaged_weights(true, site);
}
AveragedWeights::~AveragedWeights() {
  if (!before_) model_.use_averaged_weights(false);
}

}  // namespace goneuron
