// load(): what a model file holds as a ModelImpl. The file's reader has made sure of each node and
// weight; here their roles in a model are checked before they are used.
#include <algorithm>
#include <charconv>
#include <cstring>

#include "core/message.h"
#include "io/model_file.h"
#include "train/model_impl.h"
#include "train/optimizers/check.h"

namespace goneuron {

namespace {

class Restorer {
 public:
  Restorer(const ModelRecord& record, const std::string& path) : record_(record), path_(path) {}

  std::shared_ptr<ModelImpl> run() {
    try {
      restore_graph();
      if (record_.training.compiled) restore_training();
    } catch (const FormatError&) {
      throw;
    } catch (const OutOfMemory&) {
      throw;
    } catch (const Error& error) {
      std::string why = error.what();
      std::replace(why.begin(), why.end(), '\n', ';');
      fail(record_.graph_byte, "the graph makes no model: " + why);
    }
    return model_;
  }

 private:
  [[noreturn]] void fail(size_t byte, const std::string& what) const {
    throw_format({.where = path_,
                  .what = "byte " + std::to_string(byte) + ": " + what,
                  .hint = "the file is damaged: copy or save it again"});
  }

  void restore_graph() {
    ModelImpl& m = *model_;
    m.inputs = {only("inputs")};
    m.outputs = {only("outputs")};
    check_input(m.inputs[0], "input");
    check_reach(m.outputs, m.inputs, "output");
    for (const auto& variable : record_.graph.variables)
      if (variable->type.dtype != DType::f32 ||
          (variable->role != Role::parameter && variable->role != Role::state))
        fail(record_.graph_byte,
             "the weight " + shown(variable->full_name()) + " is no parameter and no state of f32");
    m.weight_seed = record_.training.weight_seed;
    m.finish_build();
    record_.copy_values(m.variables);
    m.fit_seed = record_.training.fit_seed;
    m.epoch = count(record_.training.epoch, "epoch");
    m.step = count(record_.training.optimizer_step, "optimizer's step");
  }

  void restore_training() {
    const TrainingFacts& facts = record_.training;
    check_optimizer(facts);
    if (record_.graph.list("target").empty() || record_.graph.list("loss").empty()) return;
    ModelImpl& m = *model_;
    auto graph = std::make_unique<TrainGraph>();
    graph->y_true = only("target");
    graph->loss = only("loss");
    graph->metrics = record_.graph.list("metrics");
    graph->names = {"loss"};
    graph->names.insert(graph->names.end(), facts.metrics.begin(), facts.metrics.end());
    check_input(graph->y_true, "target");
    if (graph->metrics.size() != facts.metrics.size())
      fail(record_.graph_byte, std::to_string(graph->metrics.size()) + " metrics for " +
                                   std::to_string(facts.metrics.size()) + " names");
    auto numbers = graph->metrics;
    numbers.push_back(graph->loss);
    for (const Symbol& number : numbers)
      if (number.shape().rank() != 0 || number.dtype() != DType::f32)
        fail(record_.graph_byte, "a loss or metric is " + number.shape().str() + " " +
                                     dtype_name(number.dtype()) + ", expected one f32");
    check_reach(numbers, {m.inputs[0], graph->y_true}, "loss or metric");
    graph->target = {graph->y_true.shape(), graph->y_true.dtype()};
    compile(facts);
    m.graphs.push_back(std::move(graph));
    m.graph_for(m.graphs[0]->target, true);  // makes the optimizer's slots
    m.allocate_slots();
    for (const auto& [variable, slots] : m.slots)
      for (const auto& slot : slots) restore_slot(*slot);
    for (const auto& [variable, average] : m.averages) restore_slot(*average);
  }

