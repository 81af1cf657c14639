// The forward half of kernels/conv_pool.cpp: the four outputs of a pooling window by Winograd's
// F(2x2, 3x3), 28 operations where direct sums take 36. Cells that would be equal may differ by a
// rounding, so that another one wins. Included there, in a namespace of each SIMD target. The
// image's side of it is done once for all channels, as there is one of the input.
// Lavin, Gray: Fast algorithms for convolutional neural networks, CVPR 2016.

/// The largest of the four cells of a window, and which one it is.
struct Winner {
  V value;
  hn::Vec<hn::Rebind<std::int32_t, D>> cell;
};
HWY_INLINE Winner winner(const V* cells) {
  const hn::Rebind<std::int32_t, D> di;
  const auto right = hn::Gt(cells[1], cells[0]), right_below = hn::Gt(cells[3], cells[2]);
  const V top = hn::IfThenElse(right, cells[1], cells[0]),
          bottom = hn::IfThenElse(right_below, cells[3], cells[2]);
  const auto below = hn::Gt(bottom, top);
  const auto at_top = hn::IfThenElseZero(hn::RebindMask(di, right), hn::Set(di, 1));
  const auto at_bottom =
      hn::IfThenElse(hn::RebindMask(di, right_below), hn::Set(di, 3), hn::Set(di, 2));
  return {hn::IfThenElse(below, bottom, top),
          hn::IfThenElse(hn::RebindMask(di, below), at_bottom, at_top)};
}

/// What windows multiply weights with: four rows of pixels at the four points of the columns, then
/// at those of the rows. The values of window p are first[2 p], sum[2 p + 1], rest[2 p + 1] and
/// first[2 p + 1].
struct WindowLines {
  float *first, *sum, *rest;
};
HWY_INLINE WindowLines window_lines(float* memory, i64 line, i64 point) {
  float* const at = memory + 3 * point * line;
  return {at, at + line, at + 2 * line};
}

/// `x` is the first of four padded rows; beyond the last one, 2 + lanes floats may be read.
void make_lines(const float* HWY_RESTRICT x, i64 pitch, i64 line, float* HWY_RESTRICT memory) {
  const D d;
  for (i64 j = 0; j < pitch; j += lanes) {
    V t[3][4];  // from columns j, j + 1 and j + 2
#pragma GCC unroll 3
    for (i64 k = 0; k < 3; ++k) {
      const float* from = x + j + k;
      const V r0 = hn::LoadU(d, from), r1 = hn::LoadU(d, from + pitch),
              r2 = hn::LoadU(d, from + 2 * pitch), r3 = hn::LoadU(d, from + 3 * pitch);
      t[k][0] = hn::Sub(r0, r2);
      t[k][1] = hn::Add(r1, r2);
      t[k][2] = hn::Sub(r2, r1);
      t[k][3] = hn::Sub(r1, r3);
    }
#pragma GCC unroll 4
    for (i64 i = 0; i < 4; ++i) {
      const WindowLines to = window_lines(memory + j, line, i);
      hn::StoreU(hn::Sub(t[0][i], t[2][i]), d, to.first);
      hn::StoreU(hn::Add(t[0][i], t[1][i]), d, to.sum);
      hn::StoreU(hn::Sub(t[1][i], t[0][i]), d, to.rest);
    }
  }
}

/// Three weights at the points 0, 1, -1 and infinity.
HWY_INLINE void to_points(V a, V b, V c, V* to) {
  const V half = hn::Set(D(), 0.5F), ends = hn::Mul(hn::Add(a, c), half), middle = hn::Mul(b, half);
  to[0] = a;
  to[1] = hn::Add(ends, middle);
  to[2] = hn::Sub(ends, middle);
  to[3] = c;
}

/// The weights [3, 3, channels] at the points, [channels / lanes, 4, 4, lanes].
void make_weights(const float* HWY_RESTRICT w, i64 channels, float* HWY_RESTRICT to) {
  const D d;
  for (i64 at = 0; at < channels; at += lanes) {
    V rows[3][4], columns[4];
    for (i64 i = 0; i < 3; ++i) {
      const float* row = w + 3 * i * channels + at;
      to_points(hn::LoadU(d, row), hn::LoadU(d, row + channels), hn::LoadU(d, row + 2 * channels),
                rows[i]);
    }
    for (i64 j = 0; j < 4; ++j) {
      to_points(rows[0][j], rows[1][j], rows[2][j], columns);
      for (i64 i = 0; i < 4; ++i) hn::StoreU(columns[i], d, to + (16 * at + (4 * i + j) * lanes));
    }
  }
}

