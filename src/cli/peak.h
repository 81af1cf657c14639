// The machine's peak: how many fused multiply-adds a second its cores do when nothing else limits
// them. Used by the bench.
#pragma once

namespace goneuron::cli {

/// f32 GFLOP/s of `threads` threads at once, an FMA counted as two; takes about a tenth of a
/// second.
double measured_peak_gflops(int threads);

}  // namespace goneuron::cli
