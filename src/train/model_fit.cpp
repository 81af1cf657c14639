// fit(), evaluate() and the single-batch forms: the loops around a step.
#include <chrono>
#include <cmath>

#include "core/message.h"
#include "graph/op_def.h"
#include "train/fit_loop.h"
#include "train/footprint.h"
#include "train/pass.h"

namespace goneuron {

namespace {

void need_compiled(const ModelImpl& model, const char* caller, Site site) {
  if (!model.compiled)
    throw_graph({.where = call_site(caller, site),
                 .what = "the model has no loss and no optimizer yet; expected a compiled one",
                 .hint = "call compile(Adam(0.001), CrossEntropy) first"});
}

void need_own_weights(const ModelImpl& model, const char* caller, Site site) {
  if (model.averaged)
    throw_graph({.where = call_site(caller, site),
                 .what = "the model's weights are their moving averages now; expected those in "
                         "training",
                 .hint = "call use_averaged_weights(false) first, or end the AveragedWeights"});
}

void check_batch(i64 size, const char* caller, Site site) {
  if (size < 1)
    throw_graph({.where = call_site(caller, site),
                 .what = "a batch size of " + std::to_string(size) + "; expected 1 or more",
                 .hint = "32 is usual; leave it out to take the dataset's own, or 32"});
}

void use_class_weight(ModelImpl& model, const std::vector<double>& weights, Site site) {
  for (const double weight : weights)
    if (!(weight >= 0) || !std::isfinite(weight))
      throw_graph({.where = call_site("fit", site),
                   .what = "a class_weight of " + number_text(weight) +
                           "; expected finite numbers of at least 0",
                   .hint = "1 is the usual weight, 0 leaves a class out"});
  if (model.class_weight == weights) return;
  model.class_weight = weights;
  const std::lock_guard lock(model.mutex);
  model.executors.clear();
}

i64 batch_of(i64 asked, const Dataset& data, const char* caller, Site site) {
  if (asked != Any) check_batch(asked, caller, site);
  const i64 own = data.impl()->batch_size;
  return std::min(asked > 0 ? asked : own > 0 ? own : 32, data.size());
}

}  // namespace

FitParts fit_parts(const Dataset& data, const FitOptions& options, const char* caller, Site site) {
  if (!data)
    throw_data({.where = call_site(caller, site),
                .what = "the dataset has no samples; expected at least one",
                .hint = "make it from tensors, Dataset(x, y), or by a function of goneuron::data"});
  const double share = options.validation_split;
  if (!(share >= 0 && share < 1))
    throw_graph({.where = call_site(caller, site),
                 .what = "a validation_split of " + number_text(share) +
                         "; expected at least 0 and below 1",
                 .hint = "it is the share of the data kept for validation: 0.1 is usual"});
  if (share > 0 && options.validation)
    throw_graph({.where = call_site(caller, site),
                 .what = "both a validation set and a validation_split; expected one of them",
                 .hint = "leave one out"});
  if (options.accumulate < 1)
    throw_graph({.where = call_site(caller, site),
                 .what = "an accumulate of " + std::to_string(options.accumulate) +
                         " batches; expected 1 or more",
                 .hint = "it is the number of batches for one update; 1 is one for each"});
  FitParts parts{data, options.validation};
  if (share != 0) {
    const double first = std::round((1 - share) * static_cast<double>(data.size()));
    if (first < 1 || first >= static_cast<double>(data.size()))
      throw_data({.where = call_site(caller, site),
                  .what = "a validation_split of " + number_text(share) + " of " +
                          counted(data.size(), "sample") +
                          " leaves one side empty; expected samples for both",
                  .hint = "give more data, another share, or a validation set"});
    const auto [train, test] = data.split(1 - share);
    parts.train = train;
    parts.validation = test;
  }
  parts.batch = batch_of(options.batch_size, parts.train, caller, site);
  if (parts.validation) parts.validation_batch = std::min(parts.batch, parts.validation.size());
  return parts;
}

void begin_step(const ModelImpl& model, StepScalars& s) {
  const auto t = static_cast<double>(model.step + 1);
  s.learning_rate = model.learning_rate();
  s.step = t;
  s.correction1 = 1 - std::pow(model.optimizer.beta1, t);
  s.correction2 = 1 - std::pow(model.optimizer.beta2, t);
  s.seed = model.fit_seed;
  s.counter = static_cast<std::uint64_t>(model.step);
  s.code = status_ok;
}

namespace {
FitLoop fit_loop(const Model& model, const Dataset& given, const FitOptions& options, Site site) {
  ModelImpl& m = need(model.impl());
  need_compiled(m, "fit", site);
  need_no_fit(m, "fit", site);
  need_own_weights(m, "fit", site);
  if (options.epochs < 0)
    throw_graph({.where = call_site("fit", site),
                 .what = std::to_string(options.epochs) + " epochs; expected 0 or more",
                 .hint = "an epoch is one pass over the data: pass {.epochs = 10}"});
  const FitParts parts = fit_parts(given, options, "fit", site);
  m.fit_seed = options.seed;
  if (!m.preprocessing) m.preprocessing = parts.train.impl()->preprocessing;
  use_class_weight(m, options.class_weight, site);
  return {model, parts, options, site};
}
}  // namespace

void check_fit(const Model& model, const Dataset& data, const FitOptions& options, Site site) {
  const UserCall user("fit", site);
  fit_loop(model, data, options, site);
}

History Model::fit(const Dataset& data, const FitOptions& options, Site site) {
  const UserCall user("fit", site);
  return fit_loop(*this, data, options, site).run();
}

History Model::fit(const Tensor& x, const Tensor& y, const FitOptions& options, Site site) {
  const UserCall user("fit", site);
  return fit(Dataset(x, y, site), options, site);
}

History Model::fit(const Tensors& x, const Tensors& y, const FitOptions& options, Site site) {
  const UserCall user("fit", site);
  return fit(Dataset(x, y, site), options, site);
}

History Model::fit(const Tensor& x, const Tensor& y, i64 epochs, i64 batch_size,
                   const Callback& callback, Site site) {
  const UserCall user("fit", site);
  check_batch(batch_size, "fit", site);
  FitOptions options{.epochs = epochs, .batch_size = batch_size};
  if (callback) options.callbacks = {callback};
  return fit(Dataset(x, y, site), options, site);
}

Logs Model::evaluate(const Dataset& data, i64 batch_size, Site site) const {
  const UserCall user("evaluate", site);
  ModelImpl& m = need(impl_);
  need_compiled(m, "evaluate", site);
  if (!data)
    throw_data({.where = call_site("evaluate", site),
                .what = "the dataset has no samples; expected at least one",
                .hint = "make it from tensors, Dataset(x, y), or by a function of goneuron::data"});
  Pass pass(m, data, {.batch = batch_of(batch_size, data, "evaluate", site)}, "evaluate", site);
  pass.start(0);
  for (i64 s = 0; s < pass.steps(); ++s) pass.step();
  pass.means.finish();
  return pass.means.logs;
}

Logs Model::evaluate(const Tensor& x, const Tensor& y, i64 batch_size, Site site) const {
  const UserCall user("evaluate", site);
  return evaluate(Dataset(x, y, site), batch_size, site);
}

Logs Model::evaluate(const Tensors& x, const Tensors& y, i64 batch_size, Site site) const {
  const UserCall user("evaluate", site);
  return evaluate(Dataset(x, y, site), batch_size, site);
}

Logs Model::train_on_batch(const Tensor& x, const Tensor& y, Site site) {
  return train_on_batch(Tensors(x), Tensors(y), site);
}

Logs Model::test_on_batch(const Tensor& x, const Tensor& y, Site site) const {
  return test_on_batch(Tensors(x), Tensors(y), site);
}

Logs Model::train_on_batch(const Tensors& x, const Tensors& y, Site site) {
  const UserCall user("train_on_batch", site);
  const Dataset data(x, y, site);
  need_compiled(need(impl_), "train_on_batch", site);
  need_own_weights(need(impl_), "train_on_batch", site);
  Pass pass(need(impl_), data, {.batch = data.size(), .mode = Mode::train}, "train_on_batch", site);
  pass.start(0);
  pass.step();
  pass.means.finish();
  return pass.means.logs;
}

Logs Model::test_on_batch(const Tensors& x, const Tensors& y, Site site) const {
  const UserCall user("test_on_batch", site);
  const Dataset data(x, y, site);
  return evaluate(data, data.size(), site);
}

}  // namespace goneuron
