#include "train/fit_loop.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <typeinfo>

#include "core/message.h"
#include "data/fingerprint.h"
#include "io/json_text.h"
#include "train/diagnose.h"

namespace goneuron {

FitLoop::FitLoop(const Model& model, const FitParts& parts, const FitOptions& options, Site site)
    : model_(model),
      m_(*model.impl()),
      options_(options),
      site_(site),
      parts_(parts),
      train_(m_, parts_.train,
             {.batch = parts_.batch,
              .mode = Mode::train,
              .shuffle = options.shuffle,
              .seed = options.seed,
              .accumulate = options.accumulate,
              .in_place = true},
             "fit", site),
      logs_(train_.means.logs) {
  if (parts_.validation) {
    check_.emplace(
        m_, parts_.validation,
        Pass::Options{.batch = parts_.validation_batch, .prefix = "val_", .in_place = true}, "fit",
        site);
    const Logs& more = check_->means.logs;
    logs_.names.insert(logs_.names.end(), more.names.begin(), more.names.end());
    logs_.values.resize(logs_.names.size());
  }
  spare_.resize(static_cast<size_t>(options.epochs), logs_);
  history_.epochs.reserve(spare_.size());
  state_.epochs = options.epochs;
  state_.steps = train_.steps();
  state_.batch_size = parts_.batch;
  state_.logs = &train_.means.logs;
  state_.model = &model_;
  state_.data = &parts_.train;
  state_.validation = parts_.validation ? &parts_.validation : nullptr;
  state_.history = &history_;
  state_.learning_rate = m_.learning_rate();
  if (m_.optimizer.schedule.constant()) given_rate_ = m_.given_rate;
  check_callbacks();
}

void FitLoop::check_callbacks() const {
  const UserCode callbacks;
  for (const Callback& callback : options_.callbacks)
    if (callback) callback->check(state_);
}

History FitLoop::run() {
  const struct Fitting {
    explicit Fitting(bool& fitting) : fitting(fitting) { fitting = true; }
    ~Fitting() { fitting = false; }
    bool& fitting;
  } now(m_.fitting);
  open_checkpoints();
  std::optional<Checkpoint> begin = folder_ ? folder_->newest() : std::nullopt;
  if (begin) go_on_from(*begin);
  state_.resumed = begin.has_value();
  m_.profile.reset();  // of a training that ended early
  call(&CallbackBase::on_train_begin);
  if (begin) {
    if (first_step_ > 0) call(&CallbackBase::on_epoch_begin);
    // Whatever the hooks did is done over by what the run remembers.
    restore_run(*begin);
    load_callbacks(begin->position);
    state_.stop = begin->position.ended;
    begin.reset();
  }
  written_ = Clock::now();
  while (state_.epoch < options_.epochs && !state_.stop) {
    begin_epoch();
    if (state_.stop && state_.step == 0) break;  // an epoch without a step has no numbers
    if (!train_epoch()) break;
    if (state_.samples == 0) break;  // its first step was not finite
    state_.step_seconds = seconds();
    validate();
    end_epoch();
    if (folder_ && interrupted()) break;
  }
  state_.epoch = std::max<i64>(0, state_.epoch - 1);  // the last one
  call(&CallbackBase::on_train_end);
  if (folder_) folder_->finish();
  return std::move(history_);
}

void FitLoop::call(Hook hook) {
  const UserCode callbacks;
  for (const Callback& callback : options_.callbacks) {
    if (!callback) continue;
    // A hook may set the rate in the state or on the model.
    const double before = state_.learning_rate = m_.learning_rate();
    ((*callback).*hook)(state_);
    if (state_.learning_rate == before) continue;  // a schedule's may be 0
    if (!(state_.learning_rate > 0) || !std::isfinite(state_.learning_rate))
      throw_graph({.where = call_site("fit", site_),
                   .what = "a callback set the learning rate to " +
                           number_text(state_.learning_rate) + "; expected a number above 0",
                   .hint = "multiply it by a factor, e.g. 0.9, to let it fall"});
    m_.set_learning_rate(state_.learning_rate, "fit", site_);
  }
}

void FitLoop::begin_epoch() {
  state_.step = first_step_;
  if (first_step_ == 0) {
    state_.samples = 0;
    state_.seconds = 0;
    train_.start(m_.epoch);
  }
  state_.logs = &train_.means.logs;
  state_.waited = 0;
  epoch_begin_ = Clock::now() - std::chrono::duration_cast<Clock::duration>(
                                    std::chrono::duration<double>(state_.seconds));
  if (first_step_ == 0) call(&CallbackBase::on_epoch_begin);
}

/// False when the program is to end: the checkpoint of the last step has been written.
bool FitLoop::train_epoch() {
  for (i64 s = std::exchange(first_step_, 0); s < train_.steps() && !state_.stop; ++s) {
    state_.step = s;
    if (!step()) return true;
    if (!options_.callbacks.empty()) {
      state_.seconds = state_.step_seconds = seconds();
      call(&CallbackBase::on_step_end);
    }
    if (!folder_) continue;
    if (interrupted()) return false;
    if (checkpoint_due()) write_checkpoint(false);
  }
  return true;
}

/// False when the loss is not finite and a callback would rather end than see it thrown.
bool FitLoop::step() {
  try {
    state_.samples += train_.step();
    state_.waited = train_.waited();
    return true;
  } catch (const NotFinite& error) {
    const UserCode callbacks;
    for (const Callback& callback : options_.callbacks)
      if (callback && callback->on_not_finite(state_, error.what())) state_.stop = true;
    if (!state_.stop) throw;
    return false;
  }
}

void FitLoop::validate() {
  train_.means.finish();
  std::copy(train_.means.logs.values.begin(), train_.means.logs.values.end(), logs_.values.begin());
  if (!check_) return;
  call(&CallbackBase::on_test_begin);
  check_->start(0);
  for (i64 s = 0; s < check_->steps(); ++s) check_->step();
  check_->means.finish();
  call(&CallbackBase::on_test_end);
  std::copy(check_->means.logs.values.begin(), check_->means.logs.values.end(),
            logs_.values.begin() + static_cast<i64>(train_.means.logs.values.size()));
}

void FitLoop::end_epoch() {
  ++m_.epoch;
  state_.seconds = seconds();
  state_.logs = &logs_;
  call(&CallbackBase::on_epoch_end);
  Logs& row = spare_[static_cast<size_t>(state_.epoch)];
  std::copy(logs_.values.begin(), logs_.values.end(), row.values.begin());
  history_.epochs.push_back(std::move(row));
  ++state_.epoch;
  state_.step = 0;
  if (folder_) write_checkpoint(state_.stop);
}

double FitLoop::seconds() const {
  return std::chrono::duration<double>(Clock::now() - epoch_begin_).count();
}

// --- checkpoints ---

void FitLoop::open_checkpoints() {
  backup_ = {options_.resume, {}, site_};
  for (const Callback& callback : options_.callbacks) {
    const BackupRequest* asked = callback ? callback->backup() : nullptr;
    if (asked == nullptr) continue;
    if (!backup_.folder.empty())
      throw_graph({.where = call_site("fit", site_),
                   .what = "two folders for checkpoints, " + shown(backup_.folder) + " and " +
                           shown(asked->folder) + "; expected one",
                   .hint = "pass .resume or one BackupAndRestore"});
    backup_ = *asked;
  }
  if (backup_.folder.empty()) return;
  run_ = {parts_.train.size(),  parts_.batch,  options_.accumulate,
          options_.shuffle,     options_.seed, fingerprint(*parts_.train.impl()),
          options_.class_weight};
  folder_.emplace(backup_, call_site("fit", site_));
  interrupt_.emplace();
}

void FitLoop::check_same_run(const RunPosition& position) const {
  const RunOptions& was = position.options;
  const auto differs = [&](const std::string& what) {
    throw_graph({.where = call_site("fit", site_),
                 .what = "the checkpoint was made with " + what,
                 .lines = {{"folder", backup_.folder}},
                 .hint = "resume with the options and the data that the run began with, or name "
                         "another folder"});
  };
  const auto check = [&](const char* what, const std::string& before, const std::string& now) {
    if (before != now)
      differs(std::string(what) + " " + before + "; expected the same, found " + now);
  };
  const auto number = [&](const char* what, auto before, auto now) {
    check(what, std::to_string(before), std::to_string(now));
  };
  number("samples:", was.samples, run_.samples);
  number("batch_size", was.batch, run_.batch);
  number("accumulate", was.accumulate, run_.accumulate);
  number("seed", was.seed, run_.seed);
  check("shuffle", was.shuffle ? "true" : "false", run_.shuffle ? "true" : "false");
  if (was.data && was.data != run_.data)
    differs("as many samples, but other ones; expected the same shapes and values");
  if (was.class_weight && was.class_weight != run_.class_weight)
    differs("another class_weight; expected the same numbers");
  check("the logs", quoted_list(position.names), quoted_list(logs_.names));
}

/// As in the checkpoint, where the program gives the rate that it gave then.
void FitLoop::restore_run(const Checkpoint& checkpoint) {
  const bool another = checkpoint.position.rate != 0 && checkpoint.position.rate != given_rate_;
  restore(m_, checkpoint, call_site("fit", site_), !another);
}

void FitLoop::go_on_from(const Checkpoint& checkpoint) {
  const RunPosition& p = checkpoint.position;
  check_same_run(p);
  restore_run(checkpoint);
  state_.learning_rate = m_.learning_rate();
  state_.epoch = p.epoch;
  state_.step = first_step_ = p.step;
  state_.samples = p.samples_seen;
  state_.seconds = p.seconds;
  for (const auto& values : p.rows) history_.epochs.push_back({p.names, values});
  if (first_step_ == 0) return;
  train_.start(m_.epoch, first_step_);
  train_.means.restore(p.means);
}

void FitLoop::load_callbacks(const RunPosition& position) {
  // A callback takes what the next one of its class left: others may have come or gone.
  std::vector<bool> used(position.callbacks.size());
  for (const Callback& callback : options_.callbacks) {
    if (!callback) continue;
    const CallbackBase& it = *callback;
    for (size_t i = 0; i < used.size(); ++i) {
      if (used[i] || position.callbacks[i].type != typeid(it).name()) continue;
      used[i] = true;
      const UserCode code;
      callback->load(position.callbacks[i].state);
      break;
    }
  }
}

bool FitLoop::interrupted() {
  if (!interrupt_->pending()) return false;
  std::string place = "after epoch " + std::to_string(state_.epoch);
  if (inside_epoch()) {  // at an epoch's end there is a checkpoint already
    write_checkpoint(false);
    place = "in epoch " + std::to_string(state_.epoch + 1) + " after step " +
            std::to_string(state_.step + 1) + " of " + std::to_string(state_.steps);
  }
  folder_->finish();
  std::fprintf(stderr, "\n%s: interrupted %s; %s holds all of it: run the program again to go on\n",
               call_site("fit", site_).c_str(), place.c_str(), folder_->last_path().c_str());
  interrupt_->pass_on();
  return true;
}

bool FitLoop::checkpoint_due() const {
  const BackupOptions& o = backup_.options;
  if (o.every_steps > 0 && (state_.step + 1) % o.every_steps == 0) return true;
  return o.every_seconds > 0 &&
         Clock::now() - written_ >= std::chrono::duration<double>(o.every_seconds);
}

void FitLoop::write_checkpoint(bool ended) {
  folder_->write(m_, position(ended));
  written_ = Clock::now();
}

RunPosition FitLoop::position(bool ended) const {
  RunPosition p;
  p.options = run_;
  p.rate = given_rate_;
  p.epoch = state_.epoch;
  if (inside_epoch()) {
    p.step = state_.step + 1;
    p.samples_seen = state_.samples;
    p.seconds = seconds();
    p.means = train_.means.state();
  }
  p.ended = ended;
  p.names = logs_.names;
  for (const Logs& row : history_.epochs) p.rows.push_back(row.values);
  for (const Callback& callback : options_.callbacks) {
    if (!callback) continue;
    const CallbackBase& it = *callback;
    p.callbacks.push_back({typeid(it).name(), {}});
    const UserCode code;
    callback->save(p.callbacks.back().state);
  }
  return p;
}

}  // namespace goneuron
