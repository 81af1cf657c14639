// Reads a graph from JSON: a hostile text is refused at the byte where it stops making sense.
#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <span>
#include <unordered_map>

#include "core/checked_math.h"
#include "goneuron/error.h"
#include "graph/layer_impl.h"
#include "graph/op_def.h"
#include "io/graph_json.h"
#include "io/graph_json_names.h"
#include "io/layer_replay.h"

namespace goneuron {

namespace {
constexpr i64 max_items = 1'000'000;  // variables, layers, calls, nodes
constexpr size_t max_inputs = 4096, max_attrs = 64, max_list = 4096, max_roots = 64,
                 max_name = 1000;
constexpr int max_parents = 32;

struct Reference {
  i64 node, output;
  size_t position;
};
struct PendingTerm {
  std::string name;
  Reference value;
  double weight;
};
struct PendingCall {
  std::vector<Reference> inputs, updates;
  std::vector<PendingTerm> losses = {}, metrics = {};
};
struct PendingLayer {
  i64 call;
  Reference output;
};

class GraphReader {
 public:
  GraphReader(JsonReader& json, const ConstantSource& constants, size_t memory)
      : json_(json), constants_(constants), memory_(memory) {}

  GraphRecord read() {
    json_.begin('{');
    each("variables", [&](size_t) { read_variable(); });
    each("layers", [&](size_t) { read_layer(); });
    each("calls", [&](size_t i) { read_call(static_cast<i64>(i)); });
    each("nodes", [&](size_t i) { read_node(i); });
    connect_calls();
    connect_layers();
    read_roots();
    json_.end();
    return std::move(record_);
  }

 private:
  template <class Read>
  void each(const char* name, Read read) {
    json_.member(name).begin('[');
    for (size_t i = 0; json_.more(); ++i) {
      if (i == max_items) json_.fail(fmt::format("more than {} {}", max_items, name));
      json_.begin('{');
      read(i);
      json_.end();
    }
  }

  void charge(size_t bytes) {
    if (bytes > memory_)
      json_.fail("a graph that would take more memory than twice the file's size + 1 MB");
    memory_ -= bytes;
  }

  size_t one_of(std::span<const std::string_view> names, const char* what) {
    const size_t at = json_.position();
    const std::string name = json_.string();
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end())
      json_.fail_at(at, fmt::format("{} is an unknown {}", shown(name), what));
    return static_cast<size_t>(found - names.begin());
  }
  std::string name() {
    const size_t at = json_.position();
    std::string text = json_.string();
    if (text.size() > max_name)
      json_.fail_at(at,
                    fmt::format("a name of {} bytes, expected at most {}", text.size(), max_name));
    return text;
  }
  DType dtype() { return static_cast<DType>(one_of(dtype_names, "dtype")); }
  i64 index(size_t count, const char* what) {
    if (count == 0) json_.fail(fmt::format("an index of a {}, but there is none before", what));
    return json_.integer(0, static_cast<i64>(count) - 1, what);
  }

  Shape shape(i64 lowest) {
    std::vector<i64> dims;
    const size_t at = json_.position();
    json_.begin('[');
    while (json_.more()) {
      if (dims.size() == Shape::max_rank)
        json_.fail_at(at, fmt::format("a shape of more than {} dimensions", Shape::max_rank));
      dims.push_back(json_.integer(lowest, INT64_MAX, "a dimension"));
    }
    return Shape(dims);
  }

  void check_size(const TensorType& type, size_t at) {
    i64 bytes = dtype_size(type.dtype);
    for (const i64 dim : type.shape)
      if (dim > 0 && __builtin_mul_overflow(bytes, dim, &bytes))
        json_.fail_at(at, "the size of the shape " + type.shape.str() + " does not fit in 64 bits");
  }

