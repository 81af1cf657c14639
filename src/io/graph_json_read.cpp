// Reads a graph's values and nodes from JSON.
#include <cmath>

#include "core/checked_math.h"
#include "io/graph_reader.h"

namespace goneuron {

void GraphReader::charge(size_t bytes) {
  if (bytes > memory_)
    json_.fail("a graph that would take more memory than twice the file's size + 1 MB");
  memory_ -= bytes;
}

size_t GraphReader::one_of(std::span<const std::string_view> names, const char* what) {
  const size_t at = json_.position();
  const std::string name = json_.string();
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end())
    json_.fail_at(at, fmt::format("{} is an unknown {}", shown(name), what));
  return static_cast<size_t>(found - names.begin());
}

std::string GraphReader::name() {
  const size_t at = json_.position();
  std::string text = json_.string();
  if (text.size() > max_name)
    json_.fail_at(at,
                  fmt::format("a name of {} bytes, expected at most {}", text.size(), max_name));
  return text;
}

i64 GraphReader::index(size_t count, const char* what) {
  if (count == 0) json_.fail(fmt::format("an index of a {}, but there is none before", what));
  return json_.integer(0, static_cast<i64>(count) - 1, what);
}

Shape GraphReader::shape(i64 lowest) {
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

void GraphReader::check_size(const TensorType& type, size_t at) {
  i64 bytes = dtype_size(type.dtype);
  for (const i64 dim : type.shape)
    if (dim > 0 && __builtin_mul_overflow(bytes, dim, &bytes))
      json_.fail_at(at, "the size of the shape " + type.shape.str() + " does not fit in 64 bits");
}

void GraphReader::read_variable() {
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

NodeReference GraphReader::reference() {
  charge(GraphCost::reference);
  NodeReference out{0, 0, json_.position()};
  json_.begin('[');
  for (i64* number : {&out.node, &out.output}) {
    if (!json_.more()) json_.fail("expected a node and the number of its output");
    *number = json_.integer(0, max_items, "an index");
  }
  json_.end();
  return out;
}

std::vector<NodeReference> GraphReader::references(size_t most) {
  std::vector<NodeReference> out;
  json_.begin('[');
  while (json_.more()) {
    if (out.size() == most) json_.fail(fmt::format("more than {} inputs", most));
    out.push_back(reference());
  }
  return out;
}

Symbol GraphReader::resolve(const NodeReference& reference) const {
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

void GraphReader::read_node(size_t number) {
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

Attrs GraphReader::read_attrs() {
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

AttrValue GraphReader::attr() {
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

Tensor GraphReader::constant(size_t at) {
  TensorType type{{}, dtype()};
  json_.member("shape");
  type.shape = shape(0);
  check_size(type, at);
  if (json_.has_member("tensor")) {
    const Tensor value = constants_(json_.string());
    if (!(value.shape() == type.shape) || value.dtype() != type.dtype)
      json_.fail_at(
          at, fmt::format("the constant is {} {}, its tensor {} {}", type.shape.str(),
                          dtype_name(type.dtype), value.shape().str(), dtype_name(value.dtype())));
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

void GraphReader::read_roots() {
  // Whoever holds a root keeps what every call leaves alive.
  const Symbol kept = kept_.empty() ? Symbol() : keeping(kept_[0], kept_);
  json_.member("roots").begin('{');
  while (json_.more()) {
    if (record_.roots.size() == max_roots) json_.fail(fmt::format("more than {} lists", max_roots));
    charge(GraphCost::reference);
    record_.roots.emplace_back(json_.key(), std::vector<Symbol>{});
    for (const NodeReference& reference : references(max_items)) {
      const Symbol symbol = resolve(reference);
      record_.roots.back().second.push_back(kept ? keeping(symbol, {kept}) : symbol);
    }
  }
}

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
