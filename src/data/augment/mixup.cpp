#include "data/augment/mixup.h"

#include <algorithm>
#include <cmath>

#include "core/message.h"
#include "core/tensor_values.h"
#include "data/augment/frame.h"

namespace goneuron::data {

namespace {

constexpr std::uint32_t mixup_stream = 0x41554780;

/// a * share + b * (1 - share), in a's dtype.
Tensor blend(const Tensor& a, const Tensor& b, double share) {
  Tensor out(a.shape(), a.dtype());
  std::vector<double> left(static_cast<size_t>(a.size())), right = left;
  load_values(a.raw(), a.dtype(), 0, a.size(), left.data());
  load_values(b.raw(), b.dtype(), 0, b.size(), right.data());
  for (size_t i = 0; i < left.size(); ++i) left[i] = left[i] * share + right[i] * (1 - share);
  store_values(left.data(), 0, a.size(), out.raw(), out.dtype());
  return out;
}

/// Targets as shares: labels as [classes] with a 1, others as floats.
Tensor shares_of(const Tensor& y, i64 classes, i64 index, const std::string& where) {
  if (is_floating(y.dtype())) return y.to(DType::f32);
  double label = 0;
  load_values(y.raw(), y.dtype(), 0, 1, &label);
  if (label < 0 || label >= static_cast<double>(classes))
    throw_data({where,
                "the label of sample " + std::to_string(index) + " is " + number_text(label) +
                    "; expected 0 to " + std::to_string(classes - 1),
                {},
                "give .classes as many as there are"});
  Tensor out(Shape{classes});
  out.data()[static_cast<i64>(label)] = 1;
  return out;
}

}  // namespace

Dataset mixed(const Dataset& data, const AugmentOptions& options, Site site) {
  const std::string where = user_place("data::augment", site);
  const auto& all = data.impl();
  if (all->x.size() != 1 || all->targets() != 1 || (all->source && all->source->block() > 1))
    throw_data({where,
                "mixup of " + counted(data.inputs(), "input") + " and " +
                    counted(data.targets(), "target") +
                    (all->source ? " from a file that is read in order" : "") +
                    "; expected one of each, and samples that can be read in any order",
                {},
                "leave mixup out, or read the data into memory first: arrays()"});
  if (!is_floating(data.y_dtype()) && (data.y_shape().elements() != 1 || options.classes < 2))
    throw_data({where,
                "mixup of targets " + type_text(data.y_shape(), data.y_dtype()) + " with " +
                    std::to_string(options.classes) +
                    " classes; expected one label and 2 classes or more, or floats",
                {},
                "say how many there are: {.mixup = 0.2, .classes = 10}"});
  const Dataset made = data.map(
      [all, options, where](const Samples& s, const SampleContext& context) {
        auto random = context.random(mixup_stream);
        const double share = beta(options.mixup, random);
        const i64 count = all->size();
        const i64 other =
            std::min(static_cast<i64>(random.uniform(0, static_cast<double>(count))), count - 1);
        const Samples partner =
            all->mapped(all->stored(other, context.epoch, context.seed),
                        {.epoch = context.epoch, .index = other, .seed = context.seed});
        const Tensor a = shares_of(s.y[0], options.classes, context.index, where),
                     b = shares_of(partner.y[0], options.classes, other, where);
        return Samples{{blend(s.x[0], partner.x[0], share)}, {blend(a, b, share)}};
      },
      site);
  auto marked = std::make_shared<DatasetImpl>(*made.impl());
  marked->maps.back().mixes = true;
  return Dataset(share(std::move(marked)));
}

}  // namespace goneuron::data
