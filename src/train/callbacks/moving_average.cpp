// MovingAverage: validation is of the averaged weights.
#include "core/message.h"
#include "goneuron/callbacks.h"
#include "train/callbacks/monitor.h"
#include "train/model_impl.h"

namespace goneuron {

namespace {

class MovingAverageCallback : public CallbackBase {
 public:
  explicit MovingAverageCallback(Site site) : site_(site) {}

  void check(const TrainingState& state) const override {
    need_option(state.model->impl()->ema > 0, "MovingAverage", site_,
                "the model keeps no moving averages of its weights; expected some",
                "ask for them: compile(.., {.ema = 0.999})");
  }
  void on_test_begin(TrainingState& state) override { use(state, true); }
  void on_epoch_end(TrainingState& state) override { use(state, false); }
  void on_train_end(TrainingState& state) override { use(state, false); }

 private:
  static void use(const TrainingState& state, bool averaged) {
    Model model = *state.model;
    if (model.uses_averaged_weights() != averaged) model.use_averaged_weights(averaged);
  }
  Site site_;
};

}  // namespace

Callback MovingAverage(Site site) { return std::make_shared<MovingAverageCallback>(site); }

}  // namespace goneuron