  void read_variable() {
    charge(GraphCost::variable);
    const size_t at = json_.position();
    auto variable = std::make_shared<Variable>();
    json_.member("name");
    variable->name = name();
    const size_t role_at = json_.member("role").position();
    variable->role = static_cast<Role>(one_of(role_names, "role"));
    if (variable->role != Role::parameter && variable->role != Role::state &&
        variable->role != Role::slot)
      json_.fail_at(role_at, "a variable is a parameter, a state or a slot");
    json_.member("dtype");
    variable->type.dtype = dtype();
    json_.member("shape");
    variable->type.shape = shape(0);
    check_size(variable->type, at);
    json_.member("init").begin('[');
    json_.more();
    variable->init.kind = static_cast<Initializer::Kind>(one_of(init_names, "initializer"));
    for (double* number : {&variable->init.a, &variable->init.b}) {
      if (!json_.more()) json_.fail("expected an initializer's two numbers");
      *number = json_.real();
    }
    json_.end();
    json_.member("fans").begin('[');
    for (i64* fan : {&variable->fan_in, &variable->fan_out}) {
      if (!json_.more()) json_.fail("expected two fans");
      *fan = json_.integer(0, INT64_MAX, "a fan");
    }
    json_.end();
    variable->trainable = json_.member("trainable").boolean();
    record_.variables.push_back(std::move(variable));
    owned_.push_back(false);
  }

  void read_layer() {
    charge(GraphCost::layer);
    auto layer = std::make_shared<LayerImpl>();
    json_.member("kind");
    layer->kind = name();
    json_.member("prefix");
    layer->prefix = name();
    json_.member("name");
    layer->name = name();
    layer->trainable = json_.member("trainable").boolean();
    json_.member("inputs").begin('[');
    for (int* count : {&layer->min_inputs, &layer->max_inputs}) {
      if (!json_.more()) json_.fail("expected the smallest and the largest number of inputs");
      *count = static_cast<int>(json_.integer(0, max_items, "a number of inputs"));
    }
    json_.end();
    json_.member("variables").begin('[');
    while (json_.more()) {
      charge(GraphCost::item);
      const size_t at = json_.position();
      const auto i = static_cast<size_t>(index(record_.variables.size(), "a variable"));
      if (owned_[i]) json_.fail_at(at, fmt::format("variable {} belongs to two layers", i));
      owned_[i] = true;
      record_.variables[i]->layer = layer;
      layer->variables.push_back(record_.variables[i]);
    }
    layer->build = no_replay();
    layer->built = true;
    PendingLayer pending{-1, {}};
    if (json_.has_member("call")) {
      pending.call = json_.integer(0, max_items, "a call");
      json_.member("output");
      pending.output = reference();
    }
    record_.layers.push_back(std::move(layer));
    pending_layers_.push_back(pending);
  }

  void read_call(i64 number) {
    charge(GraphCost::call);
    auto call = std::make_shared<LayerCall>();
    json_.member("layer");
    call->layer = record_.layers[static_cast<size_t>(index(record_.layers.size(), "a layer"))];
    int depth = 0;
    if (json_.has_member("parent")) {
      const size_t at = json_.position();
      const auto parent = static_cast<size_t>(index(static_cast<size_t>(number), "a call"));
      depth = depths_[parent] + 1;
      if (depth > max_parents)
        json_.fail_at(at, fmt::format("calls within calls, more than {} deep", max_parents));
      call->parent = calls_[parent];
    }
    depths_.push_back(depth);
    PendingCall pending;
    json_.member("inputs");
    pending.inputs = references(max_inputs);
    if (json_.has_member("updates")) pending.updates = references(max_inputs);
    if (json_.has_member("losses")) pending.losses = terms(true);
    if (json_.has_member("metrics")) pending.metrics = terms(false);
    calls_.push_back(std::move(call));
    pending_calls_.push_back(std::move(pending));
  }

  std::vector<PendingTerm> terms(bool weighted) {
    std::vector<PendingTerm> out;
    json_.begin('[');
    while (json_.more()) {
      charge(GraphCost::term);
      if (out.size() == max_inputs) json_.fail(fmt::format("more than {} terms", max_inputs));
      json_.begin('{');
      json_.member("name");
      PendingTerm term{name(), {}, 1};
      json_.member("value");
      term.value = reference();
      if (weighted) term.weight = json_.member("weight").real();
      json_.end();
      out.push_back(std::move(term));
    }
    return out;
  }

