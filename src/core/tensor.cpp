#include "goneuron/tensor.h"

#include <cstdlib>
#include <cstring>
#include <new>

#include "core/arena.h"
#include "core/checked_math.h"
#include "core/memory.h"
#include "core/message.h"
#include "core/ownership.h"
#include "core/tensor_values.h"

namespace goneuron {

namespace {

constexpr size_t alignment = 64;  // a cache line, and the widest vector

[[noreturn]] void out_of_memory(const Shape& shape, DType dtype, i64 bytes, Site site) {
  throw_memory({user_place("Tensor", site),
                "a tensor needs " + bytes_text(bytes) + ", and " + bytes_text(machine_memory()) +
                    " can be had",
                {{"shape", shape.str() + " " + dtype_name(dtype)}},
                "make the tensor smaller, use a narrower dtype, or free memory"});
}

std::shared_ptr<void> allocate(const Shape& shape, DType dtype, i64 bytes, Site site) {
  // PTRDIFF_MAX less the rounding below: what no allocator can give.
  if (bytes > INT64_MAX - static_cast<i64>(alignment)) out_of_memory(shape, dtype, bytes, site);
  // A large block may be promised and not be there once it is touched.
  constexpr i64 large = i64{64} << 20;
  if (bytes >= large && bytes > machine_memory()) out_of_memory(shape, dtype, bytes, site);
  // Huge pages: rows of a large data set are read in random order, and would miss a page each.
  constexpr i64 huge = i64{8} << 20;
  if (bytes >= huge) {
    std::shared_ptr<void> pages = map_pages(bytes);
    if (pages == nullptr) out_of_memory(shape, dtype, bytes, site);
    std::memset(pages.get(), 0, static_cast<size_t>(bytes));
    return pages;
  }
  const auto rounded = static_cast<size_t>(round_up(bytes, alignment));
  void* memory = std::aligned_alloc(alignment, rounded);
  if (memory == nullptr) out_of_memory(shape, dtype, bytes, site);
  std::memset(memory, 0, rounded);
  try {
    return {memory, std::free};  // frees `memory` when it throws
  } catch (const std::bad_alloc&) {
    out_of_memory(shape, dtype, bytes, site);
  }
}

void check_count(i64 found, const Shape& shape, Site site) {
  const i64 expected = shape.elements(site);
  if (found == expected) return;
  throw_shape({user_place("Tensor", site),
               counted(found, "value") + " for the shape; expected " + std::to_string(expected),
               {{"shape", shape.str()}},
               "give as many values as the product of the dimensions"});
}

void check_memory(const void* memory, const Shape& shape, Site site) {
  if (memory != nullptr || shape.elements(site) == 0) return;
  throw_data({user_place("Tensor", site),
              "the memory given is a null pointer",
              {{"shape", shape.str()}},
              "pass the address of the first of " + std::to_string(shape.elements()) + " values"});
}

void copy_bytes(void* to, const void* from, i64 bytes) {
  if (bytes > 0) std::memcpy(to, from, static_cast<size_t>(bytes));
}

template <class T>
constexpr DType dtype_of = DType::f32;
template <>
constexpr DType dtype_of<double> = DType::f64;
template <>
constexpr DType dtype_of<std::int32_t> = DType::i32;
template <>
constexpr DType dtype_of<std::uint8_t> = DType::u8;
template <>
constexpr DType dtype_of<std::int8_t> = DType::i8;
template <>
constexpr DType dtype_of<std::int16_t> = DType::i16;

[[noreturn, gnu::noinline]] void wrong_type(DType wanted, const Tensor& tensor, Site site) {
  throw_type({user_place("Tensor::data", site),
              std::string("the elements are read as ") + dtype_name(wanted) + "; expected " +
                  dtype_name(tensor.dtype()) + ", which they are",
              {{"shape", tensor.shape().str()}},
              std::string("convert first: t.to(DType::") + dtype_name(wanted) +
                  "), or ask for the type that is there"});
}
void check_type(DType wanted, const Tensor& tensor, Site site) {
  if (tensor.dtype() != wanted) wrong_type(wanted, tensor, site);
}

}  // namespace

Tensor::Tensor(const Shape& shape, DType dtype, Site site)
    : shape_(shape), size_(shape.elements(site)), dtype_(dtype) {
  if (bytes() == 0) return;
  std::shared_ptr<void> memory = allocate(shape, dtype, bytes(), site);
  memory_ = memory.get();
  owner_ = owned(std::move(memory));
}

Tensor::Tensor(const float* values, const Shape& shape, Site site)
    : Tensor(shape, DType::f32, site) {
  check_memory(values, shape, site);
  copy_bytes(memory_, values, bytes());
}

Tensor::Tensor(const std::vector<float>& values)
    : Tensor(values, Shape{static_cast<i64>(values.size())}) {}

Tensor::Tensor(const std::vector<float>& values, const Shape& shape, Site site)
    : Tensor(std::span<const float>(values), shape, site) {}

Tensor::Tensor(std::span<const float> values, const Shape& shape, Site site) {
  check_count(static_cast<i64>(values.size()), shape, site);
  *this = Tensor(values.data(), shape, site);
}

Tensor::Tensor(const std::vector<std::int32_t>& labels)
    : Tensor(labels, Shape{static_cast<i64>(labels.size())}) {}

Tensor::Tensor(const std::vector<std::int32_t>& values, const Shape& shape, Site site)
    : Tensor(std::span<const std::int32_t>(values), shape, site) {}

Tensor::Tensor(std::span<const std::int32_t> values, const Shape& shape, Site site) {
  check_count(static_cast<i64>(values.size()), shape, site);
  *this = Tensor(shape, DType::i32, site);
  copy_bytes(memory_, values.data(), bytes());
}

Tensor::Tensor(std::initializer_list<std::initializer_list<float>> rows, Site site) {
  const i64 columns = rows.size() == 0 ? 0 : static_cast<i64>(rows.begin()->size());
  *this = Tensor(Shape{static_cast<i64>(rows.size()), columns});
  i64 index = 0;
  for (const auto& row : rows) {
    const auto found = static_cast<i64>(row.size());
    if (found != columns)
      throw_shape({user_place("Tensor", site),
                   "row " + std::to_string(index) + " has " + counted(found, "value") +
                       "; expected " + std::to_string(columns) + ", as row 0 has",
                   {},
                   "give every row the same number of values"});
    copy_bytes(static_cast<float*>(memory_) + index * columns, row.begin(), found * 4);
    ++index;
  }
}

Tensor Tensor::view(void* memory, const Shape& shape, DType dtype, Site site) {
  return adopt({}, memory, shape, dtype, site);
}

Tensor Tensor::adopt(KeepAlive owner, void* memory, const Shape& shape, DType dtype, Site site) {
  check_memory(memory, shape, site);
  Tensor out;
  out.owner_ = std::move(owner);
  out.memory_ = memory;
  out.shape_ = shape;
  out.size_ = shape.elements();
  out.dtype_ = dtype;
  checked_mul(out.size_, dtype_size(dtype));
  return out;
}

i64 Tensor::bytes() const { return checked_mul(size_, dtype_size(dtype_)); }

template <class T>
T* Tensor::data(Site site) {
  check_type(dtype_of<T>, *this, site);
  return static_cast<T*>(memory_);
}

template <class T>
const T* Tensor::data(Site site) const {
  check_type(dtype_of<T>, *this, site);
  return static_cast<const T*>(memory_);
}

template float* Tensor::data<float>(Site);
template double* Tensor::data<double>(Site);
template std::int32_t* Tensor::data<std::int32_t>(Site);
template std::uint8_t* Tensor::data<std::uint8_t>(Site);
template std::int8_t* Tensor::data<std::int8_t>(Site);
template std::int16_t* Tensor::data<std::int16_t>(Site);
template const float* Tensor::data<float>(Site) const;
template const double* Tensor::data<double>(Site) const;
template const std::int32_t* Tensor::data<std::int32_t>(Site) const;
template const std::uint8_t* Tensor::data<std::uint8_t>(Site) const;
template const std::int8_t* Tensor::data<std::int8_t>(Site) const;
template const std::int16_t* Tensor::data<std::int16_t>(Site) const;

Tensor Tensor::clone() const {
  if (memory_ == nullptr) return *this;
  Tensor out(shape_, dtype_);
  copy_bytes(out.memory_, memory_, bytes());
  return out;
}

}  // namespace goneuron
