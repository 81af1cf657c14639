#include "train/pass.h"

#include <algorithm>

#include "core/message.h"
#include "graph/op_def.h"
#include "train/diagnose.h"
#include "train/footprint.h"
#include "train/losses/targets.h"
#include "train/step_profile.h"

namespace goneuron {

void Means::name(const TrainGraph& graph) {
  auto next = static_cast<int>(graph.names.size());
  for (size_t i = 0; i < graph.names.size(); ++i) {
    const bool counted = bool(denominator_of(i == 0 ? graph.loss : graph.logged[i - 1]));
    counts_.push_back(counted ? next++ : -1);
    shown_.push_back(graph.names[i].empty() ? -1 : static_cast<int>(logs.names.size()));
    if (!graph.names[i].empty()) logs.names.push_back(prefix_ + graph.names[i]);
  }
  parts_ = graph.parts;
  for (const auto& [name, evidence] : graph.evidence) {
    added_.push_back({next++, logs.names.size(), evidence.make()});
    for (const std::string& suffix : added_.back().sums->suffixes())
      logs.names.push_back(prefix_ + name + suffix);
  }
  logs.values.resize(logs.names.size());
  sums_.resize(graph.names.size());
  weights_.resize(graph.names.size());
}

void Means::reset() {
  std::fill(sums_.begin(), sums_.end(), 0.0);
  std::fill(weights_.begin(), weights_.end(), 0.0);
  for (const Added& one : added_) one.sums->reset();
  seen_ = 0, due_ = 1;
}

void Means::show_means() {
  const auto mean = [&](size_t i) { return weights_[i] > 0 ? sums_[i] / weights_[i] : 0; };
  for (size_t i = 0; i < sums_.size(); ++i)
    if (shown_[i] >= 0) logs.values[static_cast<size_t>(shown_[i])] = mean(i);
  if (parts_.empty()) return;
  double total = 0;
  for (const auto& [part, weight] : parts_) total += weight * mean(part + 1);
  logs.values[0] = total;
}

void Means::add(const Executor& executor, i64 rows) {
  const auto number = [&](int output) {
    return static_cast<double>(*static_cast<const float*>(executor.output(output)));
  };
  for (size_t i = 0; i < sums_.size(); ++i) {
    const double weight = counts_[i] < 0 ? static_cast<double>(rows) : number(counts_[i]);
    sums_[i] += number(static_cast<int>(i)) * weight;
    weights_[i] += weight;
  }
  show_means();
  seen_ += static_cast<double>(rows);
  add_evidence(executor);
}

void Means::add_evidence(const Executor& executor) {
  const bool due = seen_ >= due_;
  if (due) due_ = 2 * seen_;
  const Graph& graph = executor.plan().graph;
  for (const Added& one : added_) {
    const Shape& shape = graph.value(graph.outputs[static_cast<size_t>(one.output)]).type.shape;
    one.sums->add(static_cast<const float*>(executor.output(one.output)),
                  shape.elements() / shape[-1]);
    if (due || !one.sums->slow()) one.sums->finish(&logs.values[one.first]);
  }
}

void Means::finish() {
  for (const Added& one : added_) one.sums->finish(&logs.values[one.first]);
}

std::vector<double> Means::state() const {
  std::vector<double> all = sums_;
  all.insert(all.end(), weights_.begin(), weights_.end());
  all.insert(all.end(), logs.values.begin(), logs.values.end());
  all.insert(all.end(), {seen_, due_});
  for (const Added& one : added_) {
    const auto own = one.sums->state();
    all.push_back(static_cast<double>(own.size()));
    all.insert(all.end(), own.begin(), own.end());
  }
  return all;
}

void Means::restore(const std::vector<double>& state) {
  size_t at = 0;
  const auto need = [](bool good) {
    if (!good)
      throw_graph({.what = "the checkpoint has numbers of other metrics; expected the model's own",
                   .hint = "resume with the program that began the run, or name another folder"});
  };
  const auto take = [&](size_t count) {
    need(count <= state.size() - at);
    at += count;
    return state.begin() + static_cast<i64>(at - count);
  };
  for (std::vector<double>* part : {&sums_, &weights_, &logs.values})
    std::copy_n(take(part->size()), part->size(), part->begin());
  seen_ = *take(1), due_ = *take(1);
  for (const Added& one : added_) {
    const double count = *take(1);
    need(count >= 0 && count <= static_cast<double>(state.size()));
    const auto first = take(static_cast<size_t>(count));
    one.sums->restore({first, first + static_cast<i64>(count)});
  }
  need(at == state.size());
}

void Means::show(const char* name, double value) {
  logs.names.emplace_back(name);
  logs.values.push_back(value);
}

Pass::Pass(ModelImpl& model, const Dataset& data, const Options& options, const char* caller,
           Site site)
    : means(options.prefix),
      model_(model),
      mode_(options.mode),
      accumulate_(options.accumulate),
      where_(call_site(caller, site)),
      data_(*options.prefix == '\0' ? "the data" : "the validation data"),
      binding_(bound(model, data, options, caller, site)),
      loader_(data, options.batch, options.shuffle, options.seed, binding_.feeds) {
  const i64 batch = loader_.batch_size();
  for (const DatasetImpl* part : data.impl()->parts()) {
    const auto lease = [&](Mode one, i64 rows) {
      return std::make_unique<ExecutorLease>(model, binding_.spec(model, *part, one, rows));
    };
    const bool several = data.impl()->parts().size() > 1;
    const PassSteps steps =
        pass_steps(part->size(), batch, options.mode, options.accumulate, several);
    mode_ = steps.mode;
    Part made{.rest = steps.rest};
    if (steps.adds) made.add = lease(Mode::add, batch);
    if (steps.adds_rest) made.add_last = lease(Mode::add, steps.rest);
    if (steps.full) made.full = lease(mode_, batch);
    if (steps.rest > 0) made.last = lease(mode_, steps.rest);
    parts_.push_back(std::move(made));
  }
  means.name(*(parts_[0].full ? parts_[0].full : parts_[0].last)->graph());
  rate_logged_ = trains(options.mode) && !model.optimizer.schedule.constant();
  if (rate_logged_) means.show("learning_rate", model.learning_rate());
}

Binding Pass::bound(ModelImpl& model, const Dataset& data, const Options& options,
                    const char* caller, Site site) {
  Binding binding = bind(model, data, caller, site);
  if (!options.in_place) return binding;
  const std::lock_guard lock(model.mutex);
  binding.leave_in_place(model, *data.impl(), options.mode, options.batch);
  return binding;
}

void Pass::start(i64 epoch, i64 step) {
  loader_.start_epoch(epoch, step);
  means.reset();
  step_ = step;
}

ExecutorLease& Pass::lease(bool updates) {
  Part& part = parts_[static_cast<size_t>(loader_.part(step_))];
  const bool last = part.rest > 0 && loader_.rows(step_) == part.rest;
  if (mode_ == Mode::add_and_update && !updates) return last ? *part.add_last : *part.add;
  return last ? *part.last : *part.full;
}

i64 Pass::step() {
  const bool updates = trains(mode_) && ends_group();
  ExecutorLease& lease = this->lease(updates);
  const i64 rows = loader_.next(lease.memory(), &crew_);
  begin_step(model_, lease->scalars());
  if (mode_ == Mode::add_and_update) place_in_group(lease->scalars(), rows);
  const double rate = lease->scalars().learning_rate;
  {
    // For the step alone: a callback between two steps may predict, evaluate or set the threads.
    const std::lock_guard lock(worker_mutex());
    if (trains(mode_) && model_.profile && model_.profile->wants(*lease))
      model_.profile->run(*lease);
    else
      lease->run(worker_pool());
  }
  if (updates && model_.trained_plan != lease->shared_plan())
    model_.trained_plan = lease->shared_plan();
  if (lease->scalars().code != status_ok)
    diagnose({model_, lease, where_, data_, [this](i64 row) { return loader_.sample(step_, row); },
              trains(mode_)});
  if (updates) ++model_.step;
  means.add(*lease, rows);
  if (rate_logged_) means.logs.values.back() = rate;
  ++step_;
  return rows;
}

void WorkerCrew::run(void (*part)(const void* work, i64 index, i64 parts), const void* work) {
  const std::lock_guard lock(worker_mutex());
  WorkerPool& pool = worker_pool();
  const i64 parts = pool.workers();
  if (pool_ != pool.id()) {
    const auto call = [](const void* given, i64 begin, i64, void*) noexcept {
      const Task& task = *static_cast<const Task*>(given);
      task.part(task.work, begin, task.parts);
    };
    program_.workers.clear();
    for (i64 i = 0; i < parts; ++i) program_.workers.push_back({{call, &task_, i, i + 1}});
    pool_ = pool.id();
  }
  task_ = {part, work, parts};
  pool.run(program_);
}

void Pass::place_in_group(StepScalars& scalars, i64 rows) {
  const i64 first = step_ / accumulate_ * accumulate_;
  i64 before = 0, all = 0;
  for (i64 s = first; s < std::min(first + accumulate_, loader_.steps()); ++s) {
    if (s < step_) before += loader_.rows(s);
    all += loader_.rows(s);
  }
  scalars.share = static_cast<double>(rows) / static_cast<double>(all);
  scalars.adds = step_ > first;
  scalars.first_sample = before;
}

}  // namespace goneuron