  Reference reference() {
    charge(GraphCost::reference);
    Reference out{0, 0, json_.position()};
    json_.begin('[');
    for (i64* number : {&out.node, &out.output}) {
      if (!json_.more()) json_.fail("expected a node and the number of its output");
      *number = json_.integer(0, max_items, "an index");
    }
    json_.end();
    return out;
  }

  std::vector<Reference> references(size_t most) {
    std::vector<Reference> out;
    json_.begin('[');
    while (json_.more()) {
      if (out.size() == most) json_.fail(fmt::format("more than {} inputs", most));
      out.push_back(reference());
    }
    return out;
  }

  Symbol resolve(const Reference& reference) const {
    if (reference.node >= static_cast<i64>(nodes_.size()))
      json_.fail_at(reference.position, fmt::format("node {} is not among the {} before this place",
                                                    reference.node, nodes_.size()));
    const Symbol& node = nodes_[static_cast<size_t>(reference.node)];
    if (reference.output >= static_cast<i64>(node.expr()->outputs.size()))
      json_.fail_at(reference.position,
                    fmt::format("node {} has {} outputs, there is no number {}", reference.node,
                                node.expr()->outputs.size(), reference.output));
    return output_of(node, static_cast<int>(reference.output));
  }

  // A node's "call" stands after what it needs, but make() wants it first: what is read is kept
  // until then.
  void read_node(size_t number) {
    charge(GraphCost::node);
    const size_t at = json_.position();
    Symbol symbol;
    const auto in_call = [&](auto build) {
      std::shared_ptr<LayerCall> call;
      if (json_.has_member("call"))
        call = calls_[static_cast<size_t>(index(calls_.size(), "a call"))];
      const CallScope scope(call);
      symbol = build();
    };
    if (json_.has_member("op")) {
      read_op(number, at, in_call);
    } else if (json_.has_member("variable")) {
      const auto& variable =
          record_.variables[static_cast<size_t>(index(record_.variables.size(), "a variable"))];
      in_call([&] { return variable_symbol(variable); });
    } else if (json_.has_member("constant")) {
      const Tensor value = constant(at);
      in_call([&] { return constant_symbol(value); });
    } else {
      std::string name = json_.member("input").string();
      json_.member("dtype");
      TensorType type{{}, dtype()};
      json_.member("shape");
      type.shape = shape(Any);
      check_size(type, at);
      symbol = input_symbol(type, std::move(name));
    }
    for (const TensorType& type : symbol.expr()->outputs) {
      charge(GraphCost::reference);
      check_size(type, at);
    }
    nodes_.push_back(symbol);
  }

  template <class InCall>
  void read_op(size_t number, size_t at, InCall in_call) {
    const std::string name = json_.string();
    Attrs attrs;
    if (json_.has_member("attrs")) attrs = read_attrs();
    json_.member("inputs");
    std::vector<Symbol> inputs;
    for (const Reference& reference : references(max_inputs)) inputs.push_back(resolve(reference));
    try {
      const OpDef& op = op_named(name);
      in_call([&] { return make(op, inputs, std::move(attrs)); });
      for (size_t i = 0; i < inputs.size() && i < 32; ++i)
        if ((op.mutates >> i & 1U) && inputs[i].expr()->kind != Expr::Kind::variable)
          json_.fail_at(at, fmt::format("node {} ({}) writes its input {}, which is no variable",
                                        number, name, i));
    } catch (const FormatError&) {
      throw;
    } catch (const Error& error) {
      std::string why = error.what();
      std::replace(why.begin(), why.end(), '\n', ';');
      json_.fail_at(at, fmt::format("node {} ({}) cannot be: {}", number, shown(name), why));
    }
  }

  Attrs read_attrs() {
    Attrs attrs;
    json_.begin('{');
    for (size_t count = 0; json_.more(); ++count) {
      charge(GraphCost::attr);
      const size_t at = json_.position();
      const std::string name = json_.key();
      if (attrs.has(name))
        json_.fail_at(at, fmt::format("the attribute {} comes twice", shown(name)));
      if (count == max_attrs) json_.fail_at(at, fmt::format("more than {} attributes", max_attrs));
      attrs.set(name, attr());
    }
    return attrs;
  }

