#include "graph/passes/trace.h"

#include <cstring>
#include <unordered_map>

#include "core/message.h"
#include "graph/layer_impl.h"
#include "graph/op_def.h"

namespace goneuron {

namespace {

class Tracer {
 public:
  explicit Tracer(const TraceSpec& spec) : spec_(spec) {}

  Graph run() {
    for (size_t i = 0; i < spec_.inputs.size(); ++i) {
      const ValueId id = add_value(spec_.input_types[i], Role::input);
      graph_.value(id).input = static_cast<int>(i);
      graph_.inputs.push_back(id);
      const bool listed = i < spec_.tables.size() && !spec_.tables[i].empty();
      map_[spec_.inputs[i].expr().get()] = {listed ? rows_of(static_cast<int>(i), id) : id};
    }
    auto wanted = spec_.outputs;
    wanted.insert(wanted.end(), spec_.effects.begin(), spec_.effects.end());
    for (const Expr* expr : topological_order(wanted)) visit(*expr);
    for (const Symbol& output : spec_.outputs) graph_.outputs.push_back(find(output));
    return std::move(graph_);
  }

 private:
  ValueId find(const Symbol& symbol) const {
    return map_.at(symbol.expr().get())[static_cast<size_t>(symbol.output())];
  }

  ValueId add_value(const TensorType& type, Role role) {
    graph_.values.push_back({.type = type, .role = role});
    return static_cast<ValueId>(graph_.values.size()) - 1;
  }

  ValueId rows_of(int table, ValueId rows) {
    const Tensor& bytes = spec_.tables[static_cast<size_t>(table)];
    const ValueId id = add_value({bytes.shape(), bytes.dtype()}, Role::constant);
    graph_.value(id).table = table;
    const NodeId node = graph_.add(op_named("byte_rows"), {id, rows}, {});
    return graph_.nodes[static_cast<size_t>(node)].outputs[0];
  }

  void visit(const Expr& expr) {
    if (map_.count(&expr)) return;
    if (expr.kind == Expr::Kind::input)
      throw_graph({.where = "Input \"" + expr.name + "\"" +
                            (site_text(expr.site).empty() ? "" : " (" + site_text(expr.site) + ")"),
                   .what = "an output depends on it, but it is not among the model's inputs",
                   .hint = "add it to the inputs given to Model()"});
    if (expr.kind == Expr::Kind::variable) return visit_variable(expr);
    if (expr.kind == Expr::Kind::constant) {
      const ValueId id = add_value(expr.outputs[0], Role::constant);
      graph_.value(id).constant = expr.constant;
      map_[&expr] = {id};
      return;
    }
    std::vector<ValueId> inputs;
    for (const Symbol& input : expr.inputs) inputs.push_back(find(input));
    const std::string_view name = expr.op->name;
    if (!spec_.training && name == "dropout") {
      map_[&expr] = {inputs[0]};
      return;
    }
    const bool frozen_norm =
        name == "batch_norm" && (!spec_.training || spec_.frozen_norms.count(&expr) != 0);
    const Node like{.call = expr.call, .site = expr.site};
    Attrs attrs = expr.attrs;
    if (!spec_.training && attrs.has("dropout")) attrs.set("dropout", 0.0);
    const NodeId node = graph_.add(frozen_norm ? op_named("batch_norm_infer") : *expr.op,
                                   std::move(inputs), std::move(attrs), &like);
    auto outputs = graph_.nodes[static_cast<size_t>(node)].outputs;
    outputs.resize(expr.outputs.size(), outputs[0]);
    map_[&expr] = std::move(outputs);
  }

  void visit_variable(const Expr& expr) {
    auto& known = variables_[expr.variable.get()];
    if (known.empty()) {
      known = {add_value(expr.outputs[0], expr.variable->role)};
      graph_.value(known[0]).variable = expr.variable;
    }
    map_[&expr] = known;
  }

  const TraceSpec& spec_;
  Graph graph_;
  std::unordered_map<const Expr*, std::vector<ValueId>> map_;
  std::unordered_map<const Variable*, std::vector<ValueId>> variables_;
};

}  // namespace

Graph trace(const TraceSpec& spec) { return Tracer(spec).run(); }

}  // namespace goneuron
