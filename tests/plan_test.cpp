// What a plan promises, on real models and on random graphs: no two values alive at once share
// memory, no worker meets what another one has not finished, dead memory is dead, peak memory is
// near what must be alive, and the values are those of the graph.
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <utility>

#include "backends/cpu/follower.h"
#include "graph/evaluate.h"
#include "graph/passes/trace.h"
#include "plan_models.h"
#include "plan_run.h"
#include "train/model_impl.h"

namespace goneuron::testing_plan {
namespace {

Tensor random_tensor(const Shape& shape, unsigned seed) {
  std::mt19937 random(seed);
  Tensor values(shape);
  for (i64 i = 0; i < values.size(); ++i)
    values.data()[i] = static_cast<float>(random() % 20001) / 10000 - 1;
  return values;
}
Tensor random_labels(i64 count, int classes) {
  std::mt19937 random(5);
  Tensor labels(Shape{count}, DType::i32);
  for (i64 i = 0; i < count; ++i)
    labels.data<std::int32_t>()[i] =
        static_cast<std::int32_t>(random() % static_cast<unsigned>(classes));
  return labels;
}

StepScalars scalars() {
  StepScalars s;
  s.learning_rate = 0.1;
  s.step = 1;
  s.seed = 11;
  s.counter = 3;
  return s;
}

/// A case made ready: the plan of its training step, and a batch.
struct Subject {
  explicit Subject(const PlanCase& from)
      : model(from.model()),
        target(target_type(from.target, from.classes ? DType::i32 : DType::f32)) {
    ModelImpl& m = *model.impl();
    if (!m.built()) model.build(from.sample);
    x = random_tensor(m.inputs[0].shape().without_batch().with_batch(from.batch), 1);
    y = from.classes ? random_labels(from.batch, from.classes)
                     : random_tensor(from.target.with_batch(from.batch), 2);
    plan = plan_for(m, Mode::train, from.batch, target);
    m.allocate_slots();
    // Averages of some steps: the first step divides each gradient by its own size, which makes
    // something of the roundings of those that are nearly 0.
    for (const auto& [variable, slots] : m.slots)
      for (const auto& slot : slots) std::fill_n(slot->value.data(), slot->value.size(), 0.01F);
  }

  std::vector<Tensor> results(Layout layout, const std::function<void(PlanRun&)>& run) const {
    PlanRun bound(*plan, layout, scalars());
    bound.set_input(0, x);
    bound.set_input(1, y);
    run(bound);
    EXPECT_TRUE(bound.intact()) << "bytes around a slot were written";
    EXPECT_EQ(bound.scalars.code, status_ok);
    return bound.results();
  }
  /// Every value in its own memory, one step after the other: nothing to get wrong.
  std::vector<Tensor> plain() const {
    return results(Layout::apart, [](PlanRun& run) { run.run(); });
  }

  Model model;
  TensorType target;
  Tensor x, y;
  std::shared_ptr<const Plan> plan;
};

void expect_same_bits(const std::vector<Tensor>& found, const std::vector<Tensor>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < found.size(); ++i)
    EXPECT_EQ(std::memcmp(found[i].raw(), expected[i].raw(), static_cast<size_t>(found[i].bytes())),
              0)
        << "result " << i;
}

bool one_worker(const PlannedStep& a, const Touch& x, const PlannedStep& b, const Touch& y) {
  if (a.scheme.tiles == 1 && b.scheme.tiles == 1) return true;
  return a.scheme.tiles == b.scheme.tiles && !x.access.all && !y.access.all &&
         x.access.part == y.access.part && x.access.part.tiles == a.scheme.tiles;
}

/// The same halves for two workers, each made of whole tiles of both cuts.
bool same_halves(const Touch& x, const Touch& y) {
  const Partition &a = x.access.part, &b = y.access.part;
  if (x.access.all || y.access.all || a.outer != b.outer || a.tiles % 2 != 0 || b.tiles % 2 != 0)
    return false;
  const i64 more = std::max(a.tiles, b.tiles), fewer = std::min(a.tiles, b.tiles);
  return a.units == a.tiles && b.units == b.tiles && more % fewer == 0;
}

/// A step is marked when what it writes is read by the other one of two workers, and only then.
int check_crossings(const Plan& plan) {
  std::vector<bool> crosses(plan.steps.size());
  for (const auto& value : touches(plan))
    for (const Touch& x : value)
      for (const Touch& y : value) {
        const auto step = static_cast<size_t>(x.step), other = static_cast<size_t>(y.step);
        if (x.write && x.step != y.step && !one_worker(plan.steps[step], x, plan.steps[other], y) &&
            !same_halves(x, y))
          crosses[step] = true;
      }
  int marked = 0;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const Node& node = plan.graph.nodes[static_cast<size_t>(plan.steps[s].node)];
    EXPECT_EQ(plan.steps[s].scheme.crosses, crosses[s]) << "step " << s << ", " << node.op->name;
    marked += node.op->mutates != 0 && crosses[s] && plan.steps[s].scheme.tiles > 1;
  }
  return marked;
}

