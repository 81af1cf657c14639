// Every op on every backend against its f64 reference kernel, in every way in which the backend
// may cut it, on one thread and on three.
#include <algorithm>
#include <map>
#include <tuple>

#include "backends/cpu/attention_loops.h"
#include "bf16_way.h"
#include "core/half.h"
#include "graph/passes/trace.h"
#include "op_testing.h"
#include "plan/executor.h"
#include "winograd_steps.h"

namespace goneuron {
namespace {
using namespace testing_ops;

/// A backend that offers one of its ways to cut a node, so that it is taken.
class OneScheme : public Backend {
 public:
  OneScheme(const Backend& inner, std::string op, size_t which)
      : inner_(inner), op_(std::move(op)), which_(which) {}
  std::string name() const override { return inner_.name(); }
  std::string info() const override { return inner_.info(); }
  bool supports(const Graph& graph, const Node& node) const override {
    return inner_.supports(graph, node);
  }
  std::vector<Scheme> schemes(const Graph& graph, const Node& node) const override {
    auto all = inner_.schemes(graph, node);
    if (op_ != node.op->name) return all;
    count_ = all.size();
    partial_ = all.at(which_).partial;
    name_ = std::string(all[which_].name) + ", " + std::to_string(all[which_].tiles) + " tiles";
    return {all[which_]};
  }
  Call lower(const BoundNode& node) const override { return inner_.lower(node); }

  size_t count() const { return count_; }
  bool partial() const { return partial_; }
  const std::string& scheme() const { return name_; }

