// Interrupt: while it lives, the first SIGINT (Ctrl-C) is only remembered; a second one ends the
// process as it always would. Used by fit() where there are checkpoints.
#pragma once

namespace goneuron {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;
  bool pending() const;
  /// Does what the signal would have done without this: ends the process, or calls the program's
  /// own handler, after which it returns.
  void pass_on();

 private:
  void restore();
  bool installed_ = false;  // by this one; a fit() inside another one's callback leaves it to that
};

}  // namespace goneuron
