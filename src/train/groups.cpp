// Parameter groups: which weights an optimizer treats apart.
#include <algorithm>
#include <string_view>

#include "core/message.h"
#include "train/updates.h"

namespace goneuron {

namespace {

/// One alternative; `*` is tried from the shortest text on, going back to the last one only.
bool fits_glob(std::string_view glob, std::string_view name) {
  size_t g = 0, n = 0, star = std::string_view::npos, resume = 0;
  while (n < name.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = n;
    } else if (g < glob.size() && (glob[g] == '?' || glob[g] == name[n])) {
      ++g;
      ++n;
    } else if (star != std::string_view::npos) {
      g = star + 1;
      n = ++resume;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

bool base_trainable(const Variable& variable) {
  const auto layer = variable.layer.lock();
  return variable.role == Role::parameter && variable.trainable && (!layer || layer->learns());
}

bool fits(const ParameterGroup& group, const Variable& variable, const std::string& name) {
  if (group.fits) {
    const UserCode predicate;
    return group.fits({name, variable.value, base_trainable(variable)});
  }
  if (!group.names.empty())
    return std::find(group.names.begin(), group.names.end(), name) != group.names.end();
  return fits_pattern(group.pattern, name);
}

/// Biases, and the weights of norms: those of one axis.
bool norm_or_bias(const Variable& variable) {
  const std::string_view name = variable.name;
  return variable.type.shape.rank() < 2 || name == "bias" ||
         (name.size() > 5 && name.substr(name.size() - 5) == "_bias");
}

std::string group_text(const ParameterGroup& group) {
  if (group.fits) return "the function of a parameter group fits";
  return "the pattern \"" + (group.names.empty() ? group.pattern : group.names[0]) + "\" fits";
}

}  // namespace

bool fits_pattern(const std::string& pattern, const std::string& name) {
  for (size_t at = 0; at <= pattern.size();) {
    const size_t end = std::min(pattern.find('|', at), pattern.size());
    if (fits_glob(std::string_view(pattern).substr(at, end - at), name)) return true;
    at = end + 1;
  }
  return false;
}

void resolve_groups(ModelImpl& model) {
  const Optimizer& o = model.optimizer;
  model.rules.clear();
  if (o.groups.empty() && o.decay_norms_and_biases) return;
  std::vector<bool> used(o.groups.size());
  std::vector<std::string> names;
  for (const auto& variable : model.variables) {
    if (variable->role != Role::parameter) continue;
    names.push_back(variable->full_name());
    WeightRule rule{1, o.weight_decay, true};
    if (!o.decay_norms_and_biases && norm_or_bias(*variable)) rule.weight_decay = 0;
    bool taken = false;
    for (size_t i = 0; i < o.groups.size(); ++i) {
      if (!fits(o.groups[i], *variable, names.back())) continue;
      used[i] = true;
      if (taken) continue;  // the first group that it fits has it
      taken = true;
      const GroupOptions& options = o.groups[i].options;
      rule.rate_scale = options.learning_rate_scale;
      rule.weight_decay = options.weight_decay.value_or(rule.weight_decay);
      rule.trainable = options.trainable;
    }
    model.rules[variable.get()] = rule;
  }
  const auto unused = std::find(used.begin(), used.end(), false);
  if (unused == used.end()) return;
  const auto& group = o.groups[static_cast<size_t>(unused - used.begin())];
  model.rules.clear();
  constexpr const char* kinds[] = {"SGD", "Adam", "AdamW"};
  throw_graph({.where = place(kinds[static_cast<size_t>(o.kind)], o.site),
               .what = group_text(group) + " no weight of the model; expected at least one",
               .lines = {{"weights", quoted_list(names)}},
               .hint = "names are LAYER/WEIGHT: \"*/bias\" fits all biases, \"dense*\" the weights "
                       "of layers whose names start so"});
}

std::vector<ParameterGroup> groups_by_names(const ModelImpl& model) {
  std::vector<ParameterGroup> all;
  for (const ParameterGroup& group : model.optimizer.groups) {
    std::vector<std::string> names;
    for (const auto& variable : model.variables)
      if (variable->role == Role::parameter && fits(group, *variable, variable->full_name()))
        names.push_back(variable->full_name());
    if (!names.empty()) all.emplace_back(names, group.options);
  }
  return all;
}

WeightRule rule_of(const ModelImpl& model, const Variable& variable) {
  const auto at = model.rules.find(&variable);
  return at == model.rules.end() ? WeightRule{1, model.optimizer.weight_decay, true} : at->second;
}

bool in_training(const ModelImpl& model, const Variable& variable) {
  return base_trainable(variable) && rule_of(model, variable).trainable &&
         model.aside.count(&variable) == 0;
}

}  // namespace goneuron
