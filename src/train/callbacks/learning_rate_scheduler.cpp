// LearningRateScheduler: the rate of each epoch from a function.
#include <memory>
#include <utility>

#include "goneuron/callbacks.h"
#include "train/callbacks/monitor.h"

namespace goneuron {

namespace {

constexpr const char* kind = "LearningRateScheduler";

class Scheduler : public CallbackBase {
 public:
  Scheduler(Callable<double(i64, double)> schedule, Site site)
      : schedule_(std::move(schedule)), site_(site) {}
  void check(const TrainingState& state) const override { need_constant_rate(kind, state, site_); }
  void on_epoch_begin(TrainingState& state) override {
    state.learning_rate = schedule_(state.epoch, state.learning_rate);
  }

 private:
  Callable<double(i64, double)> schedule_;
  Site site_;
};

}  // namespace

Callback LearningRateScheduler(Callable<double(i64, double)> schedule, Site site) {
  need_option(static_cast<bool>(schedule), kind, site,
              "the function is empty; expected one of the epoch and the rate",
              "[](i64 epoch, double rate) { return epoch < 10 ? rate : rate * 0.9; }");
  return std::make_shared<Scheduler>(std::move(schedule), site);
}

}  // namespace goneuron
