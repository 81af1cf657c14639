// load(): what a model file holds as a ModelImpl. The file's reader has made sure of each node and
// weight; here their roles in a model are checked before they are used.
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "core/message.h"
#include "graph/calls.h"
#include "io/model_file.h"
#include "io/preprocessing_json.h"
#include "train/metrics/accumulators.h"
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
      restore_preprocessing();
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
    m.inputs = some("inputs");
    m.outputs = some("outputs");
    for (const Symbol& input : m.inputs) check_input(input, "input");
    for (size_t i = 0; i < m.inputs.size(); ++i)
      for (size_t k = 0; k < i; ++k)
        if (m.inputs[i] == m.inputs[k]) fail(record_.graph_byte, "an input comes twice");
    check_reach(model_order(m.outputs), m.inputs, "output");
    for (const auto& variable : record_.graph.variables)
      if (variable->type.dtype != DType::f32 ||
          (variable->role != Role::parameter && variable->role != Role::state))
        fail(record_.graph_byte,
             "the weight " + shown(variable->full_name()) + " is no parameter and no state of f32");
    m.weight_seed = record_.training.weight_seed;
    m.finish_build();
    m.drawn.clear();
    restore_parts();
    record_.copy_values(m.variables);
    m.fit_seed = record_.training.fit_seed;
    m.epoch = count(record_.training.epoch, "epoch");
    m.step = count(record_.training.optimizer_step, "optimizer's step");
  }

  /// A model that was used as a layer: what it is around is what it is made of.
  void restore_parts() const {
    for (const Layer& layer : model_->layers) {
      if (layer.impl()->kind != "Model") continue;
      const auto model = pointer_of(layer.impl());
      std::vector<std::weak_ptr<LayerImpl>> inner;
      for (const Layer& other : model_->layers)
        if (other.impl()->around.count(model) != 0) inner.push_back(pointer_of(other.impl()));
      layer.impl()->parts = [inner] {
        LayerImpl::Parts parts;
        for (const auto& weak : inner)
          if (const auto part = weak.lock()) {
            parts.layers.emplace_back(share(part));
            const auto& own = part->parts ? part->parts().variables : part->variables;
            parts.variables.insert(parts.variables.end(), own.begin(), own.end());
          }
        return parts;
      };
    }
  }

  void restore_preprocessing() {
    for (const auto& [key, value] : record_.training.extra)
      if (key == "preprocessing") {
        JsonReader json(value, path_ + ", the preprocessing");
        model_->preprocessing =
            std::make_shared<const data::Preprocessing>(read_preprocessing(json));
        json.finish();
      }
  }

  void restore_training() {
    const TrainingFacts& facts = record_.training;
    check_optimizer(facts);
    if (record_.graph.list("target").empty() || record_.graph.list("loss").empty()) return;
    ModelImpl& m = *model_;
    auto graph = std::make_unique<TrainGraph>();
    graph->y_true = some("target");
    graph->loss = some("loss")[0];
    graph->logged = record_.graph.list("metrics");
    graph->names = {"loss"};
    graph->names.insert(graph->names.end(), facts.metrics.begin(), facts.metrics.end());
    if (graph->logged.size() != facts.metrics.size())
      fail(record_.graph_byte, std::to_string(graph->logged.size()) + " metrics for " +
                                   std::to_string(facts.metrics.size()) + " names");
    auto numbers = graph->logged;
    numbers.push_back(graph->loss);
    for (const Symbol& number : numbers)
      if (number.shape().rank() != 0 || number.dtype() != DType::f32)
        fail(record_.graph_byte, "a loss or metric is " + number.shape().str() + " " +
                                     dtype_name(number.dtype()) + ", expected one f32");
    auto ends = m.inputs;
    for (const Symbol& target : graph->y_true) {
      check_input(target, "target");
      if (std::find(ends.begin(), ends.end(), target) != ends.end())
        fail(record_.graph_byte, "a target is an input, or comes twice");
      ends.push_back(target);
      graph->targets.push_back({target.shape(), target.dtype()});
    }
    restore_evidence(*graph);
    for (const auto& [name, evidence] : graph->evidence) numbers.push_back(evidence.rows);
    check_reach(topological_order(numbers), ends, "loss or metric");
    compile(facts);
    restore_heads(*graph);
    m.set_aside();
    const auto targets = graph->targets;
    m.graphs.push_back(std::move(graph));
    m.graph_for(targets, true);  // makes the optimizer's slots
    m.allocate_slots();
    for (const auto& [variable, slots] : m.slots)
      for (const auto& slot : slots) restore_slot(*slot);
    for (const auto& [variable, average] : m.averages) restore_slot(*average);
  }

  void compile(const TrainingFacts& facts) {
    ModelImpl& m = *model_;
    m.compiled = true;
    m.optimizer = facts.optimizer;
    m.given_rate = facts.optimizer.learning_rate;
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
  }

  /// "3:text" as {3, "text"}, with a number below `end`.
  std::pair<size_t, std::string> numbered(const std::string& text, size_t end) const {
    size_t number = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || at == text.data() + text.size() || *at != ':' || number >= end)
      fail(record_.training_byte,
           "the fact " + shown(text) + " has no number below " + std::to_string(end) + " in front");
    return {number, std::string(at + 1, text.data() + text.size())};
  }

  /// Metrics that are no means: what the step yields for each, and what adds it up.
  void restore_evidence(TrainGraph& graph) const {
    const auto rows = record_.graph.list("evidence");
    for (const auto& [key, value] : record_.training.extra) {
      if (key.rfind("evidence/", 0) != 0) continue;
      const size_t space = value.find(' ');
      const std::string spec = value.substr(0, space);
      const size_t at = graph.evidence.size();
      if (space == std::string::npos || !accumulator_of(spec) || at >= rows.size())
        fail(record_.training_byte, "the metric " + shown(value) + " is not one of this version");
      const Shape& shape = rows[at].shape();
      if (rows[at].dtype() != DType::f32 || shape.rank() < 2 || shape[0] != Any ||
          shape[-1] != accumulator_of(spec)->width())
        fail(record_.graph_byte,
             "the rows of a metric are " + shape.str() + " " + dtype_name(rows[at].dtype()));
      graph.evidence.emplace_back(value.substr(space + 1),
                                  Evidence{rows[at], [spec] { return accumulator_of(spec); }});
    }
    if (graph.evidence.size() != rows.size())
      fail(record_.graph_byte, std::to_string(rows.size()) + " rows of metrics for " +
                                   std::to_string(graph.evidence.size()) + " names");
  }

  void restore_heads(TrainGraph& graph) {
    ModelImpl& m = *model_;
    // The losses are the stored graphs, whatever functions made them.
    const auto stored = [](const std::string& name) {
      return Loss(name.c_str(), [](const Symbol&, const Symbol&) -> Symbol {
        throw_type({.what = "the loaded loss was stored for targets of another shape or dtype; "
                            "expected targets such as those it was trained with",
                    .hint = "compile() the model again"});
      });
    };
    if (m.outputs.size() == 1) m.heads.push_back({0, stored(record_.training.loss), 1, {}});
    for (const auto& [key, value] : record_.training.extra) {
      if (key.rfind("head/", 0) == 0) {
        const auto [output, name] = numbered(value, m.outputs.size());
        m.heads.push_back({static_cast<int>(output), stored(name), 1, {}});
      } else if (key.rfind("loss_part/", 0) == 0) {
        const auto [part, weight] = numbered(value, graph.logged.size());
        double number = 0;
        const auto read = std::from_chars(weight.data(), weight.data() + weight.size(), number);
        if (read.ec != std::errc() || !std::isfinite(number))
          fail(record_.training_byte, "the weight of a loss is " + shown(weight));
        graph.parts.emplace_back(part, number);
      }
    }
    if (m.heads.size() != graph.y_true.size())
      fail(record_.graph_byte, counted(static_cast<i64>(graph.y_true.size()), "target") + " for " +
                                   std::to_string(m.heads.size()) + " losses");
    for (const Head& head : m.heads)
      m.losses.emplace_back(m.output_names[static_cast<size_t>(head.output)], head.loss);
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

  std::vector<Symbol> some(const char* name) const {
    auto list = record_.graph.list(name);
    if (list.empty() || list.size() > 4096)
      fail(record_.graph_byte, "the list \"" + std::string(name) + "\" has " +
                                   std::to_string(list.size()) + " items, expected one or more");
    return list;
  }

  void check_input(const Symbol& symbol, const char* what) const {
    if (symbol.expr()->kind != Expr::Kind::input || symbol.shape().rank() == 0 ||
        symbol.shape()[0] != Any)
      fail(record_.graph_byte, std::string("the ") + what + " is no input with a batch");
  }

  void check_reach(const std::vector<const Expr*>& order, const std::vector<Symbol>& inputs,
                   const char* what) const {
    for (const Expr* expr : order)
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
  return Model(share(model_of(load_model_file(path), path)));
}

}  // namespace goneuron