  void compile(const TrainingFacts& facts) {
    ModelImpl& m = *model_;
    m.compiled = true;
    m.optimizer = facts.optimizer;
    m.optimizer.schedule = schedule_of(facts);
    m.ema = facts.ema;
    m.averaged = facts.averaged;
    for (const auto& [key, value] : facts.extra) {
      if (key == "precision" && value == "bf16") m.precision = BF16;
      if (key == "activation_budget" &&
          std::from_chars(value.data(), value.data() + value.size(), m.activation_budget).ec !=
              std::errc())
        fail(record_.training_byte, "the activation budget is " + shown(value));
    }
    // The loss and metrics are the stored graphs, whatever functions made them.
    m.loss = Loss(facts.loss.c_str(), [](const Symbol&, const Symbol&) -> Symbol {
      throw_type({.what = "the loaded loss was stored for targets of another shape or dtype; "
                          "expected targets such as those it was trained with",
                  .hint = "compile() the model again"});
    });
    for (const std::string& name : facts.metrics)
      m.metrics.emplace_back(name.c_str(), [](const Symbol&, const Symbol&) { return Symbol(); });
  }

  void restore_slot(Variable& slot) const {
    const NamedTensor* stored = record_.find("optimizer/" + slot.name);
    if (stored == nullptr) return;  // a model that has not been trained yet
    const Tensor& from = stored->tensor;
    if (!(from.shape() == slot.type.shape) || from.dtype() != slot.type.dtype)
      fail(stored->byte, shown(stored->name) + " is " + from.shape().str() + " " +
                             dtype_name(from.dtype()) + ", its weight is " + slot.type.shape.str() +
                             " " + dtype_name(slot.type.dtype));
    if (!from.empty()) std::memcpy(slot.value.raw(), from.raw(), static_cast<size_t>(from.bytes()));
  }

  Symbol only(const char* name) const {
    const auto list = record_.graph.list(name);
    if (list.size() != 1)
      fail(record_.graph_byte, "the list \"" + std::string(name) + "\" has " +
                                   std::to_string(list.size()) + " items, expected one");
    return list[0];
  }

  void check_input(const Symbol& symbol, const char* what) const {
    if (symbol.expr()->kind != Expr::Kind::input || symbol.shape().rank() == 0 ||
        symbol.shape()[0] != Any)
      fail(record_.graph_byte, std::string("the ") + what + " is no input with a batch");
  }

  void check_reach(const std::vector<Symbol>& from, const std::vector<Symbol>& inputs,
                   const char* what) const {
    for (const Expr* expr : topological_order(from))
      if (expr->kind == Expr::Kind::input &&
          std::none_of(inputs.begin(), inputs.end(),
                       [&](const Symbol& s) { return s.expr().get() == expr; }))
        fail(record_.graph_byte,
             std::string("the ") + what + " depends on an input that the model does not have");
  }

  i64 count(i64 value, const char* what) const {
    if (value < i64{1} << 53) return value;
    fail(record_.training_byte,
         "the " + std::string(what) + " is " + std::to_string(value) + ", which cannot be");
  }

  static Schedule schedule_of(const TrainingFacts& facts) {
    const auto kind = static_cast<Schedule::Kind>(facts.schedule);
    if (kind == Schedule::Kind::constant) return {facts.optimizer.learning_rate};
    return {kind, facts.schedule_numbers, {}};
  }

  void check_optimizer(const TrainingFacts& facts) const {
    const Optimizer& optimizer = facts.optimizer;
    try {
      check_rates(optimizer, "the optimizer");
      if (optimizer.kind != Optimizer::Kind::sgd) check_moments(optimizer, "the optimizer");
      check_gradients(optimizer, "the optimizer");
      schedule_of(facts);
      require(facts.ema >= 0 && facts.ema < 1, "the optimizer", {},
              "an ema of " + number_text(facts.ema) + "; expected at least 0 and below 1", "");
      require(!facts.averaged || facts.ema > 0, "the optimizer", {},
              "averaged weights without an ema; expected one", "");
    } catch (const Error& error) {
      std::string why = error.what();
      std::replace(why.begin(), why.end(), '\n', ';');
      fail(record_.training_byte, why);
    }
  }

  const ModelRecord& record_;
  const std::string& path_;
  std::shared_ptr<ModelImpl> model_ = std::make_shared<ModelImpl>();
};

}  // namespace

std::shared_ptr<ModelImpl> model_of(const ModelRecord& record, const std::string& path) {
  return Restorer(record, path).run();
}

Model Model::load(const std::string& path, Site site) {
  const UserCall user("load", site);
  return Model(model_of(load_model_file(path), path));
}

}  // namespace goneuron
