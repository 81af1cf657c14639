// Shape and DType: what a tensor looks like, without its values.
// Features are on the last axis (channels last); the batch, where there is one, on the first.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <vector>

#include "goneuron/site.h"

namespace goneuron {

using i64 = std::int64_t;

/// A dimension that is not known yet (the batch, until data arrives).
inline constexpr i64 Any = -1;

enum class DType : std::uint8_t { f32, f64, bf16, f16, i32, i8, u8, i16 };

/// "f32", "u8", ...
const char* dtype_name(DType dtype);
/// Bytes of one element.
i64 dtype_size(DType dtype);
/// True for f32, f64, bf16 and f16.
bool is_floating(DType dtype);

/// Up to 8 dimensions. Negative indices count from the end: shape[-1] is the last dimension.
/// Reading a dimension that is `Any` through `operator[]` gives Any; through `elements()` it
/// throws.
class Shape {
 public:
  static constexpr int max_rank = 8;

  Shape() = default;
  Shape(std::initializer_list<i64> dims, Site site = Site::here());
  explicit Shape(const std::vector<i64>& dims, Site site = Site::here());

  int rank() const { return rank_; }
  i64 operator[](int axis) const;
  void set(int axis, i64 dim);
  const i64* begin() const { return dims_; }
  const i64* end() const { return dims_ + rank_; }

  /// True when no dimension is Any.
  bool known() const;
  /// Product of the dimensions, checked for overflow. Throws ShapeError when one is Any.
  i64 elements(Site site = Site::here()) const;
  /// This shape with `dim` put in front.
  Shape with_batch(i64 dim) const;
  /// This shape without its first dimension.
  Shape without_batch() const;
  /// "[batch, 28, 28, 1]" when the first dimension is Any, "[32, 10]" otherwise.
  std::string str() const;

  friend bool operator==(const Shape& a, const Shape& b);

 private:
  i64 dims_[max_rank] = {};
  int rank_ = 0;
};

}  // namespace goneuron
