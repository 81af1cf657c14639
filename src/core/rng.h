// Philox4x32-10 (Salmon et al., SC 2011): random numbers that are a function of key and counter
// alone, so that any worker can make any of them. Used by initialisers, dropout and shuffling.
#pragma once

#include <array>
#include <cstdint>

namespace goneuron {

using Philox4 = std::array<std::uint32_t, 4>;

/// Four random words for `counter` under `key`.
inline Philox4 philox(Philox4 counter, std::uint64_t key) {
  auto k0 = static_cast<std::uint32_t>(key), k1 = static_cast<std::uint32_t>(key >> 32);
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t p1 = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {
        static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ k0, static_cast<std::uint32_t>(p1),
        static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += 0x9E3779B9;
    k1 += 0xBB67AE85;
  }
  return counter;
}

/// The counter of element `index` (in groups of four) of `stream` at `step`.
inline Philox4 philox_at(std::uint64_t index, std::uint32_t stream, std::uint32_t step,
                         std::uint64_t key) {
  return philox(
      {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), stream, step},
      key);
}

/// In [0, 1), 24 bits.
inline float to_unit(std::uint32_t word) { return static_cast<float>(word >> 8) * 0x1p-24F; }

/// A sequence of words, for shuffling and initialisers.
class PhiloxStream {
 public:
  PhiloxStream(std::uint64_t key, std::uint32_t stream, std::uint32_t step = 0)
      : key_(key), stream_(stream), step_(step) {}
  std::uint32_t next() {
    if (used_ == 4) {
      words_ = philox_at(index_++, stream_, step_, key_);
      used_ = 0;
    }
    return words_[used_++];
  }
  /// Unbiased in [0, bound), bound > 0 (Lemire 2019).
  std::uint32_t below(std::uint32_t bound) {
    std::uint64_t product = std::uint64_t{next()} * bound;
    auto low = static_cast<std::uint32_t>(product);
    if (low < bound) {
      const std::uint32_t threshold = -bound % bound;
      while (low < threshold) {
        product = std::uint64_t{next()} * bound;
        low = static_cast<std::uint32_t>(product);
      }
    }
    return static_cast<std::uint32_t>(product >> 32);
  }

 private:
  std::uint64_t key_, index_ = 0;
  std::uint32_t stream_, step_;
  Philox4 words_{};
  unsigned used_ = 4;
};

}  // namespace goneuron
