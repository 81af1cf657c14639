// Checks and small tools that the op files share: dtypes, shapes with Any, attributes that may come
// from a hostile file, and short names for sample types.
#pragma once

#include <cmath>
#include <initializer_list>
#include <string>
#include <vector>

#include "core/checked_math.h"
#include "graph/op_def.h"

namespace goneuron {

inline TensorType f32(std::initializer_list<i64> dims) { return {Shape(dims), DType::f32}; }
inline TensorType i32(std::initializer_list<i64> dims) { return {Shape(dims), DType::i32}; }
inline TensorType u8(std::initializer_list<i64> dims) { return {Shape(dims), DType::u8}; }

inline bool agree(i64 a, i64 b) { return a == b || a == Any || b == Any; }

inline bool agree(const Shape& a, const Shape& b) {
  if (a.rank() != b.rank()) return false;
  for (int i = 0; i < a.rank(); ++i)
    if (!agree(a[i], b[i])) return false;
  return true;
}

/// Where one of them does not know a dimension, the other's.
inline Shape merge(const Shape& a, const Shape& b) {
  Shape merged = a;
  for (int i = 0; i < a.rank(); ++i)
    if (a[i] == Any) merged.set(i, b[i]);
  return merged;
}

inline bool computable(DType dtype) { return dtype == DType::f32 || dtype == DType::f64; }

/// The common floating dtype of `which` inputs; TypeError otherwise.
inline DType check_floating(const InferContext& c, std::initializer_list<int> which) {
  const int first = *which.begin();
  for (const int i : which) {
    if (!computable(c.dtype(i)))
      c.fail_type(
          "input " + std::to_string(i + 1) + " is " + dtype_name(c.dtype(i)) + "; it must be f32",
          "cast it to f32 first");
    if (c.dtype(i) != c.dtype(first))
      c.fail_type(
          "inputs of " + std::string(dtype_name(c.dtype(first))) + " and " + dtype_name(c.dtype(i)),
          "cast one of them: both must have the same dtype");
  }
  return c.dtype(first);
}

inline void check_dtype(const InferContext& c, int i, DType dtype, const std::string& what) {
  if (c.dtype(i) != dtype)
    c.fail_type(what + " are " + dtype_name(c.dtype(i)) + "; they must be " + dtype_name(dtype),
                "cast them to " + std::string(dtype_name(dtype)));
}

/// The shape of inputs i and j, which must be alike.
inline Shape check_same_shape(const InferContext& c, int i, int j) {
  if (!agree(c.shape(i), c.shape(j)))
    c.fail("shapes " + c.shape(i).str() + " and " + c.shape(j).str() +
               " differ; they must be the same",
           "reshape one of them, or check what feeds it");
  return merge(c.shape(i), c.shape(j));
}

/// Input i must have the shape `expected`.
inline void check_shape(const InferContext& c, int i, const Shape& expected,
                        const std::string& what, const char* hint = "check what feeds it") {
  if (!agree(c.shape(i), expected))
    c.fail(what + " is " + c.shape(i).str() + "; it must be " + expected.str(), hint);
}

inline constexpr const char* mask_hint =
    "a mask has one number for each step of the sequences beside it";

inline void check_rank(const InferContext& c, int i, int rank, const std::string& layout) {
  if (c.shape(i).rank() != rank)
    c.fail("input " + std::to_string(i + 1) + " has " + std::to_string(c.shape(i).rank()) +
               " dimensions; it must have " + std::to_string(rank) + ": " + layout,
           "reshape it first");
}

inline void check_last_axis(const InferContext& c, int i) {
  if (c.shape(i).rank() == 0)
    c.fail("input " + std::to_string(i + 1) + " is a scalar; it needs a last axis",
           "reshape it to [n] or [batch, n]");
}

/// Numbers from a file may be anything: those that are not in [low, high] are refused.
inline double check_real(const InferContext& c, const char* name, double low, double high) {
  const double value = c.attrs.real(name);
  if (!(value >= low && value <= high))
    c.fail(std::string(name) + " is " + std::to_string(value) + "; it must be in [" +
               std::to_string(low) + ", " + std::to_string(high) + "]",
           "give another " + std::string(name));
  return value;
}
inline constexpr double huge = 1e30;  // a bound for numbers that need only be finite

inline i64 check_integer(const InferContext& c, const char* name, i64 value, i64 low, i64 high) {
  if (value < low || value > high)
    c.fail(std::string(name) + " is " + std::to_string(value) + "; it must be from " +
               std::to_string(low) + " to " + std::to_string(high),
           "give another " + std::string(name));
  return value;
}
inline bool check_flag(const InferContext& c, const char* name) {
  return check_integer(c, name, c.attrs.integer(name, 0), 0, 1) == 1;
}

/// Elements of all dimensions but the last.
inline i64 row_count(const Shape& shape) {
  i64 rows = 1;
  for (int i = 0; i + 1 < shape.rank(); ++i) rows = checked_mul(rows, shape[i]);
  return rows;
}
inline i64 last_of(const Shape& shape) { return shape[-1]; }

/// `shape` without its last axis.
inline Shape without_last(const Shape& shape) {
  return Shape(std::vector<i64>(shape.begin(), shape.end() - 1));
}

template <class T>
const T* input(const KernelArgs& args, size_t i) {
  return args.inputs[i].as<const T>();
}
template <class T>
T* output(const KernelArgs& args, size_t i) {
  return args.outputs[i].as<T>();
}

/// OpDef::in_place of elementwise ops.
inline constexpr unsigned any_input = ~0U;

inline double count(const TensorType& type) { return static_cast<double>(type.shape.elements()); }
inline double elementwise_flops(const std::vector<TensorType>&,
                                const std::vector<TensorType>& outputs, const Attrs&) {
  return count(outputs[0]);
}

}  // namespace goneuron
