// LambdaCallback: a function for each hook.
#include <memory>

#include "goneuron/callbacks.h"
#include "train/callbacks/monitor.h"

namespace goneuron {

namespace {

class Lambdas : public CallbackBase {
 public:
  explicit Lambdas(const LambdaCallbackOptions& hooks) : hooks_(hooks) {}
  void on_train_begin(TrainingState& state) override { call(hooks_.on_train_begin, state); }
  void on_train_end(TrainingState& state) override { call(hooks_.on_train_end, state); }
  void on_epoch_begin(TrainingState& state) override { call(hooks_.on_epoch_begin, state); }
  void on_epoch_end(TrainingState& state) override { call(hooks_.on_epoch_end, state); }
  void on_step_end(TrainingState& state) override { call(hooks_.on_step_end, state); }
  void on_test_begin(TrainingState& state) override { call(hooks_.on_test_begin, state); }
  void on_test_end(TrainingState& state) override { call(hooks_.on_test_end, state); }

 private:
  static void call(const Callable<void(TrainingState&)>& hook, TrainingState& state) {
    if (hook) hook(state);
  }
  LambdaCallbackOptions hooks_;
};

}  // namespace

Callback LambdaCallback(const LambdaCallbackOptions& h, Site site) {
  need_option(h.on_train_begin || h.on_train_end || h.on_epoch_begin || h.on_epoch_end ||
                  h.on_step_end || h.on_test_begin || h.on_test_end,
              "LambdaCallback", site, "no hook has a function; expected one at least",
              "give {.on_epoch_end = [](TrainingState& state) { .. }}");
  return std::make_shared<Lambdas>(h);
}

}  // namespace goneuron
