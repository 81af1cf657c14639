#include "goneuron/shape.h"

#include <algorithm>

#include "core/checked_math.h"
#include "goneuron/error.h"

namespace goneuron {

namespace {
struct DTypeInfo {
  const char* name;
  i64 size;
  bool floating;
};
// In the order of the enum.
constexpr DTypeInfo dtypes[] = {{"f32", 4, true}, {"f64", 8, true},  {"bf16", 2, true},
                                {"f16", 2, true}, {"i32", 4, false}, {"i8", 1, false},
                                {"u8", 1, false}, {"i16", 2, false}};
}  // namespace

const char* dtype_name(DType dtype) { return dtypes[static_cast<size_t>(dtype)].name; }
i64 dtype_size(DType dtype) { return dtypes[static_cast<size_t>(dtype)].size; }
bool is_floating(DType dtype) { return dtypes[static_cast<size_t>(dtype)].floating; }

i64 checked_mul(i64 a, i64 b) {
  i64 product = 0;
  if (__builtin_mul_overflow(a, b, &product))
    throw ShapeError("a size of " + std::to_string(a) + " x " + std::to_string(b) +
                     " does not fit in 64 bits; make the tensor smaller");
  return product;
}

i64 checked_add(i64 a, i64 b) {
  i64 sum = 0;
  if (__builtin_add_overflow(a, b, &sum))
    throw ShapeError("a size of " + std::to_string(a) + " + " + std::to_string(b) +
                     " does not fit in 64 bits; make the tensor smaller");
  return sum;
}

Shape::Shape(std::initializer_list<i64> dims) {
  for (const i64 dim : dims) {
    if (rank_ == max_rank) throw ShapeError("a shape has at most 8 dimensions");
    if (dim < Any)
      throw ShapeError("a dimension of " + std::to_string(dim) +
                       " is impossible; use Any for one not known yet");
    dims_[rank_++] = dim;
  }
}

Shape::Shape(const std::vector<i64>& dims) {
  if (dims.size() > max_rank) throw ShapeError("a shape has at most 8 dimensions");
  for (const i64 dim : dims) {
    if (dim < Any)
      throw ShapeError("a dimension of " + std::to_string(dim) +
                       " is impossible; use Any for one not known yet");
    dims_[rank_++] = dim;
  }
}

i64 Shape::operator[](int axis) const {
  const int at = axis < 0 ? axis + rank_ : axis;
  if (at < 0 || at >= rank_)
    throw ShapeError("axis " + std::to_string(axis) + " of a shape of " + std::to_string(rank_) +
                     " dimensions, " + str());
  return dims_[at];
}

void Shape::set(int axis, i64 dim) {
  const int at = axis < 0 ? axis + rank_ : axis;
  if (at < 0 || at >= rank_)
    throw ShapeError("axis " + std::to_string(axis) + " of shape " + str());
  dims_[at] = dim;
}

bool Shape::known() const { return std::find(begin(), end(), Any) == end(); }

i64 Shape::elements() const {
  i64 product = 1;
  for (const i64 dim : *this) {
    if (dim == Any)
      throw ShapeError("the size of " + str() +
                       " is not known yet; build() the model or give the dimension to Input()");
    product = checked_mul(product, dim);
  }
  return product;
}

Shape Shape::with_batch(i64 dim) const {
  if (rank_ == max_rank) throw ShapeError("a shape has at most 8 dimensions");
  Shape out;
  out.dims_[0] = dim;
  std::copy(begin(), end(), out.dims_ + 1);
  out.rank_ = rank_ + 1;
  return out;
}

Shape Shape::without_batch() const {
  if (rank_ == 0) throw ShapeError("a scalar has no batch axis");
  Shape out;
  std::copy(begin() + 1, end(), out.dims_);
  out.rank_ = rank_ - 1;
  return out;
}

std::string Shape::str() const {
  std::string text = "[";
  for (int i = 0; i < rank_; ++i) {
    if (i > 0) text += ", ";
    if (dims_[i] == Any)
      text += i == 0 ? "batch" : "any";
    else
      text += std::to_string(dims_[i]);
  }
  return text + "]";
}

bool operator==(const Shape& a, const Shape& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end());
}

}  // namespace goneuron
