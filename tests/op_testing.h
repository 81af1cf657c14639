// Tools of the op tests: random inputs for a sample, kernels run between sentinel bytes,
// comparisons.
#pragma once

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <string>
#include <vector>

#include "core/rng.h"
#include "graph/evaluate.h"
#include "graph/passes/differentiate.h"

namespace goneuron::testing_ops {

/// A number in [low, high], at least 1e-3 away from every kink; exactly an f32.
inline double draw(PhiloxStream& random, const OpSample& sample) {
  for (;;) {
    const double value =
        static_cast<float>(sample.low + (sample.high - sample.low) * to_unit(random.next()));
    bool good = true;
    for (const double kink : sample.avoid) good = good && std::fabs(value - kink) > 1e-3;
    if (good) return value;
  }
}

inline std::vector<Tensor> random_inputs(const OpSample& sample, std::uint64_t seed = 1) {
  PhiloxStream random(seed, 7);
  std::vector<Tensor> inputs;
  for (const TensorType& type : sample.inputs) {
    Tensor tensor(type.shape, type.dtype);
    const auto below = static_cast<std::uint32_t>(sample.int_below);
    for (i64 i = 0; i < tensor.size(); ++i) {
      if (type.dtype == DType::u8)
        tensor.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(random.below(below));
      else if (type.dtype == DType::i32)
        tensor.data<std::int32_t>()[i] = static_cast<std::int32_t>(random.below(below));
      else
        tensor.data<float>()[i] = static_cast<float>(draw(random, sample));
    }
    if (const size_t at = inputs.size();
        at < sample.integers.size() && !sample.integers[at].empty()) {
      EXPECT_EQ(static_cast<i64>(sample.integers[at].size()), tensor.size()) << "input " << at;
      std::copy(sample.integers[at].begin(), sample.integers[at].end(),
                tensor.data<std::int32_t>());
    }
    inputs.push_back(tensor);
  }
  return inputs;
}

/// Optimizers and dropout need some; the same for every run.
inline StepScalars step_scalars() {
  StepScalars scalars;
  scalars.learning_rate = 0.1;
  scalars.step = 2;
  scalars.correction1 = 1 - 0.9 * 0.9;
  scalars.correction2 = 1 - 0.999 * 0.999;
  scalars.seed = 42;
  scalars.counter = 3;
  scalars.share = 0.3;
  scalars.adds = true;
  return scalars;
}

inline std::vector<Symbol> input_symbols(const std::vector<TensorType>& types) {
  std::vector<Symbol> symbols;
  for (const TensorType& type : types) {
    std::string name = "x";
    name += std::to_string(symbols.size());
    symbols.push_back(input_symbol(type, name));
  }
  return symbols;
}

inline std::vector<std::pair<Symbol, Tensor>> bind_inputs(const std::vector<Symbol>& symbols,
                                                          const std::vector<Tensor>& values) {
  std::vector<std::pair<Symbol, Tensor>> bound;
  for (size_t i = 0; i < symbols.size(); ++i) bound.emplace_back(symbols[i], values[i]);
  return bound;
}

/// The elements of a tensor as numbers, whatever its dtype.
inline std::vector<double> numbers(const Tensor& tensor) {
  const auto all = [&](const auto* from) {
    return std::vector<double>(from, from + tensor.size());
  };
  switch (tensor.dtype()) {
    case DType::f32:
      return all(tensor.data<float>());
    case DType::f64:
      return all(tensor.data<double>());
    case DType::i32:
      return all(tensor.data<std::int32_t>());
    case DType::u8:
      return all(tensor.data<std::uint8_t>());
    case DType::i8:
      return all(tensor.data<std::int8_t>());
    default:
      return all(tensor.data<std::int16_t>());
  }
}

inline constexpr size_t guard_bytes = 64;
inline constexpr unsigned char sentinel = 0xA5;

/// Output memory with sentinel bytes before and after it, all of them sentinels at first.
struct Guarded {
  std::vector<unsigned char> bytes;
  TensorRef ref;
  explicit Guarded(const TensorType& type)
      : bytes(2 * guard_bytes + static_cast<size_t>(type.shape.elements() * dtype_size(type.dtype)),
              sentinel),
        ref{bytes.data() + guard_bytes, type.shape, type.dtype} {}
  bool intact() const {
    for (size_t i = 0; i < guard_bytes; ++i)
      if (bytes[i] != sentinel || bytes[bytes.size() - 1 - i] != sentinel) return false;
    return true;
  }
  Tensor tensor() const { return Tensor::view(ref.data, ref.shape, ref.dtype).clone(); }
};

/// Runs one kernel on copies of `inputs`, whose memory must stay as it was, with outputs between
/// sentinels.
inline std::vector<Tensor> run_op(const OpDef& op, const std::vector<Tensor>& inputs,
                                  const Attrs& attrs, DType float_type, StepScalars& scalars) {
  std::vector<Tensor> operands, before;
  std::vector<TensorType> types;
  KernelArgs args{{}, {}, attrs, scalars};
  for (size_t i = 0; i < inputs.size(); ++i) {
    operands.push_back(is_floating(inputs[i].dtype()) ? inputs[i].to(float_type)
                                                      : inputs[i].clone());
    before.push_back(operands[i].clone());
    types.push_back({operands[i].shape(), operands[i].dtype()});
    args.inputs.push_back(
        {op.shape_only >> i & 1U ? nullptr : operands[i].raw(), types[i].shape, types[i].dtype});
  }
  auto inferred = op.infer({op, types, attrs, nullptr, {}});
  std::vector<Guarded> slots;
  for (TensorType& type : inferred) {
    if (is_floating(type.dtype)) type.dtype = float_type;
    slots.emplace_back(type);
  }
  for (Guarded& slot : slots) args.outputs.push_back(slot.ref);
  (float_type == DType::f64 ? op.reference.f64 : op.reference.f32)(args);
  std::vector<Tensor> results;
  for (const Guarded& slot : slots) {
    EXPECT_TRUE(slot.intact()) << op.name << " wrote outside its output";
    results.push_back(slot.tensor());
  }
  for (size_t i = 0; i < operands.size(); ++i) {
    const auto bytes = static_cast<size_t>(before[i].bytes());
    const bool same = bytes == 0 || std::memcmp(operands[i].raw(), before[i].raw(), bytes) == 0;
    EXPECT_TRUE(same) << op.name << " wrote to input " << i;
  }
  return results;
}

inline void expect_close(const Tensor& a, const Tensor& b, double tolerance) {
  ASSERT_TRUE(a.shape() == b.shape()) << a.shape().str() << " and " << b.shape().str();
  const auto found = numbers(a), expected = numbers(b);
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_NEAR(found[i], expected[i], tolerance * std::max(1.0, std::fabs(expected[i])))
        << "element " << i;
}

}  // namespace goneuron::testing_ops
