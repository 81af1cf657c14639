// Tensor: a dense, contiguous array of numbers with a shape; copying a Tensor shares its memory.
// Used for data, weights and predictions; the training step itself works on planned arenas.
#pragma once

#include <span>

#include "goneuron/shape.h"
#include "goneuron/shared.h"

namespace goneuron {

/// The index in tensor[3], with the line it stands on.
struct Index {
  Index(i64 value, Site site = Site::here()) : value(value), site(site) {}  // NOLINT: converts
  i64 value;
  Site site;
};

class Tensor {
 public:
  Tensor() = default;
  /// Zeros.
  explicit Tensor(const Shape& shape, DType dtype = DType::f32, Site site = Site::here());
  /// A copy of `values`, f32; `shape` defaults to one axis. Throws ShapeError when the counts
  /// differ.
  Tensor(const std::vector<float>& values);  // NOLINT: data converts to tensors
  Tensor(const std::vector<float>& values, const Shape& shape, Site site = Site::here());
  Tensor(const std::vector<std::int32_t>& labels);  // NOLINT: labels convert to tensors
  Tensor(const std::vector<std::int32_t>& values, const Shape& shape, Site site = Site::here());
  Tensor(std::span<const float> values, const Shape& shape, Site site = Site::here());
  Tensor(std::span<const std::int32_t> values, const Shape& shape, Site site = Site::here());
  /// Nested lists: {{0, 0}, {0, 1}} is [2, 2]. Rows of different lengths throw ShapeError.
  Tensor(std::initializer_list<std::initializer_list<float>> rows, Site site = Site::here());
  /// A copy of what `values` points to: shape.elements() numbers.
  Tensor(const float* values, const Shape& shape, Site site = Site::here());
  /// No copy: the caller keeps `memory` alive for as long as the tensor or a copy of it lives.
  static Tensor view(void* memory, const Shape& shape, DType dtype = DType::f32,
                     Site site = Site::here());
  /// No copy: `owner`, a std::shared_ptr or std::unique_ptr, is kept by the tensor and its copies.
  static Tensor adopt(KeepAlive owner, void* memory, const Shape& shape, DType dtype,
                      Site site = Site::here());

  const Shape& shape() const { return shape_; }
  DType dtype() const { return dtype_; }
  /// Number of elements; bytes().
  i64 size() const { return size_; }
  i64 bytes() const;
  bool empty() const { return size_ == 0; }

  /// The elements; T is float, double, std::int32_t, std::uint8_t, std::int8_t or std::int16_t.
  /// Throws TypeError when T is not the tensor's dtype.
  template <class T = float>
  T* data(Site site = Site::here());
  template <class T = float>
  const T* data(Site site = Site::here()) const;
  void* raw() { return memory_; }
  const void* raw() const { return memory_; }

  /// One element as a number, whatever the dtype: t.at({1, 2}). Throws ShapeError out of bounds.
  double at(std::initializer_list<i64> index, Site site = Site::here()) const;
  void set(std::initializer_list<i64> index, double value, Site site = Site::here());
  /// The only element of a tensor of one.
  double item(Site site = Site::here()) const;

  /// Rows [begin, end) of the first axis, sharing memory.
  Tensor slice(i64 begin, i64 end, Site site = Site::here()) const;
  /// Row `index` of the first axis, without that axis, sharing memory.
  Tensor operator[](const Index& index) const;
  /// The same memory under another shape of as many elements.
  Tensor reshape(const Shape& shape, Site site = Site::here()) const;
  /// A deep copy, contiguous and owned.
  Tensor clone() const;
  /// A copy with every element converted (rounded to nearest where it narrows).
  Tensor to(DType dtype) const;
  /// Index of the largest element along the last axis, i32; the first one among equals.
  Tensor argmax(Site site = Site::here()) const;
  /// Same shape, dtype and values, bit for bit except that 0 == -0 and NaN != NaN.
  friend bool operator==(const Tensor& a, const Tensor& b);

  /// Nested brackets, at most 8 rows and columns of each axis.
  std::string str() const;

 private:
  KeepAlive owner_;
  void* memory_ = nullptr;
  Shape shape_;
  i64 size_ = 0;
  DType dtype_ = DType::f32;
};

}  // namespace goneuron