/// One row of pooled outputs for a vector of channels; w [4, 4, lanes], bias, y and index point to
/// those channels.
template <bool kRelu>
void pooled_row(const ConvPool& c, float* lines, i64 line, const float* HWY_RESTRICT w,
                const float* HWY_RESTRICT bias, float* HWY_RESTRICT y,
                std::uint8_t* HWY_RESTRICT index) {
  const D d;
  const hn::Rebind<std::int32_t, D> di;
  const hn::Rebind<std::uint32_t, D> du;
  const hn::Rebind<std::uint8_t, D> d8;
  const V start = bias ? hn::LoadU(d, bias) : hn::Zero(d);
  V weights[4][4];
#pragma GCC unroll 16
  for (i64 i = 0; i < 16; ++i) weights[i / 4][i % 4] = hn::LoadU(d, w + i * lanes);
  for (i64 p = 0; p < c.pw; ++p, lines += 2, y += c.channels, index += c.channels) {
    V left[4], right[4];  // columns of the outputs, at the points of the rows
#pragma GCC unroll 4
    for (i64 i = 0; i < 4; ++i) {
      const WindowLines x = window_lines(lines, line, i);
      const V sum = hn::Set(d, x.sum[1]), rest = hn::Set(d, x.rest[1]);
      // Point 1 is part of all four outputs, so that the bias is.
      const V one = i == 1 ? hn::MulAdd(sum, weights[i][1], start) : hn::Mul(sum, weights[i][1]);
      left[i] =
          hn::MulAdd(hn::Set(d, x.first[0]), weights[i][0], hn::MulAdd(rest, weights[i][2], one));
      right[i] = hn::NegMulAdd(hn::Set(d, x.first[1]), weights[i][3],
                               hn::NegMulAdd(rest, weights[i][2], one));
    }
    const V cells[4] = {hn::Add(hn::Add(left[0], left[1]), left[2]),
                        hn::Add(hn::Add(right[0], right[1]), right[2]),
                        hn::Sub(hn::Sub(left[1], left[2]), left[3]),
                        hn::Sub(hn::Sub(right[1], right[2]), right[3])};
    Winner best = winner(cells);
    if (kRelu) {
      const auto cut = hn::Le(best.value, hn::Zero(d));
      best.value = hn::IfThenZeroElse(cut, best.value);
      best.cell = hn::IfThenElse(hn::RebindMask(di, cut), hn::Set(di, 4), best.cell);
    }
    hn::StoreU(best.value, d, y);
    hn::StoreU(hn::TruncateTo(d8, hn::BitCast(du, best.cell)), d8, index);
  }
}

void forward(const ConvPool& c, const Part& part, float* scratch) {
  const auto forward_row = c.relu ? &pooled_row<true> : &pooled_row<false>;
  const i64 pitch = pitch_of(c), row_size = c.pw * c.channels, line = round_up(pitch, 16);
  float *const lines = scratch + round_up((2 * part.rows + 2) * pitch + 32, 16), *const weights =
                                                                                     lines +
                                                                                     12 * line;
  make_weights(c.w, c.channels, weights);
  PaddedRows rows(c, part, scratch);
  for (i64 n = part.image; n < part.image + part.images; ++n) {
    rows.fill(n);
    for (i64 r = 0; r < part.rows; ++r) {
      const i64 row = part.row + r;
      float* const y = c.y + rows_before(c, c.pooled_band, n, row) * row_size;
      std::uint8_t* const index = c.index + (row * c.batch + n) * row_size;
      make_lines(scratch + 2 * r * pitch, pitch, line, lines);
      for (i64 channel = 0; channel < c.channels; channel += lanes)
        forward_row(c, lines, line, weights + 16 * channel, c.bias ? c.bias + channel : nullptr,
                    y + channel, index + channel);
    }
  }
}
