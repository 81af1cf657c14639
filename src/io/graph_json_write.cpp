// Writes a graph of symbols as JSON: collects what the roots need, numbers it, prints it.
#include <fmt/core.h>

#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/message.h"
#include "graph/calls.h"
#include "graph/layer_impl.h"
#include "graph/op_def.h"
#include "io/graph_json.h"
#include "io/graph_json_names.h"

namespace goneuron {

namespace {
constexpr i64 largest_inline = 256;  // bytes of a constant that stands in the text

template <class T>
class Numbered {
 public:
  /// True when it is new.
  bool add(const std::shared_ptr<T>& item) {
    if (!ids_.try_emplace(item.get(), items_.size()).second) return false;
    items_.push_back(item);
    return true;
  }
  bool has(const T* item) const { return ids_.count(item) != 0; }
  size_t id(const T* item) const { return ids_.at(item); }
  const std::vector<std::shared_ptr<T>>& items() const { return items_; }

 private:
  std::unordered_map<const T*, size_t> ids_;
  std::vector<std::shared_ptr<T>> items_;
};

template <class Items, class Print>
std::string array(const Items& items, Print print) {
  std::string text = "[";
  for (const auto& item : items) {
    if (text.size() > 1) text += ',';
    text += print(item);
  }
  return text += ']';
}

std::string shape_text(const Shape& shape) {
  return array(shape, [](i64 dim) { return std::to_string(dim); });
}

std::string attr_text(const AttrValue& value) {
  if (const i64* number = std::get_if<i64>(&value)) return std::to_string(*number);
  if (const double* number = std::get_if<double>(&value))
    return "{\"real\":" + json_real(*number) + "}";
  if (const auto* text = std::get_if<std::string>(&value)) return json_quote(*text);
  return array(std::get<std::vector<i64>>(value), [](i64 item) { return std::to_string(item); });
}

class GraphWriter {
 public:
  explicit GraphWriter(const GraphRecord& record) : record_(record) {}

  GraphText write() {
    collect();
    const auto print = [this](auto function) {
      return [this, function](const auto& item) { return (this->*function)(*item); };
    };
    out_.json = "{\"variables\":" + array(variables_.items(), print(&GraphWriter::variable));
    out_.json += ",\n\"layers\":" + array(layers_.items(), print(&GraphWriter::layer));
    out_.json += ",\n\"calls\":" + array(calls_.items(), print(&GraphWriter::call));
    out_.nodes = out_.json.size();
    out_.json += ",\n\"nodes\":" + array(order_, print(&GraphWriter::node));
    out_.json += ",\n\"roots\":{";
    for (size_t i = 0; i < record_.roots.size(); ++i)
      out_.json += fmt::format("{}{}:{}", i ? "," : "", json_quote(record_.roots[i].first),
                               references(record_.roots[i].second));
    out_.json += "}}";
    out_.variables = variables_.items();
    return std::move(out_);
  }

 private:
  // Nodes lead to calls, whose inputs and updates lead to more nodes: until there are no more.
  void collect() {
    std::vector<Symbol> wanted;
    for (const auto& list : record_.roots)
      for (const Symbol& symbol : list.second) wanted.push_back(symbol);
    for (const auto& layer : record_.layers) layers_.add(layer);
    for (bool more = true; more;) {
      more = false;
      order_ = topological_order(wanted);
      for (const Expr* expr : order_) more = add_call(expr->call, wanted) || more;
    }
    for (size_t i = 0; i < order_.size(); ++i) ids_[order_[i]] = i;
    for (const auto& call : calls_.items()) layers_.add(call->layer);
    for (const auto& layer : layers_.items())
      for (const auto& variable : layer->variables) variables_.add(variable);
    for (const Expr* expr : order_)
      if (expr->kind == Expr::Kind::variable) variables_.add(expr->variable);
    check_names();
  }

  // Parents first: their numbers are smaller.
  bool add_call(const std::shared_ptr<LayerCall>& call, std::vector<Symbol>& wanted) {
    if (!call || calls_.has(call.get())) return false;
    add_call(call->parent, wanted);
    calls_.add(call);
    wanted.insert(wanted.end(), call->inputs.begin(), call->inputs.end());
    for (const Symbol& left : left_by(*call)) wanted.push_back(left);
    return true;
  }

  void check_names() const {
    std::unordered_set<std::string> names;
    for (const auto& variable : variables_.items())
      if (!names.insert(variable->full_name()).second)
        throw_graph({.what = "two weights of the model are called " + shown(variable->full_name()),
                     .hint = "give the layers different names with named()"});
  }

  std::string reference(const Symbol& symbol) {
    out_.memory += GraphCost::reference;
    return fmt::format("[{},{}]", ids_.at(symbol.expr().get()), symbol.output());
  }
  std::string references(const std::vector<Symbol>& symbols) {
    return array(symbols, [this](const Symbol& symbol) { return reference(symbol); });
  }

  std::string variable(const Variable& variable) {
    out_.memory += GraphCost::variable;
    return fmt::format(
        "\n{{\"name\":{},\"role\":\"{}\",\"dtype\":\"{}\",\"shape\":{},\"init\":[\"{}\",{},{}],"
        "\"fans\":[{},{}],"
        "\"trainable\":{}}}",
        json_quote(variable.name), role_names[static_cast<size_t>(variable.role)],
        dtype_name(variable.type.dtype), shape_text(variable.type.shape),
        init_names[static_cast<size_t>(variable.init.kind)], json_real(variable.init.a),
        json_real(variable.init.b), variable.fan_in, variable.fan_out, variable.trainable);
  }