/// Reads come after the write, and a barrier stands between unless every worker meets its own part.
void check_order(const Plan& plan) {
  const auto all = touches(plan);
  for (size_t v = 0; v < all.size(); ++v) {
    const bool made =
        plan.slots[v].place == Place::activations || plan.slots[v].place == Place::gradients;
    if (made && !all[v].empty()) {
      EXPECT_TRUE(all[v].front().write) << "value " << v << " is read before it is written";
    }
    for (const Touch& x : all[v])
      for (const Touch& y : all[v]) {
        const auto &a = plan.steps[static_cast<size_t>(x.step)],
                   &b = plan.steps[static_cast<size_t>(y.step)];
        if (x.step >= y.step || (!x.write && !y.write) || a.phase < b.phase) continue;
        EXPECT_TRUE(one_worker(a, x, b, y))
            << "value " << v << ", steps " << x.step << " and " << y.step << " without a barrier";
      }
  }
  for (size_t s = 1; s < plan.steps.size(); ++s)
    EXPECT_EQ(plan.steps[s].phase - plan.steps[s - 1].phase,
              static_cast<int>(plan.steps[s].barrier_before));
}

bool overlap(const Slot& a, const Slot& b) {
  return a.place == b.place && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes;
}

/// `first` is dead for every worker when it starts on `second`, which lies on it.
bool follows(const Plan& plan, const std::vector<Touch>& first, const Slot& first_slot,
             const std::vector<Touch>& second, const Slot& second_slot) {
  for (const Touch& x : first)
    for (const Touch& y : second) {
      const auto &a = plan.steps[static_cast<size_t>(x.step)],
                 &b = plan.steps[static_cast<size_t>(y.step)];
      if (x.step > y.step) return false;
      if (x.step == y.step &&
          (plan.graph.nodes[static_cast<size_t>(a.node)].op->in_place == 0 || x.write || !y.write))
        return false;
      if (a.phase < b.phase) continue;
      const bool same_bytes =
          first_slot.offset == second_slot.offset && first_slot.bytes == second_slot.bytes;
      if (!one_worker(a, x, b, y) || (a.scheme.tiles > 1 && !same_bytes)) return false;
      if (x.step == y.step && !same_bytes) return false;
    }
  return true;
}

void check_memory(const Plan& plan) {
  const auto all = touches(plan);
  const auto stays = [&](size_t v) {  // is read after the last step
    return std::any_of(plan.graph.outputs.begin(), plan.graph.outputs.end(),
                       [&](ValueId id) { return plan.graph.root(id) == static_cast<ValueId>(v); });
  };
  for (size_t v = 0; v < all.size(); ++v) {
    const Slot& slot = plan.slots[v];
    if (slot.place != Place::activations && slot.place != Place::gradients) continue;
    EXPECT_EQ(slot.offset % 64, 0);
    EXPECT_LE(slot.offset + slot.bytes,
              slot.place == Place::activations ? plan.activation_bytes : plan.gradient_bytes);
    for (size_t u = 0; u < v; ++u)
      if (overlap(slot, plan.slots[u]) && !all[u].empty() && !all[v].empty()) {
        EXPECT_TRUE((!stays(u) && follows(plan, all[u], plan.slots[u], all[v], slot)) ||
                    (!stays(v) && follows(plan, all[v], slot, all[u], plan.slots[u])))
            << "values " << u << " and " << v << " share bytes while both are alive";
      }
  }
}

