#include "data/csv_scan.h"

#include <bit>
#include <cstring>

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "data/csv_scan.cpp"
#include <hwy/foreach_target.h>
// foreach_target.h comes first
#include <hwy/highway.h>

HWY_BEFORE_NAMESPACE();
namespace goneuron::data::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;
using Bits = std::uint64_t;

/// Bit i stands for byte i of a stretch.
struct Masks {
  Bits quote, delimiter, lf, cr, nul;
};

Masks masks_of(const std::uint8_t* at, char delimiter, char quote) {
  const hn::CappedTag<std::uint8_t, 64> d;
  constexpr size_t lanes = HWY_MIN(HWY_LANES(std::uint8_t), 64);
  alignas(8) std::uint8_t bits[5][8];
  const auto set = [d](char c) { return hn::Set(d, static_cast<std::uint8_t>(c)); };
  const auto q = set(quote), s = set(delimiter), lf = set('\n'), cr = set('\r'), nul = hn::Zero(d);
  for (size_t i = 0; i < 64; i += lanes) {
    const auto v = hn::LoadU(d, at + i);
    hn::StoreMaskBits(d, hn::Eq(v, q), bits[0] + i / 8);
    hn::StoreMaskBits(d, hn::Eq(v, s), bits[1] + i / 8);
    hn::StoreMaskBits(d, hn::Eq(v, lf), bits[2] + i / 8);
    hn::StoreMaskBits(d, hn::Eq(v, cr), bits[3] + i / 8);
    hn::StoreMaskBits(d, hn::Eq(v, nul), bits[4] + i / 8);
  }
  Masks m;
  std::memcpy(&m.quote, bits[0], 8);
  std::memcpy(&m.delimiter, bits[1], 8);
  std::memcpy(&m.lf, bits[2], 8);
  std::memcpy(&m.cr, bits[3], 8);
  std::memcpy(&m.nul, bits[4], 8);
  return m;
}

/// Bit i: an odd number of bits is set at or below it.
inline Bits prefix_xor(Bits x) {
  for (int step = 1; step < 64; step *= 2) x ^= x << step;
  return x;
}

/// The bits' places, eight at a time without a branch: what is written beyond them is overwritten.
inline void append_places(Bits bits, std::uint32_t base, std::uint32_t* out) {
  const int count = std::popcount(bits);
  for (int done = 0; done < count; done += 8)
    for (int i = 0; i < 8; ++i) {
      out[done + i] = base + static_cast<std::uint32_t>(std::countr_zero(bits));
      bits &= bits - 1;
    }
}

void set_fault(const Masks& m, Bits faults, Bits bare, Bits inside, std::uint32_t base,
               Scan& scan) {
  const int at = std::countr_zero(faults);
  const Bits bit = Bits{1} << at;
  scan.fault_at = base + static_cast<std::uint32_t>(at);
  scan.fault = (m.nul & bit) != 0    ? ScanFault::nul
               : (bare & bit) != 0   ? ScanFault::bare_cr
               : (inside & bit) != 0 ? ScanFault::quote_inside
                                     : ScanFault::after_quote;
}

void scan(const char* text, size_t begin, size_t stretches, char delimiter, char quote,
          ScanCarry& carry, Scan& scan) {
  for (size_t k = 0; k < stretches; ++k, begin += 64) {
    const auto base = static_cast<std::uint32_t>(begin);
    Masks m = masks_of(reinterpret_cast<const std::uint8_t*>(text) + begin, delimiter, quote);
    Bits in_quote = 0, open = 0, close = 0;
    scan.lines += std::popcount(m.lf);
    if ((m.quote | carry.in_quote) != 0) {
      in_quote = prefix_xor(m.quote) ^ carry.in_quote;
      open = m.quote & in_quote;
      close = m.quote & ~in_quote;
      m.delimiter &= ~in_quote, m.lf &= ~in_quote, m.cr &= ~in_quote;
      carry.in_quote = Bits{0} - (in_quote >> 63);
    }
    const Bits ends = m.delimiter | m.lf;
    const Bits after_end = ends << 1 | carry.after_end;
    const Bits after_close = close << 1 | carry.after_close;
    const Bits bare = (m.cr << 1 | carry.after_cr) & ~m.lf;
    // A quote that opens follows the end of a cell, or closed one: it is the second of a pair.
    const Bits inside = open & ~(after_end | after_close);
    const Bits faults = m.nul | bare | inside | (after_close & ~(ends | m.cr | m.quote));
    if (faults != 0) return set_fault(m, faults, bare, inside, base, scan);
    carry.after_end = ends >> 63;
    carry.after_close = close >> 63;
    carry.after_cr = m.cr >> 63;
    append_places(ends, base, scan.ends + scan.cells);
    for (Bits lf = m.lf; lf != 0; lf &= lf - 1)
      scan.row_ends[scan.rows++] = static_cast<std::uint32_t>(
          scan.cells + static_cast<size_t>(std::popcount(ends & (lf ^ (lf - 1)) >> 1)));
    scan.cells += static_cast<size_t>(std::popcount(ends));
  }
}

}  // namespace goneuron::data::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace goneuron::data {
HWY_EXPORT(scan);

void scan_csv(const char* text, size_t begin, size_t stretches, char delimiter, char quote,
              ScanCarry& carry, Scan& scan) {
  HWY_DYNAMIC_DISPATCH(scan)(text, begin, stretches, delimiter, quote, carry, scan);
}

}  // namespace goneuron::data
#endif