  std::string layer(const LayerImpl& layer) {
    out_.memory += GraphCost::layer + layer.variables.size() * GraphCost::item;
    std::string text = fmt::format(
        "\n{{\"kind\":{},\"prefix\":{},\"name\":{},\"trainable\":{},\"inputs\":[{},{}],"
        "\"variables\":{}",
        json_quote(layer.kind), json_quote(layer.prefix), json_quote(layer.name), layer.trainable,
        layer.min_inputs, layer.max_inputs, array(layer.variables, [this](const auto& item) {
          return std::to_string(variables_.id(item.get()));
        }));
    // The first call may have been made for another model: then its output is not among these
    // nodes.
    const Symbol output = layer.first_output;
    if (output && layer.outputs == 1 && ids_.count(output.expr().get())) {
      auto call = output.expr()->call;
      while (call && call->layer.get() != &layer) call = call->parent;
      if (call)
        text += fmt::format(",\"call\":{},\"output\":{}", calls_.id(call.get()), reference(output));
    }
    return text + "}";
  }

  std::string call(const LayerCall& call) {
    out_.memory += GraphCost::call;
    std::vector<Symbol> updates;
    for (const Symbol update : call.updates)
      if (update) updates.push_back(update);
    std::string text = fmt::format("\n{{\"layer\":{}", layers_.id(call.layer.get()));
    if (call.parent) text += fmt::format(",\"parent\":{}", calls_.id(call.parent.get()));
    text += ",\"inputs\":" + references(call.inputs);
    if (!updates.empty()) text += ",\"updates\":" + references(updates);
    return text + terms("losses", call.losses, true) + terms("metrics", call.metrics, false) + "}";
  }

  std::string terms(const char* name, const std::vector<AddedTerm>& all, bool weighted) {
    std::string text;
    for (const AddedTerm& term : all) {
      const Symbol value = term.value;
      if (!value) continue;
      out_.memory += GraphCost::term;
      text += fmt::format("{}{{\"name\":{},\"value\":{}{}}}", text.empty() ? "" : ",",
                          json_quote(term.name), reference(value),
                          weighted ? ",\"weight\":" + json_real(term.weight) : "");
    }
    return text.empty() ? "" : fmt::format(",\"{}\":[{}]", name, text);
  }

  std::string node(const Expr& expr) {
    out_.memory += GraphCost::node + expr.outputs.size() * GraphCost::reference;
    std::string text = "\n{";
    if (expr.kind == Expr::Kind::op)
      text += op(expr);
    else if (expr.kind == Expr::Kind::variable)
      text += fmt::format("\"variable\":{}", variables_.id(expr.variable.get()));
    else if (expr.kind == Expr::Kind::constant)
      text += constant(expr.constant);
    else
      text += fmt::format("\"input\":{},\"dtype\":\"{}\",\"shape\":{}", json_quote(expr.name),
                          dtype_name(expr.outputs[0].dtype), shape_text(expr.outputs[0].shape));
    if (expr.call) text += fmt::format(",\"call\":{}", calls_.id(expr.call.get()));
    return text + "}";
  }

  std::string op(const Expr& expr) {
    std::string attrs;
    for (const auto& [name, value] : expr.attrs.items()) {
      out_.memory += GraphCost::attr;
      if (const auto* list = std::get_if<std::vector<i64>>(&value))
        out_.memory += list->size() * GraphCost::item;
      attrs += fmt::format("{}{}:{}", attrs.empty() ? "" : ",", json_quote(name), attr_text(value));
    }
    std::string text = fmt::format("\"op\":\"{}\"", expr.op->name);
    if (!attrs.empty()) text += ",\"attrs\":{" + attrs + "}";
    return text + ",\"inputs\":" + references(expr.inputs);
  }

  std::string constant(const Tensor& value) {
    std::string text = fmt::format("\"constant\":\"{}\",\"shape\":{}", dtype_name(value.dtype()),
                                   shape_text(value.shape()));
    if (value.bytes() > largest_inline) {
      const std::string name = fmt::format("constant/{}", out_.constants.size());
      out_.constants.push_back({name, value});
      return text + ",\"tensor\":\"" + name + "\"";
    }
    text += ",\"hex\":\"";
    const auto* bytes = static_cast<const std::uint8_t*>(value.raw());
    for (i64 i = 0; i < value.bytes(); ++i) text += fmt::format("{:02x}", bytes[i]);
    return text + "\"";
  }

  const GraphRecord& record_;
  GraphText out_;
  std::vector<const Expr*> order_;
  std::unordered_map<const Expr*, size_t> ids_;
  Numbered<Variable> variables_;
  Numbered<LayerImpl> layers_;
  Numbered<LayerCall> calls_;
};
}  // namespace

GraphText graph_to_json(const GraphRecord& record) { return GraphWriter(record).write(); }

std::vector<Symbol> GraphRecord::list(std::string_view name) const {
  for (const auto& root : roots)
    if (root.first == name) return root.second;
  return {};
}

}  // namespace goneuron
