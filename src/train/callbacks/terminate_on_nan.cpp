// TerminateOnNaN: a loss that is not finite ends training instead of throwing.
#include <cstdio>
#include <memory>

#include "goneuron/callbacks.h"

namespace goneuron {

namespace {

class TerminateOnNaNCallback : public CallbackBase {
 public:
  bool on_not_finite(TrainingState& state, const std::string& what) override {
    std::fflush(stdout);
    std::fprintf(stderr, "TerminateOnNaN: training ends at step %lld of epoch %lld\n%s\n",
                 static_cast<long long>(state.step + 1), static_cast<long long>(state.epoch + 1),
                 what.c_str());
    return true;
  }
};

}  // namespace

Callback TerminateOnNaN(Site) { return std::make_shared<TerminateOnNaNCallback>(); }

}  // namespace goneuron
