#include "goneuron/shape.h"

#include <algorithm>

#include "core/checked_math.h"
#include "core/message.h"

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

namespace {
[[noreturn]] void overflow(i64 a, const char* sign, i64 b) {
  throw_shape({.what = "a size of " + std::to_string(a) + sign + std::to_string(b) +
                       " does not fit in 64 bits; expected at most " + std::to_string(INT64_MAX),
               .hint = "make the tensor or the layer smaller"});
}

void check_rank(i64 rank, Site site) {
  if (rank > Shape::max_rank)
    throw_shape({.where = user_place("Shape", site),
                 .what = std::to_string(rank) + " dimensions; expected at most " +
                         std::to_string(Shape::max_rank),
                 .hint = "join some of the axes"});
}

void check_axis(int axis, const Shape& shape) {
  if (axis < -shape.rank() || axis >= shape.rank())
    throw_shape({.where = user_place("Shape", {}),
                 .what = "there is no axis " + std::to_string(axis) + " in " + shape.str() +
                         ", which has " + std::to_string(shape.rank()),
                 .hint = "axes count from 0; -1 is the last one"});
}
}  // namespace

i64 checked_mul(i64 a, i64 b) {
  i64 product = 0;
  if (__builtin_mul_overflow(a, b, &product)) overflow(a, " x ", b);
  return product;
}

i64 checked_add(i64 a, i64 b) {
  i64 sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) overflow(a, " + ", b);
  return sum;
}

Shape::Shape(std::initializer_list<i64> dims, Site site) : Shape(std::vector<i64>(dims), site) {}

Shape::Shape(const std::vector<i64>& dims, Site site) {
  check_rank(static_cast<i64>(dims.size()), site);
  for (const i64 dim : dims) {
    if (dim < Any)
      throw_shape({.where = user_place("Shape", site),
                   .what = "a dimension of " + std::to_string(dim) + "; expected 0 or more",
                   .hint = "use Any for a dimension that is not known yet"});
    dims_[rank_++] = dim;
  }
}

i64 Shape::operator[](int axis) const {
  check_axis(axis, *this);
  return dims_[axis < 0 ? axis + rank_ : axis];
}

void Shape::set(int axis, i64 dim) {
  check_axis(axis, *this);
  dims_[axis < 0 ? axis + rank_ : axis] = dim;
}

bool Shape::known() const { return std::find(begin(), end(), Any) == end(); }

i64 Shape::elements(Site site) const {
  i64 product = 1;
  for (const i64 dim : *this) {
    if (dim == Any)
      throw_shape({.where = user_place("Shape", site),
                   .what = "the size of " + str() + " is not known yet; expected numbers only",
                   .hint = "give the dimension to Input(), or build() the model first"});
    if (__builtin_mul_overflow(product, dim, &product))
      throw_shape({.where = user_place("Shape", site),
                   .what = "the elements of " + str() +
                           " do not fit in 64 bits; expected at most " + std::to_string(INT64_MAX),
                   .hint = "make the tensor or the layer smaller"});
  }
  return product;
}

Shape Shape::with_batch(i64 dim) const {
  check_rank(rank_ + 1, {});
  Shape out;
  out.dims_[0] = dim;
  std::copy(begin(), end(), out.dims_ + 1);
  out.rank_ = rank_ + 1;
  return out;
}

Shape Shape::without_batch() const {
  if (rank_ == 0)
    throw_shape({.where = user_place("Shape", {}),
                 .what = "a single number has no batch axis; expected [samples, ..]",
                 .hint = "put the samples along the first axis"});
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
