// The pixels that the weight gradient of kernels/conv_pool.cpp reads: of the four that the cells of
// a pooling window meet under one tap, two by two in neighbouring rows, the one of each lane's
// winning cell. Included there, in a namespace of each SIMD target. Where an instruction chooses
// among two vectors they are read where they lie; elsewhere they are copied side by side first,
// which costs less than the registers of the choice. Where relu cut a window off, any will do.
//
// Window::at(r) gives the rows of pooled row r, counted from the part's first, of an image that is
// padded already; load() what lies under tap t of pooled column p.

#if HWY_TARGET <= HWY_AVX3

using Chooser = hn::Vec<hn::Rebind<std::int32_t, D>>;
/// An odd number means the second pixel, one of 16 and more the row below.
HWY_INLINE Chooser chooser(hn::Vec<hn::Rebind<std::int32_t, D>> cell) {
  const hn::Repartition<std::int16_t, D> d16;
  return hn::BitCast(hn::Rebind<std::int32_t, D>(),
                     hn::Mul(hn::BitCast(d16, cell), hn::Set(d16, 9)));
}

/// Two neighbouring pixels in every two lanes.
HWY_INLINE V load_pair(const float* pair) {
  double both;
  std::memcpy(&both, pair, sizeof both);
  return hn::BitCast(D(), hn::Set(hn::Repartition<double, D>(), both));
}
struct Pixels {
  V above, below;
};
HWY_INLINE Pixels load(const float* const* rows, i64 t, i64 p) {
  const i64 column = 2 * p + t % 3;
  return {load_pair(rows[t / 3] + column), load_pair(rows[t / 3 + 1] + column)};
}
HWY_INLINE V choose(const Pixels& pixels, Chooser cell) {
  return V{_mm512_permutex2var_ps(pixels.above.raw, cell.raw, pixels.below.raw)};
}

class Window {
 public:
  Window(const ConvPool& c, const float* padded, float*) : pitch_(pitch_of(c)), padded_(padded) {}
  const float* const* at(i64 r) {
    for (i64 a = 0; a < 4; ++a) rows_[a] = padded_ + (2 * r + a) * pitch_;
    return rows_;
  }

 private:
  i64 pitch_;
  const float *padded_, *rows_[4];
};

#else

/// The four pixels, for columns i and i + 1 of a row and of the one below it, for every i. A vector
/// of them at a time, so that there is room for a whole one, and one is read of each row, beyond
/// their ends.
HWY_INLINE void make_quads(const float* x, i64 pitch, float* HWY_RESTRICT quads) {
#if HWY_TARGET == HWY_SCALAR
  for (i64 i = 0; i + 1 < pitch; ++i, quads += 4) {
    std::memcpy(quads, x + i, 2 * sizeof(float));
    std::memcpy(quads + 2, x + pitch + i, 2 * sizeof(float));
  }
#else
  const D d;
  const hn::Rebind<std::int32_t, D> di;
  alignas(64) static constexpr std::int32_t columns[] = {0, 1, 0, 1, 1, 2, 1, 2,
                                                         2, 3, 2, 3, 3, 4, 3, 4};
  const auto at = hn::SetTableIndices(d, columns);
  const auto in_row = hn::Eq(hn::And(hn::Iota(di, 0), hn::Set(di, 2)), hn::Zero(di));
  for (i64 i = 0; i + 1 < pitch; i += lanes / 4, quads += lanes) {
    const V above = hn::TableLookupLanes(hn::LoadU(d, x + i), at),
            below = hn::TableLookupLanes(hn::LoadU(d, x + pitch + i), at);
    hn::Store(hn::IfThenElse(hn::RebindMask(d, in_row), above, below), d, quads);
  }
#endif
}

#if HWY_TARGET == HWY_SCALAR
using Chooser = hn::Vec<hn::Rebind<std::int32_t, D>>;
HWY_INLINE Chooser chooser(hn::Vec<hn::Rebind<std::int32_t, D>> cell) { return cell; }
HWY_INLINE const float* load(const float* const* rows, i64 t, i64 p) {
  return rows[t / 3] + 4 * (2 * p + t % 3);
}
HWY_INLINE V choose(const float* quad, Chooser cell) {
  return hn::Set(D(), quad[hn::GetLane(cell) & 3]);
}
#else
using Chooser = hn::Vec<hn::Rebind<std::uint8_t, hn::Repartition<std::uint8_t, D>>>;
HWY_INLINE Chooser chooser(hn::Vec<hn::Rebind<std::int32_t, D>> cell) {
  const hn::Rebind<std::int32_t, D> di;
  const hn::Repartition<std::uint8_t, D> d8;
  alignas(16) static constexpr std::uint8_t first[] = {0, 0, 0, 0, 4,  4,  4,  4,
                                                       8, 8, 8, 8, 12, 12, 12, 12};
  const auto all = hn::TableLookupBytes(hn::BitCast(d8, cell), hn::LoadDup128(d8, first));
  const auto bytes = hn::ShiftLeft<2>(hn::BitCast(di, all));
  return hn::BitCast(d8, hn::Add(bytes, hn::Set(di, 0x03020100)));
}
HWY_INLINE Chooser load(const float* const* rows, i64 t, i64 p) {
  return hn::BitCast(hn::Repartition<std::uint8_t, D>(),
                     hn::LoadDup128(D(), rows[t / 3] + 4 * (2 * p + t % 3)));
}
HWY_INLINE V choose(Chooser quad, Chooser bytes) {
  return hn::BitCast(D(), hn::TableLookupBytes(quad, bytes));
}
#endif

/// Quads of three rows that follow each other, in a ring; pooled rows come in their order.
class Window {
 public:
  Window(const ConvPool& c, const float* padded, float* memory)
      : pitch_(pitch_of(c)), padded_(padded) {
    for (i64 i = 0; i < 3; ++i) quads_[i] = memory + i * quads_of(c);
  }
  const float* const* at(i64 r) {
    for (i64 a = 0; a < 3; ++a) {
      float* const row = quads_[(2 * r + a) % 3];
      if (r == 0 || a > 0) make_quads(padded_ + (2 * r + a) * pitch_, pitch_, row);
      rows_[a] = row;
    }
    return rows_;
  }

 private:
  i64 pitch_;
  const float *padded_, *rows_[3];
  float* quads_[3];
};

#endif
