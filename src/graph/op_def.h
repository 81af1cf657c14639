// OpDef: a row of the op table. An op is one file in src/ops/ that returns its row (and those of
// its gradients). Shape function, gradient, reference kernel, samples and rejects stand together;
// nothing else knows an op by name except the backends that have a faster kernel for it and the
// fusion patterns.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "graph/expr.h"

namespace goneuron {

/// What a shape function sees. Dimensions may be Any (the batch).
struct InferContext {
  const OpDef& op;
  const std::vector<TensorType>& inputs;
  const Attrs& attrs;
  const std::vector<Symbol>* symbols =
      nullptr;  // where the inputs came from, for messages; null inside passes
  Site site;

  const Shape& shape(int i) const { return inputs[static_cast<size_t>(i)].shape; }
  DType dtype(int i) const { return inputs[static_cast<size_t>(i)].dtype; }
  /// ShapeError: the layer being built (else the op), its line, `what`, a line per input, the hint.
  [[noreturn]] void fail(const std::string& what, const std::string& hint) const;
  [[noreturn]] void fail_type(const std::string& what, const std::string& hint) const;
};
using InferFunction = std::vector<TensorType> (*)(const InferContext&);

/// What a gradient function sees: the node, and the gradient that flows into each of its outputs.
struct GradContext {
  Symbol node;                  // output 0 of the node
  std::vector<Symbol> outputs;  // gradients; a null Symbol where none flows in

  Symbol input(int i) const { return node.expr()->inputs[static_cast<size_t>(i)]; }
  Symbol output(int i = 0) const { return output_of(node, i); }
  Symbol grad(int i = 0) const { return outputs[static_cast<size_t>(i)]; }
  const Attrs& attrs() const { return node.expr()->attrs; }
};
/// One Symbol an input; a null one where the op has no gradient for that input (labels, indices).
using GradientFunction = std::vector<Symbol> (*)(const GradContext&);

/// Either a function or the reason why there is none; an OpDef without one does not compile.
/// Without one, a loss that reaches a weight through the op is an error; where it `stops`, the op
/// counts as a constant.
class Gradient {
 public:
  constexpr Gradient(GradientFunction function)
      : function_(function) {}  // NOLINT: converts on purpose
  static constexpr Gradient none(const char* reason) { return {nullptr, reason, false}; }
  static constexpr Gradient stops(const char* reason) { return {nullptr, reason, true}; }
  GradientFunction function() const { return function_; }
  const char* reason() const { return reason_; }
  bool is_stop() const { return stops_; }

 private:
  constexpr Gradient(GradientFunction function, const char* reason, bool stops)
      : function_(function), reason_(reason), stops_(stops) {}
  GradientFunction function_;
  const char* reason_ = "";
  bool stops_ = false;
};

/// The scalars that a step reads at run time, and the status that it writes: never baked into a
/// plan.
struct StepScalars {
  double learning_rate = 0;
  double step = 0;            // of the optimizer, from 1
  double correction1 = 1;     // 1 - beta1^step
  double correction2 = 1;     // 1 - beta2^step
  std::uint64_t seed = 0;     // of dropout
  std::uint64_t counter = 0;  // step index for random numbers
  i64 first_sample = 0;  // index of the batch's first row in the whole batch, for random numbers
  double share = 1;      // of this batch in the gradients that an update adds up
  bool adds = false;     // the batch's gradients are added to those before it
  // The status word. A kernel that finds bad values sets `code` if it is still 0; updates of
  // variables do nothing while it is not 0.
  int code = 0;      // StatusCode
  i64 row = -1;      // the sample
  double value = 0;  // what was found there
};
enum StatusCode : int {
  status_ok = 0,
  status_label_range = 1,
  status_not_finite = 2,
  status_gradient_not_finite = 3,
  status_index_range = 4,
  status_value_range = 5
};

/// A tensor handed to a reference kernel.
struct TensorRef {
  void* data = nullptr;
  Shape shape;
  DType dtype = DType::f32;
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
  i64 size() const { return shape.elements(); }
};
struct KernelArgs {
  std::vector<TensorRef> outputs, inputs;
  const Attrs& attrs;
  StepScalars& scalars;
};
/// Plain loops, double accumulation not required but order fixed. `f64` is the same template on
/// double: every floating input and output is then f64, integers keep their dtype.
struct Reference {
  void (*f32)(const KernelArgs&) = nullptr;
  void (*f64)(const KernelArgs&) = nullptr;
};

/// What becomes of the batch axis: kept (row i of the outputs needs row i of the inputs alone),
/// reduced (summed over), or mixed.
enum class Batch : std::uint8_t { kept, reduced, mixed };

/// Inputs that drive the shape test, the gradient check, backend comparison and micro-benchmarks.
struct OpSample {
  std::vector<TensorType> inputs;
  Attrs attrs;
  double low = -2, high = 2;  // range of the random floating inputs
  std::vector<double> avoid;  // kinks: inputs keep 1e-3 away from these
  i64 int_below = 2;          // integer inputs are in [0, int_below)
  bool bench = false;         // large: for speed only, not for the gradient check
  // Values of integer inputs that must fit each other (a permutation), by input; empty: random.
  std::vector<std::vector<std::int32_t>> integers = {};
};
/// Bad inputs, and a part of the message they must give.
struct OpReject {
  std::vector<TensorType> inputs;
  Attrs attrs;
  std::string text;
};

struct OpDef {
  const char* name;
  int min_inputs, max_inputs;
  InferFunction infer;
  Gradient gradient;
  Reference reference;
  Batch batch = Batch::kept;
  unsigned mutates =
      0;  // bit i: input i is a variable that the op writes; output k is the k-th of them
  unsigned shape_only = 0;  // bit i: only the shape of input i is read
  // bit i: every kernel may be given the memory of input i for output 0, where both have as many
  // elements: it reads element k of the inputs before it writes element k, and none after.
  unsigned in_place = 0;
  bool guards = false;  // it may set the status, not being the loss: updates wait for it
  // A product: with the attribute "bf16" a kernel may round what it multiplies to bf16. Sums and
  // outputs stay floats; the reference kernel has no need to.
  bool bf16 = false;
  // bit i: no gradient flows from output i: statistics, and what is kept for the gradient op alone.
  unsigned detached = 0;
  bool alias = false;  // output 0 is input 0's memory under another shape (reshape)
  double (*flops)(const std::vector<TensorType>& inputs, const std::vector<TensorType>& outputs,
                  const Attrs&) = nullptr;
  std::vector<OpSample> (*samples)() = nullptr;
  std::vector<OpReject> (*rejects)() = nullptr;
};

/// Every op there is, by name order; generated by CMake from src/ops/*.cpp.
std::span<const OpDef* const> op_table();
/// The op `name`; throws GraphError when there is none.
const OpDef& op_named(std::string_view name);

}  // namespace goneuron
