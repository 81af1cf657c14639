// LearningRateScheduler: the rate of each epoch from a function.
#include <utility>

#include "goneuron/callbacks.h"
#include "train/callbacks/monitor.h"

namespace goneuron {

namespace {

class Scheduler : public CallbackBase {
 public:
  explicit Scheduler(std::function<double(i64, double)> schedule)
      : schedule_(std::move(schedule)) {}
  void on_epoch_begin(TrainingState& state) override {
    state.learning_rate = schedule_(state.epoch, state.learning_rate);
  }

 private:
  std::function<double(i64, double)> schedule_;
};

}  // namespace

Callback LearningRateScheduler(std::function<double(i64, double)> schedule, Site site) {
  need_option(static_cast<bool>(schedule), "LearningRateScheduler", site,
              "the function is empty; expected one of the epoch and the rate",
              "[](i64 epoch, double rate) { return epoch < 10 ? rate : rate * 0.9; }");
  return std::make_shared<Scheduler>(std::move(schedule));
}

}  // namespace goneuron