 private:
  const Backend& inner_;
  std::string op_;
  size_t which_;
  mutable size_t count_ = 1;
  mutable bool partial_ = false;
  mutable std::string name_ = "reference";
};

/// Where relu makes a pool's maximum 0, its index is not used, and any will do.
void forget_unused_indices(const OpDef& op, const OpSample& sample, std::vector<Tensor>& values) {
  if (std::string_view(op.name) != "conv2d_pool" || sample.attrs.text("activation") != "relu")
    return;
  const Shape& y = values[0].shape();
  const i64 row = y[2] * y[3];
  const auto pooled = numbers(values[0]);
  for (i64 i = 0; i < values[0].size(); ++i) {
    const i64 n = i / row / y[1], py = i / row % y[1];
    if (pooled[static_cast<size_t>(i)] <= 0)
      values[1].data<std::uint8_t>()[(py * y[0] + n) * row + i % row] = 0;
  }
}

std::shared_ptr<const Plan> plan_of(const OpDef& op, const OpSample& sample,
                                    const Backend& backend) {
  TraceSpec spec{.training = true};
  const auto symbols = input_symbols(sample.inputs);
  const Symbol node = make(op, symbols, sample.attrs);
  for (size_t k = 0; k < node.expr()->outputs.size(); ++k)
    spec.outputs.push_back(output_of(node, static_cast<int>(k)));
  spec.inputs = symbols;
  spec.input_types = sample.inputs;
  return std::make_shared<const Plan>(make_plan(trace(spec), backend));
}

std::vector<Tensor> planned(const OpDef& op, const OpSample& sample,
                            const std::vector<Tensor>& inputs, const Backend& backend,
                            int workers) {
  const auto plan = plan_of(op, sample, backend);
  const Arena gradients(plan->gradient_bytes, "the gradients");
  Executor executor(plan, gradients);
  executor.scalars() = step_scalars();
  for (size_t i = 0; i < inputs.size(); ++i)
    if (executor.input(static_cast<int>(i))) executor.set_input(static_cast<int>(i), inputs[i]);
  WorkerPool pool(workers);
  executor.run(pool);
  std::vector<Tensor> values;
  for (size_t i = 0; i < plan->graph.outputs.size(); ++i) {
    const TensorType& type = plan->graph.value(plan->graph.outputs[i]).type;
    values.emplace_back(type.shape, type.dtype);
    if (values.back().bytes() > 0)
      std::memcpy(values.back().raw(), executor.output(static_cast<int>(i)),
                  static_cast<size_t>(values.back().bytes()));
  }
  forget_unused_indices(op, sample, values);
  return values;
}

/// Sums of f32 products are within a few units of the largest result; integers are exact.
void expect_near(const std::vector<Tensor>& got, const std::vector<Tensor>& want,
                 const std::string& where, double units = 64 * 0x1p-24) {
  ASSERT_EQ(got.size(), want.size());
  for (size_t k = 0; k < got.size(); ++k) {
    ASSERT_TRUE(got[k].shape() == want[k].shape());
    const auto found = numbers(got[k]), exact = numbers(want[k]);
    double largest = 1;
    for (const double value : exact) largest = std::max(largest, std::fabs(value));
    const double tolerance = is_floating(got[k].dtype()) ? units * largest : 0;
    int wrong = 0;
    for (size_t i = 0; i < found.size(); ++i) {
      const double error = std::fabs(found[i] - exact[i]);
      if (error <= tolerance || wrong++ > 4) continue;
      ADD_FAILURE() << where << ": output " << k << ", element " << i << " is " << found[i]
                    << ", the reference " << exact[i];
    }
  }
}

bool same_bits(const std::vector<Tensor>& a, const std::vector<Tensor>& b) {
  for (size_t k = 0; k < a.size(); ++k)
    if (a[k].bytes() > 0 &&
        std::memcmp(a[k].raw(), b[k].raw(), static_cast<size_t>(a[k].bytes())) != 0)
      return false;
  return true;
}

/// Random inputs, as they are or as numbers of bf16.
std::vector<Tensor> inputs_of(const OpSample& sample, bool rounded) {
  std::vector<Tensor> inputs = random_inputs(sample);
  for (Tensor& one : inputs)
    for (i64 i = 0; rounded && i < one.size() && is_floating(one.dtype()); ++i)
      one.data()[i] = static_cast<float>(bf16_value(bf16_bits(one.data()[i])));
  return inputs;
}

/// The outputs in f64 of these inputs, computed once for all tests that ask.
const std::vector<Tensor>& exact(const OpDef& op, size_t sample, bool rounded) {
  static std::map<std::tuple<const OpDef*, size_t, bool>, std::vector<Tensor>> all;
  const auto found = all.find({&op, sample, rounded});
  if (found != all.end()) return found->second;
  const OpSample one = op.samples()[sample];
  StepScalars scalars = step_scalars();
  auto values = run_op(op, inputs_of(one, rounded), one.attrs, DType::f64, scalars);
  if (!rounded) forget_unused_indices(op, one, values);
  return all[{&op, sample, rounded}] = std::move(values);
}

class OnBackend : public testing::TestWithParam<std::tuple<const OpDef*, std::string>> {};

TEST_P(OnBackend, AgreesWithTheReferenceHoweverItIsCut) {
  const auto& [op, name] = GetParam();
  const std::vector<OpSample> samples = op->samples();
  for (size_t s = 0; s < samples.size(); ++s) {
    const OpSample& sample = samples[s];
    const auto inputs = inputs_of(sample, false);
    const auto& want = exact(*op, s, false);
    std::vector<Tensor> whole;
    size_t count = 1;
    for (size_t which = 0; which < count; ++which) {
      const OneScheme backend(backend_named(name), op->name, which);
      const auto one = planned(*op, sample, inputs, backend, 1);
      count = backend.count();
      const std::string where = sample.inputs[0].shape.str() + ", " + backend.scheme();
      expect_near(one, want, where);
      if (which == 0) whole = one;
      // Sums in parts may round in another way; cuts of outputs may not.
      EXPECT_TRUE(backend.partial() || same_bits(one, whole)) << where;
      EXPECT_TRUE(same_bits(planned(*op, sample, inputs, backend, 3), one)) << where;
    }
  }
}

class ProductOnBackend : public OnBackend {};

/// Attention in pairs multiplies weights of its own making, too, which are rounded: 2^-9 of each.
double units_of(const OpDef& op) {
  const bool rounds = std::string_view(op.name).starts_with("attention") && cpu::attention_pairs();
  return rounds ? 0x1p-8 : 64 * 0x1p-24;
}

/// Whether all that the op multiplies is rounded: a bias is not, nor do depthwise convolutions and
/// those by Winograd leave floats, nor attention where products of pairs would be no faster.
bool rounds_all(const OpDef& op, const OpSample& sample) {
  if (std::string_view(op.name).starts_with("attention") && !cpu::attention_pairs()) return false;
  size_t read = 0;
  for (size_t i = 0; i < sample.inputs.size(); ++i)
    read += !(op.shape_only >> i & 1U) && is_floating(sample.inputs[i].dtype);
  if (read != 2) return false;
  if (!std::string_view(op.name).starts_with("conv2d")) return true;
  const Shape& w = sample.inputs[std::string_view(op.name) == "conv2d_weight_grad" ? 2 : 1].shape;
  return !cpu::groups_of(sample.attrs, w).depthwise &&
         winograd_steps(*plan_of(op, sample, backend_named("cpu"))) == 0;
}

/// Operands that are bf16 already: the products are exact in floats, so the truth is the same.
void expect_rounding(const OpDef* op, const std::string& name) {
  std::vector<OpSample> samples = op->samples();
  for (size_t s = 0; s < samples.size(); ++s) {
    OpSample& sample = samples[s];
    const auto rough = inputs_of(sample, false), inputs = inputs_of(sample, true);
    const auto& want = exact(*op, s, true);
    sample.attrs.set("bf16", i64{1});
    std::vector<Tensor> whole;
    size_t count = 1;
    for (size_t which = 0; which < count; ++which) {
      const OneScheme backend(backend_named(name), op->name, which);
      const auto one = planned(*op, sample, inputs, backend, 1);
      count = backend.count();
      const std::string where = sample.inputs[0].shape.str() + ", " + backend.scheme();
      expect_near(one, want, where, units_of(*op));
      if (which == 0) whole = one;
      EXPECT_TRUE(backend.partial() || same_bits(one, whole)) << where;
      if (name == "cpu" && rounds_all(*op, sample)) {
        EXPECT_TRUE(same_bits(planned(*op, sample, rough, backend, 3), one)) << where;
      }
    }
  }
}

TEST_P(ProductOnBackend, RoundsItsOperandsToBf16) {
  const auto& [op, name] = GetParam();
  expect_rounding(op, name);
}

class Bf16OnBackend : public OnBackend {
 protected:
  void expect(cpu::Bf16 way) const {
    if (!cpu::available(way)) GTEST_SKIP() << "not on this processor";
    const Bf16Way chosen(way);
    const auto& [op, name] = GetParam();
    expect_rounding(op, name);
  }
};

TEST_P(Bf16OnBackend, FloatsRoundItsOperands) { expect(cpu::Bf16::floats); }
TEST_P(Bf16OnBackend, PairsRoundItsOperands) { expect(cpu::Bf16::pairs); }
TEST_P(Bf16OnBackend, TilesRoundItsOperands) { expect(cpu::Bf16::tiles); }

/// Two labels are no classes: the first is reported, whichever worker meets one first.
TEST(CrossEntropyOnBackend, ReportsTheFirstBadLabelHoweverItIsCut) {
  const std::vector<TensorType> types = {{Shape{64, 256}, DType::f32}, {Shape{64}, DType::i32}};
  TraceSpec spec{.training = true};
  spec.inputs = input_symbols(types);
  spec.input_types = types;
  spec.outputs = {make("softmax_cross_entropy", spec.inputs)};
  size_t cuts = 1;
  for (size_t which = 0; which < cuts; ++which) {
    const OneScheme backend(backend_named("cpu"), "softmax_cross_entropy", which);
    const auto plan = std::make_shared<const Plan>(make_plan(trace(spec), backend));
    cuts = backend.count();
    const Arena gradients(plan->gradient_bytes, "the gradients");
    Executor executor(plan, gradients);
    executor.scalars() = step_scalars();
    auto* labels = static_cast<std::int32_t*>(executor.input(1));
    std::fill_n(labels, 64, 7);
    labels[40] = 256;
    labels[9] = -1;
    WorkerPool pool(3);
    executor.run(pool);
    EXPECT_EQ(executor.scalars().code, status_label_range) << backend.scheme();
    EXPECT_EQ(executor.scalars().row, 9) << backend.scheme();
    EXPECT_EQ(executor.scalars().value, -1) << backend.scheme();
  }
  EXPECT_GT(cuts, 1U);  // it is cut, then
}

/// Ops that write to variables are driven by the optimizers' and layers' tests.
std::vector<const OpDef*> pure_ops() {
  std::vector<const OpDef*> all;
  for (const OpDef* op : op_table())
    if (!op->mutates) all.push_back(op);
  return all;
}

std::vector<const OpDef*> products() {
  std::vector<const OpDef*> all;
  for (const OpDef* op : pure_ops())
    if (op->bf16) all.push_back(op);
  return all;
}

const auto name_of = [](const auto& info) {
  return std::string(std::get<0>(info.param)->name) + "_" + std::get<1>(info.param);
};
INSTANTIATE_TEST_SUITE_P(Products, ProductOnBackend,
                         testing::Combine(testing::ValuesIn(products()),
                                          testing::ValuesIn(backend_names())),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Products, Bf16OnBackend,
                         testing::Combine(testing::ValuesIn(products()), testing::Values("cpu")),
                         name_of);
INSTANTIATE_TEST_SUITE_P(Ops, OnBackend,
                         testing::Combine(testing::ValuesIn(pure_ops()),
                                          testing::ValuesIn(backend_names())),
                         name_of);

}  // namespace
}  // namespace goneuron
