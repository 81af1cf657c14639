#include "cli/bench.h"

namespace goneuron::cli {

StepLoop training_steps(Model model, const Tensor& x, const Tensor& y) {
  return [model, x, y](i64 steps) mutable {
    for (i64 i = 0; i < steps; ++i) model.train_on_batch(x, y);
  };
}

StepLoop inference_steps(Model model, const Tensor& x) {
  return [model, x](i64 steps) {
    for (i64 i = 0; i < steps; ++i) model.predict(x);
  };
}

}  // namespace goneuron::cli
