#include "train/checkpoint/interrupt.h"

#include <csignal>

namespace goneuron {

namespace {
volatile std::sig_atomic_t interrupted = 0;
struct sigaction before {};
bool taken = false;

void handle(int) { interrupted = 1; }
}  // namespace

Interrupt::Interrupt() {
  struct sigaction mine {};
  mine.sa_handler = handle;
  mine.sa_flags = SA_RESETHAND | SA_RESTART;  // the second one does what it does by default
  sigemptyset(&mine.sa_mask);
  struct sigaction now {};
  sigaction(SIGINT, nullptr, &now);
  // A program that ignores the signal (nohup, a job in the background) goes on ignoring it.
  if (taken || now.sa_handler == SIG_IGN) return;
  interrupted = 0;
  installed_ = taken = sigaction(SIGINT, &mine, &before) == 0;
}

void Interrupt::restore() {
  if (!installed_) return;
  sigaction(SIGINT, &before, nullptr);
  installed_ = taken = false;
}

Interrupt::~Interrupt() { restore(); }

bool Interrupt::pending() const { return installed_ && interrupted != 0; }

void Interrupt::pass_on() {
  restore();
  interrupted = 0;
  raise(SIGINT);
}

}  // namespace goneuron