  AttrValue attr() {
    const char first = json_.peek();
    if (first == '"') return json_.string();
    if (first == '{') {
      json_.begin('{');
      const double value = json_.member("real").real();
      json_.end();
      return value;
    }
    if (first != '[') return json_.integer();
    std::vector<i64> list;
    json_.begin('[');
    while (json_.more()) {
      charge(GraphCost::item);
      if (list.size() == max_list)
        json_.fail(fmt::format("a list of more than {} numbers", max_list));
      list.push_back(json_.integer());
    }
    return list;
  }

  Tensor constant(size_t at) {
    TensorType type{{}, dtype()};
    json_.member("shape");
    type.shape = shape(0);
    check_size(type, at);
    if (json_.has_member("tensor")) {
      const Tensor value = constants_(json_.string());
      if (!(value.shape() == type.shape) || value.dtype() != type.dtype)
        json_.fail_at(at, fmt::format("the constant is {} {}, its tensor {} {}", type.shape.str(),
                                      dtype_name(type.dtype), value.shape().str(),
                                      dtype_name(value.dtype())));
      return value;
    }
    const size_t hex_at = json_.member("hex").position();
    const std::string hex = json_.string();
    const i64 bytes = checked_mul(type.shape.elements(), dtype_size(type.dtype));
    if (hex.size() / 2 != static_cast<size_t>(bytes) || hex.size() % 2 != 0)
      json_.fail_at(hex_at, fmt::format("{} hexadecimal digits, {} {} needs {} bytes", hex.size(),
                                        type.shape.str(), dtype_name(type.dtype), bytes));
    Tensor value(type.shape, type.dtype);
    auto* out = static_cast<std::uint8_t*>(value.raw());
    for (size_t i = 0; i < hex.size(); ++i) {
      const auto digit = std::string_view("0123456789abcdef").find(hex[i]);
      if (digit == std::string_view::npos)
        json_.fail_at(hex_at, "something else than hexadecimal digits");
      out[i / 2] = static_cast<std::uint8_t>(i % 2 == 0 ? digit << 4 : out[i / 2] | digit);
    }
    return value;
  }

  void connect_calls() {
    // Attached only once every reference has been resolved: an error half way would leave a cycle
    // that keeps itself alive.
    std::vector<std::vector<Symbol>> inputs(calls_.size());
    for (size_t i = 0; i < calls_.size(); ++i) {
      for (const Reference& reference : pending_calls_[i].inputs)
        inputs[i].push_back(resolve(reference));
      for (const Reference& reference : pending_calls_[i].updates) {
        const Symbol update = resolve(reference);
        if (!update.expr()->op || update.expr()->op->mutates == 0)
          json_.fail_at(reference.position,
                        fmt::format("node {} writes no variable: it is no update", reference.node));
        calls_[i]->updates.push_back(update);
        kept_.push_back(update);
      }
      connect_terms(pending_calls_[i].losses, calls_[i]->losses);
      connect_terms(pending_calls_[i].metrics, calls_[i]->metrics);
    }
    for (size_t i = 0; i < calls_.size(); ++i) calls_[i]->inputs = std::move(inputs[i]);
    for (size_t i = 0; i < calls_.size(); ++i) {
      if (!in_cycle(*calls_[i])) continue;
      for (const auto& call : calls_) call->inputs.clear();  // or the cycle would keep itself alive
      json_.fail(fmt::format("call {} has an input that is made by the call itself", i));
    }
  }

  void connect_terms(const std::vector<PendingTerm>& pending, std::vector<AddedTerm>& terms) {
    for (const PendingTerm& term : pending) {
      const Symbol value = resolve(term.value);
      if (value.dtype() != DType::f32 || !std::isfinite(term.weight))
        json_.fail_at(term.value.position,
                      fmt::format("the added term {} is {} with a weight of {}, expected f32 and a "
                                  "finite weight",
                                  shown(term.name), dtype_name(value.dtype()), term.weight));
      terms.push_back({term.name, value, term.weight});
      kept_.push_back(value);
    }
  }

