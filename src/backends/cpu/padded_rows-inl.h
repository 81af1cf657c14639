// The images that kernels/conv_pool.cpp works on, as floats with zeros around. Included there, in a
// namespace of each SIMD target.

HWY_INLINE V load_pixels(const float* x) { return hn::LoadU(D(), x); }
HWY_INLINE V load_pixels(const std::uint8_t* x) { return load_units(D(), x); }
HWY_INLINE float pixel_of(float x) { return x; }
HWY_INLINE float pixel_of(std::uint8_t x) { return unit_of(x); }

/// The rows of x that some pooled rows of an image need, with zeros around. The zeros lie in the
/// same places for every image: they are written once.
class PaddedRows {
 public:
  PaddedRows(const ConvPool& c, const Part& part, float* memory)
      : c_(c),
        memory_(memory),
        pitch_(pitch_of(c)),
        height_(2 * part.rows + 2),
        top_(2 * part.row - c.pad_top),
        left_(std::max<i64>(0, c.pad_left)),
        count_(std::min(pitch_, c.width + c.pad_left) - left_),
        begin_(std::max<i64>(0, -top_)),
        end_(count_ > 0 ? std::min(height_, c.h - top_) : 0),
        upwards_(part.row == 0) {
    std::fill_n(memory, height_ * pitch_, 0.0F);
  }

  void fill(i64 image) {
    if (c_.table == nullptr) return fill_bands(image);
    const std::uint8_t* from = listed(image);
    for (i64 i = begin_; i < end_; ++i)
      if (from)
        fill_row(from + (top_ + i) * c_.width, i);
      else
        std::fill_n(memory_ + i * pitch_, pitch_, 0.0F);
    // Those of the next image lie anywhere: they arrive while this one is worked on.
    if (image + 1 == c_.batch || begin_ >= end_ || !(from = listed(image + 1))) return;
    constexpr i64 line = 64;
    const i64 last = (top_ + end_) * c_.width - 1;
    for (i64 at = (top_ + begin_) * c_.width; at < last; at += line) __builtin_prefetch(from + at);
    __builtin_prefetch(from + last);
  }

 private:
  /// The processor, which takes the bands' distance for a pattern, fetches beyond the last one
  /// read. The first rows are read upwards: beyond them lies nothing that another worker writes.
  void fill_bands(i64 image) {
    for (i64 k = begin_; k < end_; ++k) {
      const i64 i = upwards_ ? begin_ + end_ - 1 - k : k;
      fill_row(c_.x + rows_before(c_, c_.band, image, top_ + i) * c_.width, i);
    }
  }

  /// An image of the table; null where its number is none.
  const std::uint8_t* listed(i64 image) const {
    const i64 row = c_.listed[image];
    return row >= 0 && row < c_.images ? c_.table + row * c_.h * c_.width : nullptr;
  }

  template <class T>
  void fill_row(const T* from, i64 i) {
    from += left_ - c_.pad_left;
    float* to = memory_ + i * pitch_ + left_;
    if (count_ < lanes) {
      for (i64 j = 0; j < count_; ++j) to[j] = pixel_of(from[j]);
      return;
    }
    for (i64 j = 0; j + lanes <= count_; j += lanes) hn::StoreU(load_pixels(from + j), D(), to + j);
    const i64 last = count_ - lanes;  // some of them once more
    hn::StoreU(load_pixels(from + last), D(), to + last);
  }

  const ConvPool& c_;
  float* const memory_;
  const i64 pitch_, height_, top_, left_, count_, begin_, end_;
  const bool upwards_;
};