/// The most bytes of activations that some step (or some phase, where workers may be at any of its
/// steps) has to keep; for steps, without the result: it may be written over an operand.
i64 most_bytes(const Plan& plan, bool by_phase) {
  auto all = touches(plan);
  const int last = static_cast<int>(plan.steps.size()) - 1;
  for (const ValueId id : plan.graph.outputs)
    all[static_cast<size_t>(plan.graph.root(id))].push_back({last, false, {}});
  const auto time = [&](int step) {
    return by_phase ? plan.steps[static_cast<size_t>(step)].phase : step;
  };
  i64 most = 0;
  for (int t = 0; t <= time(last); ++t) {
    i64 alive = 0;
    for (size_t v = 0; v < all.size(); ++v) {
      if (plan.slots[v].place != Place::activations || all[v].empty()) continue;
      const int first = time(all[v].front().step), end = time(all[v].back().step);
      if ((by_phase ? first <= t : first < t) && t <= end)
        alive += (plan.slots[v].bytes + 63) / 64 * 64;
    }
    most = std::max(most, alive);
  }
  return most;
}

class PlanTest : public testing::Test {
 protected:
  template <class Check>
  void for_every_case(unsigned random_graphs, const Check& check) {
    for (const PlanCase& from : real_models()) {
      SCOPED_TRACE(from.name);
      check(Subject(from));
    }
    for (unsigned seed = 0; seed < random_graphs; ++seed) {
      const PlanCase from = random_case(seed);
      SCOPED_TRACE(from.name);
      check(Subject(from));
    }
  }
};

TEST_F(PlanTest, ReadsFollowWritesWithBarriersBetween) {
  int cut = 0;
  for_every_case(150, [&](const Subject& s) {
    check_order(*s.plan);
    for (const PlannedStep& step : s.plan->steps) cut += step.scheme.tiles > 1;
  });
  EXPECT_GT(cut, 100) << "the graphs are too small to be cut: the test would see nothing";
}

TEST_F(PlanTest, KnowsWhatOtherWorkersRead) {
  int updates = 0;
  for_every_case(150, [&](const Subject& s) { updates += check_crossings(*s.plan); });
  EXPECT_GT(updates, 0) << "no cut update of a weight that others read: the test would see little";
}

/// The first program's images, what its convolution makes of them and the gradient of that.
TEST_F(PlanTest, WhatIsCutWithinSamplesLiesInBands) {
  auto model = Sequential({Conv2D(32, 3, {.padding = Same, .activation = ReLU}), MaxPool2D(2),
                           Flatten(), Dense(10, Softmax)});
  model.build({28, 28, 1});
  model.compile(Adam(0.001), CrossEntropy);
  const auto plan = plan_for(*model.impl(), Mode::train, 32, target_type(Shape{}, DType::i32));
  EXPECT_EQ(plan->bands, (std::vector<i64>{14, 1}));
  std::map<ValueId, i64> bands;  // by root
  for (const PlannedStep& step : plan->steps) {
    const Node& node = plan->graph.nodes[static_cast<size_t>(step.node)];
    const auto meet = [&](ValueId id, const Scheme::Access& access) {
      const auto [at, first] = bands.try_emplace(plan->graph.root(id), access.bands);
      EXPECT_EQ(at->second, access.bands) << node.op->name << " finds value " << id << " otherwise";
    };
    if (node.op->alias) continue;
    for (size_t i = 0; i < node.inputs.size(); ++i)
      if (!(node.op->shape_only >> i & 1)) meet(node.inputs[i], step.scheme.in[i]);
    for (size_t o = 0; o < node.outputs.size(); ++o) meet(node.outputs[o], step.scheme.out[o]);
  }
  EXPECT_EQ(std::count_if(bands.begin(), bands.end(), [](const auto& v) { return v.second == 14; }),
            3);
}

/// Bands of a few elements would make a product of each.
TEST_F(PlanTest, NoBandIsNarrow) {
  int several = 0;  // bands within one tile of sums
  for_every_case(150, [&](const Subject& s) {
    const Graph& graph = s.plan->graph;
    for (const PlannedStep& step : s.plan->steps) {
      const Node& node = graph.nodes[static_cast<size_t>(step.node)];
      for (size_t i = 0; i < node.inputs.size() && !node.op->alias; ++i) {
        const Scheme::Access& access = step.scheme.in[i];
        if (access.bands == 1) continue;
        const Value& value = graph.in(node, static_cast<int>(i));
        EXPECT_GE(value_bytes(value) / value.type.shape[0] / access.bands, 128);
        several += step.scheme.partial && access.bands > step.scheme.tiles;
      }
    }
  });
  EXPECT_GT(several, 0) << "no sum runs over several bands";
}

