// ReduceLROnPlateau: lowers the learning rate once a number has stopped improving.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <memory>

#include "core/message.h"
#include "goneuron/callbacks.h"
#include "train/callbacks/monitor.h"

namespace goneuron {

namespace {

constexpr const char* kind = "ReduceLROnPlateau";

class ReduceLROnPlateauCallback : public CallbackBase {
 public:
  ReduceLROnPlateauCallback(const ReduceLROnPlateauOptions& options, Site site)
      : options_(options),
        monitor_(kind, options.monitor, options.mode, options.min_delta, site),
        site_(site) {}

  void check(const TrainingState& state) const override {
    need_constant_rate(kind, state, site_);
    monitor_.check(state);
  }
  void on_train_begin(TrainingState&) override {
    monitor_.best = monitor_.worst();
    wait_ = cooldown_ = 0;
  }

  void on_epoch_end(TrainingState& state) override {
    const double value = monitor_.value(state);
    if (cooldown_ > 0) {
      --cooldown_;
      wait_ = 0;
    }
    if (monitor_.improves(value, monitor_.best)) {
      monitor_.best = value;
      wait_ = 0;
      return;
    }
    if (cooldown_ > 0 || ++wait_ < options_.patience) return;
    if (state.learning_rate <= options_.min_lr) return;
    state.learning_rate = std::max(state.learning_rate * options_.factor, options_.min_lr);
    cooldown_ = options_.cooldown;
    wait_ = 0;
    if (options_.verbose)
      std::printf("ReduceLROnPlateau: the learning rate is %g after epoch %lld\n",
                  state.learning_rate, static_cast<long long>(state.epoch + 1));
  }

  void save(CallbackState& state) const override {
    state.numbers = {{"best", monitor_.best},
                     {"wait", static_cast<double>(wait_)},
                     {"cooldown", static_cast<double>(cooldown_)}};
  }
  void load(const CallbackState& state) override {
    monitor_.best = number_in(state, kind, "best");
    wait_ = static_cast<i64>(number_in(state, kind, "wait"));
    cooldown_ = static_cast<i64>(number_in(state, kind, "cooldown"));
  }

 private:
  ReduceLROnPlateauOptions options_;
  Monitor monitor_;
  Site site_;
  i64 wait_ = 0, cooldown_ = 0;
};

}  // namespace

Callback ReduceLROnPlateau(const ReduceLROnPlateauOptions& options, Site site) {
  need_option(options.factor > 0 && options.factor < 1, kind, site,
              "a factor of " + number_text(options.factor) + "; expected above 0 and below 1",
              "the rate is multiplied by it: 0.1 and 0.5 are usual");
  need_option(options.patience >= 0, kind, site,
              "a patience of " + std::to_string(options.patience) + "; expected 0 or more",
              "it is the number of epochs to wait for an improvement");
  need_option(options.cooldown >= 0, kind, site,
              "a cooldown of " + std::to_string(options.cooldown) + "; expected 0 or more",
              "it is the number of epochs after a reduction that do not count");
  need_option(options.min_lr >= 0 && std::isfinite(options.min_lr), kind, site,
              "a min_lr of " + number_text(options.min_lr) + "; expected 0 or more",
              "the rate never falls below it");
  return std::make_shared<ReduceLROnPlateauCallback>(options, site);
}

}  // namespace goneuron
