// FlushDenormals: while one lives, its thread takes numbers too small for a full mantissa as 0.
// Such numbers appear when training has converged (a moving average that decays), and cost a
// hundred times more than others. Used by WorkerPool for every worker, so that results stay the
// same whoever computes them.
#pragma once

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

namespace goneuron {

class FlushDenormals {
 public:
#if defined(__x86_64__)
  FlushDenormals() : before_(_mm_getcsr()) {
    _mm_setcsr(before_ | flush_to_zero | denormals_are_zero);
  }
  ~FlushDenormals() { _mm_setcsr(before_); }

 private:
  static constexpr unsigned flush_to_zero = 0x8000, denormals_are_zero = 0x0040;
  unsigned before_;
#else
  FlushDenormals() {}
  ~FlushDenormals() {}
#endif
 public:
  FlushDenormals(const FlushDenormals&) = delete;
  FlushDenormals& operator=(const FlushDenormals&) = delete;
};

}  // namespace goneuron