TEST_F(PlanTest, NoTwoLiveValuesShareMemory) {
  for_every_case(150, [](const Subject& s) { check_memory(*s.plan); });
}

/// The last step could write over an operand, but that is an output, too.
TEST_F(PlanTest, OutputsOutliveTheLastStep) {
  const TensorType type{Shape{6, 5}, DType::f32};
  const Symbol x = input_symbol(type, "x"), y = make("tanh", {make("neg", {x})});
  for (const Symbol& last : {make("neg", {y}), make("tanh_grad", {y, x}), make("mul", {y, y})}) {
    const Plan plan = make_plan(trace({.inputs = {x}, .input_types = {type}, .outputs = {y, last}}),
                                backend_named("cpu"));
    check_memory(plan);
    PlanRun planned(plan, Layout::planned, scalars()), apart(plan, Layout::apart, scalars());
    for (PlanRun* run : {&planned, &apart}) {
      run->set_input(0, random_tensor(type.shape, 1));
      run->run();
    }
    expect_same_bits(planned.results(), apart.results());
  }
}

TEST_F(PlanTest, PeakIsNearTheLiveBytes) {
  for_every_case(150, [](const Subject& s) {
    EXPECT_GE(s.plan->activation_bytes, s.plan->live_bytes);
    EXPECT_LE(static_cast<double>(s.plan->activation_bytes),
              1.15 * static_cast<double>(s.plan->live_bytes));
    EXPECT_GE(s.plan->live_bytes, most_bytes(*s.plan, false));
    EXPECT_LE(s.plan->live_bytes, most_bytes(*s.plan, true));
  });
}

TEST_F(PlanTest, SharedMemoryGivesTheSameBits) {
  for_every_case(40, [](const Subject& s) {
    expect_same_bits(s.results(Layout::planned, [](PlanRun& run) { run.run(); }), s.plain());
  });
}

TEST_F(PlanTest, DeadMemoryIsNeverRead) {
  for_every_case(40, [](const Subject& s) {
    for (const Layout layout : {Layout::planned, Layout::apart})
      expect_same_bits(s.results(layout, [](PlanRun& run) { run.run_spoiling(); }), s.plain());
  });
}

int pairs_of(const Plan& plan) {
  int pairs = 0;
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    if (!plan.steps[s].with_next) continue;
    ++pairs;
    EXPECT_LT(s + 1, plan.steps.size());
    EXPECT_FALSE(plan.steps[s + 1].barrier_before);
  }
  return pairs;
}

/// The gradients of all weights wait for their updates, but for that of few columns.
TEST_F(PlanTest, UpdatesRunTogetherWithTheirGradients) {
  for (const PlanCase& from : real_models()) {
    if (from.name.rfind("deep", 0) != 0) continue;
    // A norm of all gradients comes between: none waits.
    const bool by_norm = from.name == "deep, clipped by the norm";
    EXPECT_EQ(pairs_of(*Subject(from).plan), by_norm ? 0 : 3) << from.name;
  }
}

/// Gradients whose operands take more memory than may wait do not, and need no barrier of their
/// own.
TEST_F(PlanTest, LargeGradientsDoNotWait) {
  const PlanCase large{"large",
                       [] {
                         return compiled(Sequential({Dense(512, ReLU), Dense(512, ReLU),
                                                     Dense(512, ReLU), Dense(10, Softmax)}),
                                         CrossEntropy, Adam(0.01));
                       },
                       {512},
                       {},
                       10,
                       600};
  const Subject s(large);
  EXPECT_EQ(pairs_of(*s.plan), 1) << "the first layer's does not wait";
  EXPECT_LE(s.plan->steps.back().phase, 5);
}

/// Where workers have several last caches, such updates write past them, too.
TEST_F(PlanTest, UpdatesPastTheCachesGiveTheSameBits) {
  const bool one = std::exchange(cpu::one_last_cache(), false);
  for (const PlanCase& from : real_models()) {
    if (from.name.rfind("deep", 0) != 0) continue;
    const Subject s(from);
    expect_same_bits(s.results(Layout::planned, [](PlanRun& run) { run.run_ahead(2, true); }),
                     s.plain());
  }
  cpu::one_last_cache() = one;
}

