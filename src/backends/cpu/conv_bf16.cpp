// Convolutions with operands of bf16: every band is copied and rounded, then the loops of floats
// run on it. Where an instruction multiplies pairs (AVX512_BF16: VDPBF16PS) the copy holds words of
// two neighbours of the depth, so that the loops see half as many steps, with tiles of its own.
#include <cstring>
#include <utility>

#include "backends/cpu/conv_loops.h"
#include "core/half.h"

#if defined(__x86_64__)
#include <hwy/base.h>
#if !defined(__clang__)  // GCC bug 105593: the intrinsics' own headers warn
#pragma GCC diagnostic ignored "-Wuninitialized"
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"
#endif
#include <immintrin.h>
#endif

namespace goneuron::cpu {
namespace {

/// The windows over a copy of a band: an image of its own without padding.
Windows over_copy(const Windows& s, i64 rows) {
  Windows copy = s;
  copy.h = s.padded_h(rows);
  copy.w = s.padded_w();
  copy.pixel = s.c;
  copy.top = copy.left = 0;
  copy.oh = rows;
  return copy;
}

void copy_band(const Windows& s, const float* x, const ConvPart& p, float* band) {
  const i64 floats = s.padded_h(p.rows) * s.padded_w() * s.c;
  for (i64 n = 0; n < p.images; ++n)
    copy_padded(s, x + (p.image + n) * s.h * s.w * s.pixel, p.row, p.rows, band + n * floats);
}

template <class Form>
void convolution(const Convolution& v, const ConvPart& part, float* band) {
  for_bands(v.windows, part, [&](const ConvPart& p) {
    Convolution copy = v;
    Windows& s = copy.windows;
    s = over_copy(v.windows, p.rows);
    copy_band(v.windows, v.x, p, band);
    Form::channels(band, p.images * s.h * s.w, s.c);
    s.c = s.pixel = Form::steps(s.c);
    copy.x = band;
    copy.tiles = Form::micros();
    const i64 at = p.image * v.y_image + p.row * v.y_row;
    copy.y += at;
    if (v.z) copy.z += at;
    if (p.images == 1) copy.y_image = p.rows * v.y_row;
    conv_kernels().convolution(copy, {0, p.images, 0, p.rows}, nullptr);
  });
}

template <class Form>
void weight_gradient(const WeightGradient& g, i64 image, i64 images, float* band) {
  const Windows& s = g.windows;
  float* dy = band + round_up(s.band_floats(), 16);
  float* rest = dy + round_up(s.band_images() * s.band_rows() * s.ow * g.columns, 16);
  WeightGradient copy = g;
  for_bands(s, {image, images, 0, s.oh}, [&](const ConvPart& p) {
    copy.windows = over_copy(s, p.rows);
    copy_band(s, g.x, p, band);
    Form::windows(band, p.images * copy.windows.h, copy.windows.w * s.c, s.stride_w * s.c);
    copy.windows.ow = Form::steps(s.ow);
    copy.windows.stride_w = Form::span * s.stride_w;
    for (i64 n = 0; n < p.images; ++n)
      for (i64 r = 0; r < p.rows; ++r)
        Form::rows(g.dy + ((p.image + n) * s.oh + p.row + r) * s.ow * g.dy_pixel, g.dy_pixel,
                   g.columns, s.ow, dy + (n * p.rows + r) * copy.windows.ow * g.columns);
    copy.x = band;
    copy.dy = dy;
    copy.dy_pixel = g.columns;
    copy.tiles = Form::outers();
    conv_kernels().weight_gradient(copy, 0, p.images, rest);
    copy.add = true;
  });
  if (!copy.add) conv_kernels().weight_gradient(g, image, 0, rest);  // zeros
}

template <class Form>
i64 pack(const Packing& p, float* to) {
  const i64 floats = conv_kernels().pack(p, to), taps = p.rows.count * p.columns.count,
            depth = p.transposed ? p.out : p.in, lanes = conv_kernels().lanes;
  const float* from = to;
  float* const begin = to;
  for (i64 columns = p.transposed ? p.in : p.out; from < begin + floats; columns -= 2 * lanes) {
    const i64 width = columns > lanes ? 2 * lanes : lanes;
    for (i64 t = 0; t < taps; ++t, from += depth * width, to += Form::steps(depth) * width)
      Form::rows(from, width, width, depth, to);
  }
  return to - begin;
}

/// Operands rounded to bf16 but kept as floats, for processors without products of bf16.
struct Rounded {
  static constexpr i64 span = 1;  // of the depth, in a step
  static i64 steps(i64 depth) { return depth; }
  static void rows(const float* from, i64 row, i64 count, i64 depth, float* to) {
    for (i64 i = 0; i < depth; ++i)
      for (i64 j = 0; j < count; ++j) to[i * count + j] = round_to_bf16(from[i * row + j]);
  }
  static void channels(float* x, i64 pixels, i64 c) { rows(x, c, c, pixels, x); }
  static void windows(float* x, i64 count, i64 row, i64 /*apart*/) { rows(x, row, row, count, x); }
  static ConvTiles<Seen> micros() { return nullptr; }
  static ConvTiles<Pixels> outers() { return nullptr; }
};

}  // namespace
}  // namespace goneuron::cpu