  /// True when following inputs and calls from `call` comes back to something on the way.
  bool in_cycle(const LayerCall& call) {
    struct Visit {
      const Expr* expr;  // or
      const LayerCall* call;
      size_t next;
    };
    std::vector<Visit> path = {{nullptr, &call, 0}};
    if (!visited_.emplace(&call, true).second) return false;
    while (!path.empty()) {
      Visit& visit = path.back();
      const auto& inputs = visit.expr ? visit.expr->inputs : visit.call->inputs;
      const LayerCall* above = visit.expr ? visit.expr->call.get() : visit.call->parent.get();
      const void* self = visit.expr ? static_cast<const void*>(visit.expr) : visit.call;
      Visit child{nullptr, nullptr, 0};
      if (visit.next < inputs.size())
        child.expr = inputs[visit.next].expr().get();
      else if (visit.next == inputs.size())
        child.call = above;
      if (visit.next++ > inputs.size()) {
        visited_[self] = false;  // done: no cycle through it
        path.pop_back();
        continue;
      }
      if (!child.expr && !child.call) continue;
      const void* key = child.expr ? static_cast<const void*>(child.expr) : child.call;
      const auto [at, fresh] = visited_.emplace(key, true);
      if (fresh)
        path.push_back(child);
      else if (at->second)
        return true;
    }
    return false;
  }

  void connect_layers() {
    for (size_t i = 0; i < pending_layers_.size(); ++i) {
      const PendingLayer& pending = pending_layers_[i];
      if (pending.call < 0) continue;
      if (pending.call >= static_cast<i64>(calls_.size()))
        json_.fail_at(pending.output.position,
                      fmt::format("call {} is not among the {}", pending.call, calls_.size()));
      const auto& call = calls_[static_cast<size_t>(pending.call)];
      if (call->layer != record_.layers[i])
        json_.fail_at(pending.output.position,
                      fmt::format("call {} is one of another layer", pending.call));
      const Symbol output = resolve(pending.output);
      record_.layers[i]->first_output = output;
      if (!call->inputs.empty()) record_.layers[i]->input_dtype = call->inputs[0].dtype();
      record_.layers[i]->build = replay(call, output);
    }
  }

  void read_roots() {
    // Whoever holds a root keeps what every call leaves alive.
    const Symbol kept = kept_.empty() ? Symbol() : keeping(kept_[0], kept_);
    json_.member("roots").begin('{');
    while (json_.more()) {
      if (record_.roots.size() == max_roots)
        json_.fail(fmt::format("more than {} lists", max_roots));
      charge(GraphCost::reference);
      record_.roots.emplace_back(json_.key(), std::vector<Symbol>{});
      for (const Reference& reference : references(max_items)) {
        const Symbol symbol = resolve(reference);
        record_.roots.back().second.push_back(kept ? keeping(symbol, {kept}) : symbol);
      }
    }
  }

  JsonReader& json_;
  const ConstantSource& constants_;
  size_t memory_;
  GraphRecord record_;
  std::vector<bool> owned_;  // variables that a layer has
  std::vector<std::shared_ptr<LayerCall>> calls_;
  std::vector<int> depths_;  // of calls within calls
  std::vector<PendingCall> pending_calls_;
  std::vector<PendingLayer> pending_layers_;
  std::vector<Symbol> nodes_;
  std::vector<Symbol> kept_;                       // updates, losses and metrics of calls
  std::unordered_map<const void*, bool> visited_;  // by in_cycle(); true while on the way
};
}  // namespace

GraphRecord graph_from_json(JsonReader& json, const ConstantSource& constants, size_t memory) {
  return GraphReader(json, constants, memory).read();
}

GraphRecord graph_from_json(std::string_view text, const std::string& name) {
  JsonReader json(text, name);
  const ConstantSource none = [&](const std::string& constant) -> Tensor {
    json.fail("the constant " + shown(constant) + " is not in the text");
  };
  GraphRecord record = graph_from_json(json, none, 2 * text.size() + (1 << 20));
  json.finish();
  return record;
}

}  // namespace goneuron
