// What multiplies numbers of bf16 on this processor. Used where products, convolutions and
// attention look for their kernels in bf16.
#pragma once

namespace goneuron::cpu {

/// floats: rounded operands multiplied as floats, anywhere. pairs: AVX512_BF16, whose VDPBF16PS
/// multiplies and adds two at once. tiles: AMX, whose TDPBF16PS multiplies matrices of 16 x 32 and
/// 32 x 16.
enum class Bf16 { floats, pairs, tiles };

/// Whether the processor has the instructions, and the system lets them be used.
bool available(Bf16 way);

/// The way that is taken: the fastest one there is; tests try the others. Pairs are not taken on
/// Intel's processors since Sapphire Rapids, which begin one VDPBF16PS every other cycle and two
/// multiply-adds of floats in each (measured on Emerald Rapids; Cooper Lake, which has no tiles, is
/// taken to be fast).
Bf16& bf16_products();

}  // namespace goneuron::cpu