#if defined(__x86_64__)
// Highway has no target for this instruction in the version that we build with.
HWY_PUSH_ATTRIBUTES("fma,avx512f,avx512vl,avx512dq,avx512bw,avx512bf16")
namespace goneuron::cpu {
namespace {

constexpr i64 lanes = 16, max_mr = 12;

__m512bh as_pairs(__m512 bits) { return (__m512bh)bits; }

__mmask16 first_lanes(i64 count) {
  return static_cast<__mmask16>(count >= lanes ? 0xFFFF : (1U << std::max<i64>(count, 0)) - 1);
}

/// Words of (first[i], second[i]), rounded to nearest, ties to even.
__m512i pairs(__m512 first, __m512 second) {
  const __m512i a = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(first)),
                b = _mm512_cvtepu16_epi32((__m256i)_mm512_cvtneps_pbh(second));
  return _mm512_or_si512(a, _mm512_slli_epi32(b, 16));
}

/// What a register tile runs over: three loops, `across` between its rows.
struct Walk {
  i64 across, outer, outer_step, inner, inner_step, count, step;
};

template <i64 mr, i64 vectors>
void tile(const float* a, const Walk& at, const float* b, const float* from, i64 from_step,
          float* c, i64 c_step) {
  const i64 across = at.across;
  __m512 s0[mr], s1[mr];
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    s0[i] = _mm512_loadu_ps(from + i * from_step);
    if (vectors == 2) s1[i] = _mm512_loadu_ps(from + i * from_step + lanes);
  }
  for (i64 n = 0; n < at.outer; ++n)
    for (i64 r = 0; r < at.inner; ++r) {
      const float* x = a + n * at.outer_step + r * at.inner_step;
      // Four pointers reach all rows with the addressing modes that there are.
      const float* p[4] = {x, x + 3 * across, x + 6 * across, x + 9 * across};
      for (i64 k = 0; k < at.count; ++k, b += vectors * lanes) {
        const __m512bh b0 = as_pairs(_mm512_load_ps(b));
        const __m512bh b1 = vectors == 2 ? as_pairs(_mm512_load_ps(b + lanes)) : b0;
#pragma GCC unroll 12
        for (i64 i = 0; i < mr; ++i) {
          const __m512bh seen = as_pairs(_mm512_set1_ps(p[i / 3][i % 3 * across]));
          s0[i] = _mm512_dpbf16_ps(s0[i], seen, b0);
          if (vectors == 2) s1[i] = _mm512_dpbf16_ps(s1[i], seen, b1);
        }
#pragma GCC unroll 4
        for (i64 i = 0; i < 4; ++i) p[i] += at.step;
      }
    }
#pragma GCC unroll 12
  for (i64 i = 0; i < mr; ++i) {
    _mm512_storeu_ps(c + i * c_step, s0[i]);
    if (vectors == 2) _mm512_storeu_ps(c + i * c_step + lanes, s1[i]);
  }
}

