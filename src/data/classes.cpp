#include "data/classes.h"

#include <algorithm>
#include <cmath>

#include "core/message.h"
#include "core/tensor_values.h"

namespace goneuron {

namespace {

/// The class in one target of `width` numbers.
i64 class_of(const double* values, i64 width, i64 sample, const std::string& where) {
  if (width > 1) return std::max_element(values, values + width) - values;
  const double value = *values;
  if (value == std::floor(value) && std::abs(value) < 0x1p53) return static_cast<i64>(value);
  throw_data({where,
              "the target of sample " + std::to_string(sample) + " is " + number_text(value) +
                  "; expected the whole number of a class",
              {},
              "only data with classes has shares of them; split() and k_fold() take any"});
}

/// Calls use(first, count, memory of the targets) for stretches of unmapped samples; false where
/// the source reads whole samples only.
template <class Use>
bool each_target(const DatasetImpl& data, Use use) {
  if (!data.maps.empty() || (data.source && data.weighted)) return false;
  const i64 count = data.size(), bytes = data.stored_types()[data.x.size()].bytes();
  if (!data.source) {
    const Tensor& y = data.y[0].stored;
    for (i64 i = 0; i < count; ++i)
      use(i, 1, static_cast<const char*>(y.raw()) + data.chosen[i] * bytes);
    return true;
  }
  constexpr i64 most = 4096;
  const Tensor memory(Shape{std::min(most, count) * bytes}, DType::u8);
  std::vector<i64> rows;
  void* const at[] = {const_cast<void*>(memory.raw())};
  for (i64 first = 0; first < count; first += most) {
    rows.clear();
    for (i64 i = first; i < std::min(count, first + most); ++i) rows.push_back(data.chosen[i]);
    if (!data.source->read_targets(rows.data(), static_cast<i64>(rows.size()), at)) return false;
    use(first, static_cast<i64>(rows.size()), static_cast<const char*>(memory.raw()));
  }
  return true;
}

}  // namespace

std::map<i64, std::vector<std::uint32_t>> samples_by_class(const DatasetImpl& data,
                                                           const std::string& where) {
  const Column& y = data.y[0];
  const bool known = data.targets() == 1 && y.shape.known();
  const i64 width = known ? y.shape.elements() : 0;
  if (!known || (data.sequences && data.sequences->y_has_time) ||
      (width > 1 && !is_floating(y.dtype)))
    throw_data({where,
                counted(static_cast<i64>(data.targets()), "target") + " of " +
                    type_text(y.shape, y.dtype) + " a sample; expected one class a sample",
                {},
                "a class is a whole number, or several floating ones of which one is the largest"});
  for (const auto& map : data.maps)
    if (map.mixes)
      throw_data({where,
                  "mixed samples are of no one class; expected those before mixing",
                  {},
                  "call it before data::augment()"});
  std::map<i64, std::vector<std::uint32_t>> by_class;
  std::vector<double> values(static_cast<size_t>(width));
  const auto add = [&](i64 sample, const void* target, i64 at, DType dtype) {
    load_values(target, dtype, at * width, width, values.data());
    by_class[class_of(values.data(), width, sample, where)].push_back(
        static_cast<std::uint32_t>(sample));
  };
  if (data.sequences) {
    for (i64 i = 0; i < data.size(); ++i)
      add(i, data.sequences->y[static_cast<size_t>(i)].raw(), 0, y.dtype);
    return by_class;
  }
  const bool read = each_target(data, [&](i64 first, i64 count, const void* targets) {
    for (i64 i = 0; i < count; ++i) add(first + i, targets, i, y.dtype);
  });
  if (!read)
    data.each([&](i64 i, const Samples& sample) { add(i, sample.y[0].raw(), 0, y.dtype); });
  return by_class;
}

}  // namespace goneuron
