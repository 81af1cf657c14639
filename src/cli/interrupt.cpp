#include "cli/interrupt.h"

#include <csignal>
#include <memory>

namespace goneuron::cli {
namespace {

volatile std::sig_atomic_t flag = 0;

void note(int signal) {
  flag = 1;
  std::signal(signal, SIG_DFL);  // the next one ends the program at once
}

void terminate(int signal) {
  std::signal(signal, SIG_DFL);
  std::raise(SIGINT);
}

class StopOnFlag : public CallbackBase {
 public:
  void on_step_end(TrainingState& state) override {
    if (flag != 0) state.stop = true;
  }
  void on_epoch_begin(TrainingState& state) override { on_step_end(state); }
};

}  // namespace

InterruptGuard::InterruptGuard() {
  flag = 0;
  std::signal(SIGINT, note);
  std::signal(SIGTERM, terminate);
}

InterruptGuard::~InterruptGuard() {
  std::signal(SIGINT, SIG_DFL);
  std::signal(SIGTERM, SIG_DFL);
}

Callback InterruptGuard::callback() { return std::make_shared<StopOnFlag>(); }

bool InterruptGuard::interrupted() { return flag != 0; }

}  // namespace goneuron::cli
