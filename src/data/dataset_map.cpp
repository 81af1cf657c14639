// Maps of a data set: what they are given, and that every sample comes out like the first.
#include "core/message.h"
#include "data/dataset.h"

namespace goneuron {

namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

bool alike(const std::vector<Tensor>& tensors, const std::vector<Column>& columns) {
  bool same = tensors.size() == columns.size();
  for (size_t i = 0; same && i < tensors.size(); ++i)
    same = tensors[i].shape() == columns[i].shape && tensors[i].dtype() == columns[i].dtype;
  return same;
}

Lines unlike_lines(const char* role, const std::vector<Tensor>& tensors,
                   const std::vector<Column>& columns) {
  Lines lines;
  for (size_t i = 0; i < columns.size(); ++i)
    lines.emplace_back(column_label(role, columns, i),
                       (i < tensors.size() ? type_text(tensors[i]) : "nothing") +
                           "   sample 0: " + type_text(columns[i].shape, columns[i].dtype));
  return lines;
}

void take_types(std::vector<Column>& columns, const std::vector<Tensor>& first) {
  for (size_t i = 0; i < first.size(); ++i) {
    columns[i].shape = first[i].shape();
    columns[i].dtype = first[i].dtype();
  }
}

}  // namespace

Samples DatasetImpl::apply(const Map& map, Samples sample, const SampleContext& context) const {
  const UserCode code;
  if (!weighted) return map.function(sample, context);
  const Tensor weight = sample.y.back();
  sample.y.pop_back();
  sample = map.function(sample, context);
  sample.y.push_back(weight);
  return sample;
}

Samples DatasetImpl::mapped(Samples sample, const SampleContext& context) const {
  for (const Map& map : maps) sample = apply(map, std::move(sample), context);
  if (!alike(sample.x, x) || !alike(sample.y, y)) {
    Lines lines = unlike_lines("x", sample.x, x);
    for (const auto& line : unlike_lines("y", sample.y, y)) lines.push_back(line);
    throw_data({place("Dataset::map", maps.back().site),
                "sample " + std::to_string(context.index) +
                    " comes out unlike sample 0; expected one shape and dtype",
                lines, "return the same shapes and dtypes for every sample"});
  }
  return sample;
}

Dataset Dataset::map(Callable<Sample(const Sample&)> function, Site site) const {
  if (!function) return map(Callable<Samples(const Samples&, const SampleContext&)>(), site);
  return map([function = std::move(function)](const Sample& s,
                                              const SampleContext&) { return function(s); },
             site);
}

Dataset Dataset::map(Callable<Samples(const Samples&)> function, Site site) const {
  if (!function) return map(Callable<Samples(const Samples&, const SampleContext&)>(), site);
  return map([function = std::move(function)](const Samples& s,
                                              const SampleContext&) { return function(s); },
             site);
}

Dataset Dataset::map(Callable<Sample(const Sample&, const SampleContext&)> function,
                     Site site) const {
  const DatasetImpl& from = need_data(impl_, "Dataset::map", site);
  if (!function) return map(Callable<Samples(const Samples&, const SampleContext&)>(), site);
  if (from.x.size() != 1 || from.targets() != 1)
    throw_data({user_place("Dataset::map", site),
                counted(inputs(), "input") + " and " + counted(targets(), "target") +
                    " for a function of one each; expected one that takes Samples",
                {},
                "write it as [](const Samples& s) -> Samples, with s.x[0], s.x[1], .. and s.y[0]"});
  return map(
      [function = std::move(function)](const Samples& s, const SampleContext& context) {
        const Sample out = function({s.x[0], s.y[0]}, context);
        return Samples{{out.x}, {out.y}};
      },
      site);
}

Dataset Dataset::map(Callable<Samples(const Samples&, const SampleContext&)> function,
                     Site site) const {
  const DatasetImpl& from = need_data(impl_, "Dataset::map", site);
  if (!function)
    throw_data({user_place("Dataset::map", site),
                "the function is empty",
                {},
                "pass a function from Sample to Sample"});
  refuse_buckets(from, "Dataset::map", site);
  auto out = std::make_shared<DatasetImpl>(from);
  if (out->maps.empty()) out->unmapped = from.stored_types();
  out->preprocessing = nullptr;  // the model takes what the map makes, not the table's rows
  out->maps.push_back({std::move(function), site});
  // The first sample tells what all must look like.
  Samples first = out->stored(0);
  for (const auto& step : out->maps) first = out->apply(step, std::move(first), {});
  Lines lines;
  bool empty = first.x.empty() || first.y.empty();
  for (const auto* tensors : {&first.x, &first.y})
    for (const Tensor& tensor : *tensors) {
      empty |= tensor.empty();
      lines.emplace_back(tensors == &first.x ? "x" : "y", type_text(tensor));
    }
  if (empty)
    throw_data({user_place("Dataset::map", site), "sample 0 comes out empty", lines,
                "return both x and y, with at least one element each"});
  if (first.x.size() != from.x.size() || first.y.size() != from.y.size())
    throw_data({user_place("Dataset::map", site),
                "sample 0 comes out with " + counted(static_cast<i64>(first.x.size()), "input") +
                    " and " + counted(static_cast<i64>(first.y.size()), "target") + "; expected " +
                    std::to_string(from.x.size()) + " and " + std::to_string(from.y.size()),
                lines, "return as many as the function is given"});
  take_types(out->x, first.x);
  take_types(out->y, first.y);
  return Dataset(share(std::move(out)));
}

}  // namespace goneuron
