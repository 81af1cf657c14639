// Binding: which column of a data set goes to which input of a step, by position or by name.
#include <algorithm>
#include <limits>

#include "core/message.h"
#include "train/pass.h"

namespace goneuron {

namespace {

std::vector<std::string> names_of(const std::vector<Column>& columns, size_t count) {
  std::vector<std::string> names;
  for (size_t i = 0; i < count; ++i)
    if (!columns[i].name.empty()) names.push_back(columns[i].name);
  return names;
}

std::vector<std::string> head_names(const ModelImpl& model) {
  std::vector<std::string> names;
  for (const Head& head : model.heads)
    names.push_back(model.output_names[static_cast<size_t>(head.output)]);
  return names;
}

}  // namespace

std::vector<int> matched(const std::vector<std::string>& wanted,
                         const std::vector<std::string>& given, size_t count, const char* what,
                         const std::string& where) {
  const auto kinds = std::string(what) + "s";
  if (count != wanted.size())
    throw_data({where,
                counted(static_cast<i64>(count), what) + " for a model that takes " +
                    std::to_string(wanted.size()) + "; expected one tensor for each",
                {{kinds, quoted_list(wanted)}},
                "list them in this order, {a, b}, or by name: {{\"a\", a}, {\"b\", b}}"});
  std::vector<int> places;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (given.empty()) {
      places.push_back(static_cast<int>(i));
      continue;
    }
    const auto at = std::find(given.begin(), given.end(), wanted[i]);
    if (at != given.end()) {
      places.push_back(static_cast<int>(at - given.begin()));
      continue;
    }
    std::string unknown;
    for (const std::string& name : given)
      if (unknown.empty() && std::find(wanted.begin(), wanted.end(), name) == wanted.end())
        unknown = name;
    throw_data({where,
                std::string("the data has no ") + what + " \"" + wanted[i] +
                    "\"; expected those of the model",
                {{kinds, quoted_list(wanted)}, {"given", quoted_list(given)}},
                unknown.empty() ? "give it by that name"
                                : "rename \"" + unknown + "\" in the data, or name the model's " +
                                      (*what == 'i' ? "Input" : "layer") + " so: {.name = \"" +
                                      unknown + "\"}"});
  }
  return places;
}

Binding bind_inputs(ModelImpl& model, const Dataset& data, const char* caller, Site site) {
  const DatasetImpl& impl = *data.impl();
  const std::string where = call_site(caller, site);
  if (!model.built()) {
    std::vector<Shape> samples;
    for (const Column& c : impl.x) samples.push_back(c.shape);
    model.need_shapes(samples, caller, site);
  }
  Binding binding;
  const auto x =
      matched(model.input_names, names_of(impl.x, impl.x.size()), impl.x.size(), "input", where);
  std::vector<Shape> samples;
  for (size_t i = 0; i < x.size(); ++i) {
    binding.feeds.push_back({GatherRole::input, x[i], model.inputs[i].dtype()});
    samples.push_back(impl.x[static_cast<size_t>(x[i])].shape);
  }
  for (const DatasetImpl* part : impl.parts()) {
    for (size_t i = 0; i < x.size(); ++i) samples[i] = part->x[static_cast<size_t>(x[i])].shape;
    model.need_shapes(samples, caller, site);
  }
  return binding;
}

Binding bind(ModelImpl& model, const Dataset& data, const char* caller, Site site) {
  Binding binding = bind_inputs(model, data, caller, site);
  const DatasetImpl& impl = *data.impl();
  const std::string where = call_site(caller, site);
  const auto y =
      matched(head_names(model), names_of(impl.y, impl.targets()), impl.targets(), "target", where);
  for (const int column : y) {
    const Column& c = impl.y[static_cast<size_t>(column)];
    binding.feeds.push_back({GatherRole::target, column, target_type(c.shape, c.dtype).dtype});
  }
  if (impl.weighted)
    binding.feeds.push_back({GatherRole::target, static_cast<int>(impl.targets()), DType::f32});
  return binding;
}

void Binding::leave_in_place(ModelImpl& model, const DatasetImpl& data, Mode mode, i64 batch) {
  if (!data.maps.empty() || data.source || data.prefetched() || data.parts().size() > 1) return;
  Binding listed = *this;
  for (size_t i = 0; i < model.inputs.size(); ++i) {
    Feed& feed = listed.feeds[i];
    const Tensor& stored = data.x[static_cast<size_t>(feed.column)].stored;
    if (feed.type == DType::f32 && stored.dtype() == DType::u8 &&
        stored.shape()[0] <= std::numeric_limits<std::int32_t>::max())
      feed = {feed.role, feed.column, DType::i32, true};
  }
  const StepSpec spec = listed.spec(model, data, mode, std::min(batch, data.size()));
  if (!spec.tables.empty() && reads_tables(model, spec)) *this = std::move(listed);
}

StepSpec Binding::spec(const ModelImpl& model, const DatasetImpl& part, Mode mode, i64 rows) const {
  StepSpec spec{.mode = mode};
  for (size_t i = 0; i < feeds.size(); ++i) {
    const bool input = i < model.inputs.size();
    const auto column = static_cast<size_t>(feeds[i].column);
    if (feeds[i].by_row) {
      spec.inputs.push_back({Shape{rows}, feeds[i].type});
      spec.tables.resize(model.inputs.size());
      spec.tables[i] = part.x[column].stored;
      continue;
    }
    (input ? spec.inputs : spec.targets)
        .push_back({(input ? part.x : part.y)[column].shape.with_batch(rows), feeds[i].type});
  }
  return spec;
}

}  // namespace goneuron
