// EarlyStopping: ends training once a number has stopped improving; restores the best weights.
#include <cmath>
#include <cstdio>
#include <cstring>
#include <memory>

#include "core/message.h"
#include "goneuron/callbacks.h"
#include "goneuron/model.h"
#include "train/callbacks/monitor.h"

namespace goneuron {

namespace {

constexpr const char* kind = "EarlyStopping";

class EarlyStoppingCallback : public CallbackBase {
 public:
  EarlyStoppingCallback(const EarlyStoppingOptions& options, Site site)
      : options_(options), monitor_(kind, options.monitor, options.mode, options.min_delta, site) {}

  void check(const TrainingState& state) const override { monitor_.check(state); }
  void on_train_begin(TrainingState&) override {
    monitor_.best = monitor_.worst();
    wait_ = 0, best_epoch_ = stopped_epoch_ = -1;
    best_.clear();
  }

  void on_epoch_end(TrainingState& state) override {
    const double value = monitor_.value(state);
    if (state.epoch < options_.start_from_epoch) return;
    // Without any better one, those of the first epoch that counts.
    if (options_.restore_best_weights && best_epoch_ < 0) keep_weights(state);
    ++wait_;
    if (monitor_.improves(value, monitor_.best)) {
      monitor_.best = value;
      keep_weights(state);
      // Better than before, but is it good enough to wait on?
      if (!options_.baseline || monitor_.improves(value, *options_.baseline)) wait_ = 0;
    }
    if (wait_ == 0 || wait_ < options_.patience || state.epoch == 0) return;
    stopped_epoch_ = state.epoch;
    state.stop = true;
  }

  void on_train_end(TrainingState& state) override {
    if (stopped_epoch_ >= 0 && options_.verbose)
      std::printf("EarlyStopping: %s did not improve for %lld epochs; stopped after epoch %lld\n",
                  monitor_.name().c_str(), static_cast<long long>(wait_),
                  static_cast<long long>(stopped_epoch_ + 1));
    if (!options_.restore_best_weights || best_.empty()) return;
    const auto weights = state.model->weights();
    for (size_t i = 0; i < weights.size(); ++i) {
      Tensor value = weights[i].value;  // shares the model's memory
      std::memcpy(value.raw(), best_[i].raw(), static_cast<size_t>(value.bytes()));
    }
    if (options_.verbose)
      std::printf("EarlyStopping: the weights are those of epoch %lld, the best one\n",
                  static_cast<long long>(best_epoch_ + 1));
  }

  void save(CallbackState& state) const override {
    state.numbers = {{"best", monitor_.best},
                     {"wait", static_cast<double>(wait_)},
                     {"best_epoch", static_cast<double>(best_epoch_)},
                     {"weights", static_cast<double>(best_.size())}};
    for (size_t i = 0; i < best_.size(); ++i)
      state.tensors.emplace_back("weight/" + std::to_string(i), best_[i]);
  }

  void load(const CallbackState& state) override {
    monitor_.best = number_in(state, kind, "best");
    wait_ = static_cast<i64>(number_in(state, kind, "wait"));
    best_epoch_ = static_cast<i64>(number_in(state, kind, "best_epoch"));
    best_.clear();
    for (const auto& [name, tensor] : state.tensors) best_.push_back(tensor.clone());
    if (number_in(state, kind, "weights") != static_cast<double>(best_.size()))
      throw_data({.where = kind,
                  .what = "the checkpoint has " +
                          counted(static_cast<i64>(best_.size()), "tensor") +
                          " of its best weights; expected all",
                  .hint = "the file is not whole: resume from another checkpoint"});
  }

 private:
  void keep_weights(const TrainingState& state) {
    best_epoch_ = state.epoch;
    if (!options_.restore_best_weights) return;
    const auto weights = state.model->weights();
    best_.resize(weights.size());
    for (size_t i = 0; i < weights.size(); ++i)
      if (best_[i].empty())
        best_[i] = weights[i].value.clone();
      else
        std::memcpy(best_[i].raw(), weights[i].value.raw(), static_cast<size_t>(best_[i].bytes()));
  }

  EarlyStoppingOptions options_;
  Monitor monitor_;
  i64 wait_ = 0, best_epoch_ = -1, stopped_epoch_ = -1;
  std::vector<Tensor> best_;  // in the order of Model::weights()
};

}  // namespace

Callback EarlyStopping(const EarlyStoppingOptions& options, Site site) {
  need_option(options.patience >= 0, kind, site,
              "a patience of " + std::to_string(options.patience) + "; expected 0 or more",
              "it is the number of epochs to wait for an improvement");
  need_option(
      options.start_from_epoch >= 0, kind, site,
      "a start_from_epoch of " + std::to_string(options.start_from_epoch) + "; expected 0 or more",
      "epochs count from 0; the ones before it are not looked at");
  need_option(!options.baseline || std::isfinite(*options.baseline), kind, site,
              "a baseline of " + number_text(options.baseline.value_or(0)) + "; expected a number",
              "leave it out when there is none");
  return std::make_shared<EarlyStoppingCallback>(options, site);
}

}  // namespace goneuron
