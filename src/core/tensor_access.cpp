// Tensor: elements, slices, conversion, comparison and printing.
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstring>

#include "core/checked_math.h"
#include "core/message.h"
#include "core/tensor_values.h"
#include "goneuron/tensor.h"

namespace goneuron {

namespace {

constexpr i64 run = 256;  // elements converted through doubles at a time

i64 offset_of(const Tensor& tensor, std::initializer_list<i64> index, const char* function,
              Site site) {
  const Shape& shape = tensor.shape();
  if (static_cast<int>(index.size()) != shape.rank())
    throw_shape({user_place(function, site),
                 std::to_string(index.size()) + " indices; expected " +
                     std::to_string(shape.rank()) + ", one an axis",
                 {{"shape", shape.str()}},
                 "give one index an axis"});
  i64 offset = 0;
  int axis = 0;
  for (const i64 i : index) {
    const i64 dim = shape[axis];
    if (i < 0 || i >= dim)
      throw_shape({user_place(function, site),
                   "index " + std::to_string(i) + " of axis " + std::to_string(axis) +
                       "; expected 0 to " + std::to_string(dim - 1),
                   {{"shape", shape.str()}},
                   "indices count from 0"});
    offset = offset * dim + i;
    ++axis;
  }
  // A default-constructed tensor has no axes and no element either.
  if (tensor.empty())
    throw_shape({user_place(function, site), "the tensor is empty", {}, "give it values first"});
  return offset;
}

void check_rows(const Shape& shape, const char* function, Site site) {
  if (shape.rank() > 0) return;
  throw_shape({user_place(function, site),
               "a tensor without axes has no rows",
               {},
               "use item() for its only element"});
}

void print_axis(const Tensor& tensor, int axis, i64 first, std::string& out) {
  const Shape& shape = tensor.shape();
  if (axis == shape.rank()) {
    double value = 0;
    load_values(tensor.raw(), tensor.dtype(), first, 1, &value);
    char text[32];
    std::snprintf(text, sizeof text, is_floating(tensor.dtype()) ? "%.6g" : "%.0f", value);
    out += text;
    return;
  }
  const i64 dim = shape[axis];
  if (dim == 0) {
    out += "[]";
    return;
  }
  i64 stride = 1;
  for (int inner = axis + 1; inner < shape.rank(); ++inner) stride *= shape[inner];
  const bool last = axis + 1 == shape.rank();
  out += '[';
  for (i64 i = 0; i < dim; ++i) {
    if (i > 0) out += last ? ", " : ",\n" + std::string(static_cast<size_t>(axis) + 1, ' ');
    if (dim > 8 && i == 4) {
      out += last ? "..., " : "...,\n" + std::string(static_cast<size_t>(axis) + 1, ' ');
      i = dim - 4;
    }
    print_axis(tensor, axis + 1, first + i * stride, out);
  }
  out += ']';
}

}  // namespace

double Tensor::at(std::initializer_list<i64> index, Site site) const {
  double value = 0;
  load_values(memory_, dtype_, offset_of(*this, index, "Tensor::at", site), 1, &value);
  return value;
}

void Tensor::set(std::initializer_list<i64> index, double value, Site site) {
  store_values(&value, offset_of(*this, index, "Tensor::set", site), 1, memory_, dtype_);
}

double Tensor::item(Site site) const {
  if (size_ != 1)
    throw_shape({user_place("Tensor::item", site),
                 "the tensor has " + counted(size_, "element") + "; expected exactly 1",
                 {{"shape", shape_.str()}},
                 "use at({..}) for one of them"});
  double value = 0;
  load_values(memory_, dtype_, 0, 1, &value);
  return value;
}

Tensor Tensor::slice(i64 begin, i64 end, Site site) const {
  check_rows(shape_, "Tensor::slice", site);
  const i64 rows = shape_[0];
  if (begin < 0 || end < begin || end > rows)
    throw_shape({user_place("Tensor::slice", site),
                 "rows [" + std::to_string(begin) + ", " + std::to_string(end) +
                     "); expected rows from 0 to " + std::to_string(rows),
                 {{"shape", shape_.str()}},
                 "0 <= begin <= end <= " + std::to_string(rows)});
  Tensor out = *this;
  const i64 stride = rows == 0 ? 0 : size_ / rows;
  out.shape_.set(0, end - begin);
  out.size_ = (end - begin) * stride;
  if (memory_ != nullptr)
    out.memory_ = static_cast<char*>(memory_) + begin * stride * dtype_size(dtype_);
  return out;
}

Tensor Tensor::operator[](const Index& index) const {
  check_rows(shape_, "Tensor::operator[]", index.site);
  if (index.value < 0 || index.value >= shape_[0])
    throw_shape(
        {user_place("Tensor::operator[]", index.site),
         "row " + std::to_string(index.value) + "; expected 0 to " + std::to_string(shape_[0] - 1),
         {{"shape", shape_.str()}},
         "indices count from 0"});
  Tensor out = slice(index.value, index.value + 1, index.site);
  out.shape_ = shape_.without_batch();
  return out;
}

Tensor Tensor::reshape(const Shape& shape, Site site) const {
  if (shape.elements(site) != size_)
    throw_shape({user_place("Tensor::reshape", site),
                 std::to_string(size_) + " elements; expected " + std::to_string(shape.elements()) +
                     " for the new shape",
                 {{"from", shape_.str()}, {"to", shape.str()}},
                 "the products of the dimensions must be equal"});
  Tensor out = *this;
  out.shape_ = shape;
  return out;
}

Tensor Tensor::to(DType dtype) const {
  if (memory_ == nullptr) {
    Tensor out = *this;
    out.dtype_ = dtype;
    return out;
  }
  if (dtype == dtype_) return clone();
  Tensor out(shape_, dtype);
  double values[run];
  for (i64 first = 0; first < size_; first += run) {
    const i64 count = std::min(run, size_ - first);
    load_values(memory_, dtype_, first, count, values);
    store_values(values, first, count, out.memory_, dtype);
  }
  return out;
}

Tensor Tensor::argmax(Site site) const {
  if (shape_.rank() == 0 || shape_[-1] == 0)
    throw_shape({user_place("Tensor::argmax", site),
                 "the last axis has no elements to choose from",
                 {{"shape", shape_.str()}},
                 "argmax needs at least one axis, the last of at least 1"});
  const i64 columns = shape_[-1];
  std::vector<i64> dims(shape_.begin(), shape_.end() - 1);
  Tensor out(Shape(dims), DType::i32);
  double values[run];
  for (i64 row = 0; row < out.size_; ++row) {
    double best = 0;
    i64 best_at = -1;
    for (i64 first = 0; first < columns; first += run) {
      const i64 count = std::min(run, columns - first);
      load_values(memory_, dtype_, row * columns + first, count, values);
      for (i64 i = 0; i < count; ++i) {
        // NaN counts as the largest, as in NumPy: it must not hide.
        const bool larger = values[i] > best || (std::isnan(values[i]) && !std::isnan(best));
        if (best_at >= 0 && !larger) continue;
        best = values[i];
        best_at = first + i;
      }
    }
    out.data<std::int32_t>()[row] = static_cast<std::int32_t>(best_at);
  }
  return out;
}

bool operator==(const Tensor& a, const Tensor& b) {
  if (!(a.shape_ == b.shape_) || a.dtype_ != b.dtype_ || a.size_ != b.size_) return false;
  if (a.size_ == 0) return true;
  if (!is_floating(a.dtype_))
    return std::memcmp(a.memory_, b.memory_, static_cast<size_t>(a.bytes())) == 0;
  double left[run];
  double right[run];
  for (i64 first = 0; first < a.size_; first += run) {
    const i64 count = std::min(run, a.size_ - first);
    load_values(a.memory_, a.dtype_, first, count, left);
    load_values(b.memory_, b.dtype_, first, count, right);
    if (!std::equal(left, left + count, right)) return false;
  }
  return true;
}

std::string Tensor::str() const {
  if (size_ == 0 && shape_.rank() == 0) return "[]";
  std::string out;
  print_axis(*this, 0, 0, out);
  return out;
}

}  // namespace goneuron