template <i64 mr, i64 vectors>
void micro(const float* a, const Seen& s, const float* b, const float* from, i64 from_step,
           float* c, i64 c_step) {
  tile<mr, vectors>(a, {s.pixel, 1, 0, s.segs, s.seg, s.len, 1}, b, from, from_step, c, c_step);
}
template <i64 mr, i64 vectors>
void outer(const float* a, const Pixels& s, const float* b, const float* from, i64 from_step,
           float* c, i64 c_step) {
  tile<mr, vectors>(a, {1, s.images, s.image, s.rows, s.row, s.count, s.pixel}, b, from, from_step,
                    c, c_step);
}
template <size_t... kRow>
ConvTile<Seen> micro_of(i64 height, bool wide, std::index_sequence<kRow...>) {
  static constexpr ConvTile<Seen> table[2][max_mr] = {{micro<static_cast<i64>(kRow) + 1, 1>...},
                                                      {micro<static_cast<i64>(kRow) + 1, 2>...}};
  return table[wide][height - 1];
}
template <size_t... kRow>
ConvTile<Pixels> outer_of(i64 height, bool wide, std::index_sequence<kRow...>) {
  static constexpr ConvTile<Pixels> table[2][max_mr] = {{outer<static_cast<i64>(kRow) + 1, 1>...},
                                                        {outer<static_cast<i64>(kRow) + 1, 2>...}};
  return table[wide][height - 1];
}

ConvTile<Seen> find_micro(i64 height, bool wide) {
  return micro_of(height, wide, std::make_index_sequence<max_mr>());
}
ConvTile<Pixels> find_outer(i64 height, bool wide) {
  return outer_of(height, wide, std::make_index_sequence<max_mr>());
}

/// Words of pairs. All of these may write where they read: they never write ahead.
struct Pairs {
  static constexpr i64 span = 2;
  static i64 steps(i64 depth) { return (depth + 1) / 2; }
  /// Neighbouring rows in words; an odd last one with zeros.
  static void rows(const float* from, i64 row, i64 count, i64 depth, float* to) {
    for (i64 p = 0; p < depth; p += 2, to += count)
      for (i64 j = 0; j < count; j += lanes) {
        const __mmask16 here = first_lanes(count - j);
        const float* x = from + p * row + j;
        const __m512 a = _mm512_maskz_loadu_ps(here, x);
        const __m512 b = p + 1 < depth ? _mm512_maskz_loadu_ps(here, x + row) : _mm512_setzero_ps();
        _mm512_mask_storeu_epi32(to + j, here, pairs(a, b));
      }
  }
  /// Neighbouring channels in words.
  static void channels(float* x, i64 pixels, i64 c) {
    if (c % 2 == 0) {  // no seams between pixels
      c *= pixels;
      pixels = 1;
    }
    float* to = x;
    for (i64 i = 0; i < pixels; ++i, x += c, to += steps(c))
      for (i64 j = 0; j < c; j += 2 * lanes) {
        const __m512 lo = _mm512_maskz_loadu_ps(first_lanes(c - j), x + j),
                     hi = _mm512_maskz_loadu_ps(first_lanes(c - j - lanes), x + j + lanes);
        _mm512_mask_storeu_epi32(to + j / 2, first_lanes(steps(c - j)),
                                 (__m512i)_mm512_cvtne2ps_pbh(hi, lo));
      }
  }
  /// Every float of a row with the one that the next window sees.
  static void windows(float* x, i64 count, i64 row, i64 apart) {
    for (i64 i = 0; i < count; ++i, x += row)
      for (i64 j = 0; j < row; j += lanes) {
        const __mmask16 here = first_lanes(row - j), there = first_lanes(row - j - apart);
        const __m512 a = _mm512_maskz_loadu_ps(here, x + j),
                     b = _mm512_maskz_loadu_ps(there, x + j + apart);
        _mm512_mask_storeu_epi32(x + j, here, pairs(a, b));
      }
  }
  static ConvTiles<Seen> micros() { return find_micro; }
  static ConvTiles<Pixels> outers() { return find_outer; }
};

}  // namespace
}  // namespace goneuron::cpu
HWY_POP_ATTRIBUTES
#endif

namespace goneuron::cpu {

i64 weight_gradient_bf16_floats(const Windows& s, i64 columns) {
  const i64 windows = s.band_images() * s.band_rows() * s.ow;
  return round_up(s.band_floats(), 16) + round_up(windows * columns, 16) +
         windows * round_up(columns, 32);
}

ConvKernels conv_bf16_kernels() {
#if defined(__x86_64__)
  if (conv_kernels().lanes == lanes && __builtin_cpu_supports("avx512bf16") &&
      __builtin_cpu_supports("avx512bw"))
    return {convolution<Pairs>, weight_gradient<Pairs>, pack<Pairs>, lanes};
#endif
  return {convolution<Rounded>, weight_gradient<Rounded>, pack<Rounded>, conv_kernels().lanes};
}

}  // namespace goneuron::cpu
