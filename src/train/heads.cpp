// The ends of a model: names of inputs and outputs, and which output has which loss and metrics.
#include <algorithm>

#include "core/message.h"
#include "graph/op_def.h"
#include "train/added_terms.h"
#include "train/model_impl.h"

namespace goneuron {

namespace {

/// The layer that made it as a whole, where one did: the outermost call.
std::string maker_of(const Symbol& output) {
  const LayerCall* call = output.expr()->call.get();
  while (call && call->parent) call = call->parent.get();
  return call ? call->layer->name : "";
}

/// `wanted`, or with a number behind it where that is taken.
std::string free_name(const std::vector<std::string>& taken, const std::string& wanted) {
  std::string name = wanted;
  for (int i = 1; std::find(taken.begin(), taken.end(), name) != taken.end(); ++i)
    name = wanted + "_" + std::to_string(i);
  return name;
}

[[noreturn]] void fail(const std::string& what, const std::vector<std::string>& names,
                       const std::string& hint) {
  throw_graph({.what = what, .lines = {{"outputs", quoted_list(names)}}, .hint = hint});
}

/// The number of the output of that name.
int output_named(const ModelImpl& model, const std::string& name, const char* what) {
  const auto& names = model.output_names;
  const auto at = std::find(names.begin(), names.end(), name);
  if (at == names.end())
    fail(std::string(what) + " are given for an output \"" + name +
             "\", which there is not; expected one of those below",
         names, "an output is named after its layer: Dense(10, {.name = \"" + name + "\"})");
  return static_cast<int>(at - names.begin());
}

std::vector<Head> heads_of(const ModelImpl& model) {
  std::vector<Head> heads;
  const auto count = static_cast<int>(model.outputs.size());
  const auto given = static_cast<int>(model.losses.size());
  const bool named = !model.losses[0].output.empty();
  for (const OutputLoss& loss : model.losses)
    if (loss.output.empty() == named)
      fail(
          "some losses are given with the name of their output and some without; expected one or "
          "the other",
          model.output_names, "name them all: {{\"y\", MSE}, {\"z\", CrossEntropy}}");
  if (!named && given != 1 && given != count)
    fail(std::to_string(given) + " losses for " + counted(count, "output") +
             "; expected one for each, or one for all",
         model.output_names, "list them in this order, or by name: {{\"y\", MSE}}");
  if (!named) {
    for (int i = 0; i < count; ++i) {
      const OutputLoss& loss = model.losses[given == 1 ? 0 : static_cast<size_t>(i)];
      heads.push_back({i, loss.loss, loss.weight, {}});
    }
    return heads;
  }
  for (const OutputLoss& loss : model.losses)
    heads.push_back({output_named(model, loss.output, "losses"), loss.loss, loss.weight, {}});
  std::sort(heads.begin(), heads.end(),
            [](const Head& a, const Head& b) { return a.output < b.output; });
  for (size_t i = 1; i < heads.size(); ++i)
    if (heads[i].output == heads[i - 1].output)
      fail("two losses for the output \"" +
               model.output_names[static_cast<size_t>(heads[i].output)] + "\"; expected one",
           model.output_names, "add them up in a loss of your own: Loss(\"both\", function)");
  return heads;
}

}  // namespace

void ModelImpl::name_ends() {
  input_names.clear();
  output_names.clear();
  for (const Symbol& input : inputs)
    if (const std::string& own = input.expr()->name; !own.empty())
      for (const Symbol& other : inputs)
        if (&other != &input && other.expr()->name == own && !(other == input))
          throw_graph({.where = origin_of(input),
                       .what = "two inputs are named \"" + own + "\"; expected a name for each",
                       .hint = "Input(shape, {.name = \"..\"}) names one"});
  for (const Symbol& input : inputs) {
    const std::string& own = input.expr()->name;
    input_names.push_back(free_name(input_names, own.empty() ? "input" : own));
  }
  for (const Symbol& output : outputs) {
    const std::string maker = maker_of(output);
    output_names.push_back(free_name(output_names, maker.empty() ? "output" : maker));
  }
}

/// The weights that no output with a loss, and no loss that a layer adds, is made of.
void ModelImpl::set_aside() {
  aside.clear();
  if (heads.size() == outputs.size()) return;
  std::vector<Symbol> learning;
  for (const Head& head : heads) learning.push_back(outputs[static_cast<size_t>(head.output)]);
  if (const Symbol added = added_terms(outputs).loss) learning.push_back(added);
  for (const auto& variable : variables) aside.insert(variable.get());
  for (const Expr* expr : topological_order(learning)) aside.erase(expr->variable.get());
}

void ModelImpl::resolve_heads() {
  heads.clear();
  aside.clear();
  if (losses.empty()) return;
  heads = heads_of(*this);
  set_aside();
  for (const OutputMetrics& given : metrics) {
    const int output = given.output.empty() ? -1 : output_named(*this, given.output, "metrics");
    bool used = false;
    for (Head& head : heads)
      if (output < 0 || head.output == output) {
        head.metrics.insert(head.metrics.end(), given.metrics.begin(), given.metrics.end());
        used = true;
      }
    if (!used)
      fail("metrics are given for the output \"" + given.output +
               "\", which has no loss; expected one that is trained",
           output_names, "give it a loss, with a weight of 0 if it is not to be trained");
  }
}

std::string ModelImpl::loss_names() const {
  std::string text;
  for (const OutputLoss& loss : losses) text += (text.empty() ? "" : ", ") + loss.loss.name();
  return text;
}

}  // namespace goneuron