TEST_F(PlanTest, WorkersThatRunAheadGiveTheSameBits) {
  for_every_case(40, [](const Subject& s) {
    const auto expected = s.plain();
    for (const int workers : {2, 3, 7})
      for (const bool last_first : {false, true})
        expect_same_bits(
            s.results(Layout::planned, [&](PlanRun& run) { run.run_ahead(workers, last_first); }),
            expected);
  });
}

TEST_F(PlanTest, WorkersOnThreadsGiveTheSameBits) {
  std::vector<std::unique_ptr<WorkerPool>> pools;
  for (const int workers : {2, 3, 7}) pools.push_back(std::make_unique<WorkerPool>(workers));
  for_every_case(10, [&](const Subject& s) {
    const auto expected = s.plain();
    for (const auto& pool : pools)
      expect_same_bits(s.results(Layout::planned, [&](PlanRun& run) { run.run_on(*pool); }),
                       expected);
  });
}

/// Within f32 rounding of sums of some thousand terms, as a share of the largest value.
void expect_rounding(const Tensor& found, const Tensor& exact, const std::string& name) {
  ASSERT_TRUE(found.shape() == exact.shape()) << name;
  double top = 1e-3, worst = 0;
  for (i64 i = 0; i < exact.size(); ++i) {
    top = std::max(top, std::fabs(exact.data<double>()[i]));
    const double off = std::fabs(double{found.data<float>()[i]} - exact.data<double>()[i]);
    worst = std::isnan(off) ? INFINITY : std::max(worst, off);
  }
  EXPECT_LE(worst, 4e-6 * top) << name;
}

TEST_F(PlanTest, AProductWhoseSumsAreCutIsAsMuchArithmetic) {
  auto model = compiled(cnn_model(), CrossEntropy);
  model.build({28, 28, 1});
  const auto plan = plan_for(*model.impl(), Mode::train, 32, target_type({}, DType::i32));
  int cut = 0;
  for (const PlannedStep& step : plan->steps) {
    const std::string name = plan->graph.nodes[static_cast<size_t>(step.node)].op->name;
    if (!step.scheme.partial || name != "matmul") continue;
    ++cut;
    EXPECT_EQ(step.flops, 2.0 * 32 * 6272 * 10);
  }
  EXPECT_EQ(cut, 1);
}

/// One more reader of a product does not add to the price of the tree that adds up its parts.
TEST_F(PlanTest, AMetricChangesNoCut) {
  const auto parts_of = [](const std::vector<Metric>& metrics) {
    auto model = Sequential({Conv2D(32, 3, {.padding = Same, .activation = ReLU}), MaxPool2D(2),
                             Flatten(), Dense(10, Softmax)});
    model.build({28, 28, 1});
    model.compile(Adam(0.001), CrossEntropy, metrics);
    const auto plan = plan_for(*model.impl(), Mode::train, 32, target_type({}, DType::i32));
    for (const PlannedStep& step : plan->steps)
      if (step.scheme.partial &&
          std::string_view(plan->graph.nodes[static_cast<size_t>(step.node)].op->name) == "matmul")
        return step.scheme.tiles;
    return i64{0};
  };
  EXPECT_EQ(parts_of({Accuracy}), parts_of({}));
  EXPECT_EQ(parts_of({}), 14) << "those of the convolution before it";
}

TEST_F(PlanTest, ValuesAreThoseOfTheGraphInDoublePrecision) {
  for_every_case(60, [](const Subject& s) {
    TrainGraph& graph = s.model.impl()->graph_for({s.target}, true);
    std::vector<Symbol> wanted = {graph.loss};
    for (const Symbol& update : graph.updates) wanted.push_back(output_of(update, 0));
    StepScalars status = scalars();
    const auto exact = evaluate(wanted, {{s.model.impl()->inputs[0], s.x}, {graph.y_true[0], s.y}},
                                DType::f64, status);
    PlanRun run(*s.plan, Layout::planned, scalars());
    run.set_input(0, s.x);
    run.set_input(1, s.y);
    run.run();
    expect_rounding(run.output(0), exact[0], "the loss");
    for (size_t i = 0; i < graph.updates.size(); ++i) {
      const Expr& update = *graph.updates[i].expr();
      ASSERT_EQ(update.op->mutates & 1U, 1U);
      const Variable& changed = *update.inputs[0].expr()->variable;
      expect_rounding(run.variable(changed), exact[i + 1], changed.full_name());
      EXPECT_FALSE(run.variable(changed) == changed.value) << changed.full_name() << " stays";
    }
  });
}

}  // namespace
}  // namespace goneuron::testing_plan
