// Drives every op of the table from its samples and rejects: shapes, memory, determinism,
// gradients, messages.
#include <algorithm>

#include "goneuron/error.h"
#include "op_testing.h"

namespace goneuron {

namespace {
using namespace testing_ops;

class Registry : public ::testing::TestWithParam<const OpDef*> {
 protected:
  const OpDef& op() const { return *GetParam(); }
  std::vector<OpSample> small_samples() const {
    std::vector<OpSample> small;
    for (const OpSample& sample : op().samples())
      if (!sample.bench) small.push_back(sample);
    return small;
  }
};

std::string name_of(const ::testing::TestParamInfo<const OpDef*>& info) { return info.param->name; }

TEST_P(Registry, HasEverything) {
  ASSERT_NE(op().infer, nullptr);
  ASSERT_NE(op().reference.f32, nullptr);
  ASSERT_NE(op().reference.f64, nullptr);
  ASSERT_NE(op().samples, nullptr);
  ASSERT_NE(op().rejects, nullptr);
  EXPECT_FALSE(small_samples().empty());
  EXPECT_FALSE(op().rejects().empty());
  EXPECT_EQ(&op_named(op().name), &op());
  const bool differentiable = op().gradient.function() != nullptr;
  EXPECT_NE(differentiable, *op().gradient.reason() != '\0');
  for (const OpSample& sample : op().samples()) {
    const Symbol symbol = make(op(), input_symbols(sample.inputs), sample.attrs);
    if (op().flops == nullptr) continue;
    EXPECT_GT(op().flops(sample.inputs, symbol.expr()->outputs, sample.attrs), 0);
  }
}

TEST_P(Registry, InferredIsExecutedAndRunsAgree) {
  for (const OpSample& sample : small_samples()) {
    const auto inputs = random_inputs(sample);
    const Symbol symbol = make(op(), input_symbols(sample.inputs), sample.attrs);
    for (const DType type : {DType::f32, DType::f64}) {
      StepScalars first = step_scalars(), second = step_scalars();
      const auto a = run_op(op(), inputs, sample.attrs, type, first);
      const auto b = run_op(op(), inputs, sample.attrs, type, second);
      ASSERT_EQ(a.size(), symbol.expr()->outputs.size());
      for (size_t k = 0; k < a.size(); ++k) {
        EXPECT_TRUE(a[k].shape() == symbol.expr()->outputs[k].shape);
        ASSERT_EQ(a[k].bytes(), b[k].bytes());
        EXPECT_EQ(std::memcmp(a[k].raw(), b[k].raw(), static_cast<size_t>(a[k].bytes())), 0)
            << "two runs differ";
      }
    }
  }
}

/// Kernels compute in double and round once, so f32 is within one unit in the last place of f64;
/// the tree adds in f32.
TEST_P(Registry, F32AgainstF64) {
  const double slack = std::string(op().name) == "tree_sum" ? 3 * 8 * 2 * 0x1p-24 : 1e-37;
  for (const OpSample& sample : small_samples()) {
    const auto inputs = random_inputs(sample);
    StepScalars first = step_scalars(), second = step_scalars();
    const auto narrow = run_op(op(), inputs, sample.attrs, DType::f32, first);
    const auto wide = run_op(op(), inputs, sample.attrs, DType::f64, second);
    for (size_t k = 0; k < narrow.size(); ++k) {
      const auto found = numbers(narrow[k]), expected = numbers(wide[k]);
      for (size_t i = 0; i < found.size(); ++i)
        EXPECT_NEAR(found[i], expected[i], std::fabs(expected[i]) * 0x1p-23 + slack)
            << "output " << k << ", element " << i;
    }
  }
}

/// A random weighted sum of the floating outputs that gradients flow from.
Symbol weighted_sum(const Symbol& node) {
  PhiloxStream random(5, 1);
  Symbol total;
  const auto& outputs = node.expr()->outputs;
  for (size_t k = 0; k < outputs.size(); ++k) {
    if (!is_floating(outputs[k].dtype) || (node.expr()->op->detached >> k & 1U)) continue;
    Tensor weights(outputs[k].shape);
    for (i64 i = 0; i < weights.size(); ++i)
      weights.data<float>()[i] = 2 * to_unit(random.next()) - 1;
    std::vector<i64> axes;
    for (i64 i = 0; i < outputs[k].shape.rank(); ++i) axes.push_back(i);
    const Symbol product =
        make("mul", {output_of(node, static_cast<int>(k)), constant_symbol(weights)});
    const Symbol part = make("sum", {product}, {{"axes", axes}, {"keep", i64{0}}});
    total = total ? make("add", {total, part}) : part;
  }
  return total;
}

void check_gradient(const Symbol& loss, const Symbol& gradient, size_t which,
                    const std::vector<Symbol>& symbols, const std::vector<Tensor>& values) {
  constexpr double step = 1e-5;
  StepScalars scalars = step_scalars();
  const Tensor analytic =
      evaluate({gradient}, bind_inputs(symbols, values), DType::f64, scalars)[0];
  ASSERT_TRUE(analytic.shape() == values[which].shape())
      << "the gradient is " << analytic.shape().str() << ", the input "
      << values[which].shape().str();
  auto moved = values;
  for (i64 i = 0; i < analytic.size(); ++i) {
    const auto loss_at = [&](double change) {
      moved[which] = values[which].clone();
      moved[which].data<double>()[i] += change;
      return evaluate({loss}, bind_inputs(symbols, moved), DType::f64, scalars)[0].item();
    };
    const double numeric = (loss_at(step) - loss_at(-step)) / (2 * step),
                 found = analytic.data<double>()[i];
    EXPECT_LE(std::fabs(found - numeric),
              1e-6 * std::max({1.0, std::fabs(found), std::fabs(numeric)}))
        << "input " << which << ", element " << i << ": analytic " << found << ", numeric "
        << numeric;
  }
}

/// The ops that have a gradient; the others give their reason in their file.
class Differentiable : public Registry {};
std::vector<const OpDef*> differentiable_ops() {
  std::vector<const OpDef*> all;
  for (const OpDef* op : op_table())
    if (op->gradient.function() != nullptr) all.push_back(op);
  return all;
}

TEST_P(Differentiable, Gradient) {
  int checked = 0;
  for (const OpSample& sample : small_samples()) {
    const auto symbols = input_symbols(sample.inputs);
    const Symbol loss = weighted_sum(make(op(), symbols, sample.attrs));
    std::vector<Symbol> wanted;
    std::vector<size_t> at;
    std::vector<Tensor> values = random_inputs(sample);
    for (size_t i = 0; i < symbols.size(); ++i) {
      if (!is_floating(sample.inputs[i].dtype) || (op().shape_only >> i & 1U)) continue;
      values[i] = values[i].to(DType::f64);
      wanted.push_back(symbols[i]);
      at.push_back(i);
    }
    if (!loss || wanted.empty()) continue;
    const auto gradients = differentiate(loss, wanted);
    for (size_t i = 0; i < gradients.size(); ++i) {
      if (!gradients[i]) continue;  // no gradient for this input: labels, statistics
      check_gradient(loss, gradients[i], at[i], symbols, values);
      ++checked;
    }
  }
  EXPECT_GT(checked, 0) << "no input of any sample has a gradient";
}

TEST_P(Registry, Rejects) {
  for (const OpReject& reject : op().rejects()) {
    try {
      make(op(), input_symbols(reject.inputs), reject.attrs);
      ADD_FAILURE() << op().name << " accepted what it must refuse with: " << reject.text;
    } catch (const Error& error) {
      EXPECT_NE(std::string(error.what()).find(reject.text), std::string::npos)
          << "expected: " << reject.text << "\nfound: " << error.what();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Ops, Registry, ::testing::ValuesIn(op_table().begin(), op_table().end()),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Ops, Differentiable, ::testing::ValuesIn(differentiable_ops()), name_of);

}  // namespace
}  // namespace goneuron
