#include <memory>
#include <utility>

#include "core/message.h"
#include "goneuron/callback.h"

namespace goneuron {

namespace {

class LambdaCallback : public CallbackBase {
 public:
  explicit LambdaCallback(Callable<void(TrainingState&)> function)
      : function_(std::move(function)) {}
  void on_epoch_end(TrainingState& state) override { function_(state); }

 private:
  Callable<void(TrainingState&)> function_;
};

}  // namespace

Callback Lambda(Callable<void(TrainingState&)> function, Site site) {
  if (!function)
    throw_graph({user_place("Lambda", site),
                 "the function is empty",
                 {},
                 "pass a function of TrainingState&"});
  return std::make_shared<LambdaCallback>(std::move(function));
}

}  // namespace goneuron
