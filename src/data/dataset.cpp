#include "data/dataset.h"

#include <cmath>
#include <cstring>

#include "core/message.h"

namespace goneuron {

namespace {

std::string describe(const Tensor& tensor) {
  return tensor.shape().str() + " " + dtype_name(tensor.dtype());
}

std::string describe(const Shape& shape, DType dtype) {
  return shape.str() + " " + dtype_name(dtype);
}

const DatasetImpl& need(const std::shared_ptr<const DatasetImpl>& impl, const char* function,
                        Site site) {
  if (impl == nullptr)
    throw_data({user_place(function, site),
                "the dataset has no samples; expected at least one",
                {},
                "make it from tensors, Dataset(x, y), or by a function of goneuron::data"});
  return *impl;
}

/// Rows [begin, end) of both tensors, everything else as it is.
Dataset rows(const DatasetImpl& from, i64 begin, i64 end) {
  auto out = std::make_shared<DatasetImpl>(from);
  out->x = from.x.slice(begin, end);
  out->y = from.y.slice(begin, end);
  return Dataset(std::move(out));
}

/// Copies: what a map does to its sample must not reach the stored data.
Sample stored(const DatasetImpl& impl, i64 index) {
  return {impl.x[index].clone(), impl.y[index].clone()};
}

void check_samples(const Tensor& x, const Tensor& y, Site site) {
  const std::string where = user_place("Dataset", site);
  const std::vector<std::pair<std::string, std::string>> lines = {{"x", describe(x)},
                                                                  {"y", describe(y)}};
  if (x.shape().rank() == 0 || y.shape().rank() == 0 || x.shape()[0] == 0)
    throw_data({where,
                std::string((x.shape().rank() == 0 || x.shape()[0] == 0) ? "x" : "y") +
                    " has no samples; expected at least one",
                lines, "samples lie along the first axis: x [samples, ..], y [samples, ..]"});
  if (x.shape()[0] != y.shape()[0])
    throw_data({where,
                "x has " + std::to_string(x.shape()[0]) + " samples, y has " +
                    std::to_string(y.shape()[0]) + "; expected as many",
                lines, "give every sample one target: both first axes must be equal"});
  if (x.empty() || y.empty())
    throw_data({where,
                std::string(x.empty() ? "a sample of x" : "a target of y") +
                    " has no elements; expected at least one",
                lines, "every axis must be at least 1"});
}

}  // namespace

Sample DatasetImpl::mapped(i64 index) const {
  Sample sample = stored(*this, index);
  for (const Map& map : maps) {
    const UserCode code;
    sample = map.function(sample);
  }
  const bool alike = sample.x.shape() == x_shape && sample.y.shape() == y_shape &&
                     sample.x.dtype() == x_dtype && sample.y.dtype() == y_dtype;
  if (!alike)
    throw_data({place("Dataset::map", maps.back().site),
                "sample " + std::to_string(index) +
                    " comes out unlike sample 0; expected one shape and dtype",
                {{"x", describe(sample.x) + "   sample 0: " + describe(x_shape, x_dtype)},
                 {"y", describe(sample.y) + "   sample 0: " + describe(y_shape, y_dtype)}},
                "return the same shapes and dtypes for every sample"});
  return sample;
}

Dataset::Dataset(const Tensor& x, const Tensor& y, Site site) {
  check_samples(x, y, site);
  auto impl = std::make_shared<DatasetImpl>();
  impl->x = x;
  impl->y = y;
  impl->x_shape = x.shape().without_batch();
  impl->y_shape = y.shape().without_batch();
  impl->x_dtype = x.dtype();
  impl->y_dtype = y.dtype();
  impl_ = std::move(impl);
}

i64 Dataset::size() const { return impl_ == nullptr ? 0 : impl_->size(); }
Shape Dataset::x_shape() const { return need(impl_, "Dataset::x_shape", {}).x_shape; }
Shape Dataset::y_shape() const { return need(impl_, "Dataset::y_shape", {}).y_shape; }
DType Dataset::x_dtype() const { return need(impl_, "Dataset::x_dtype", {}).x_dtype; }
DType Dataset::y_dtype() const { return need(impl_, "Dataset::y_dtype", {}).y_dtype; }

Dataset Dataset::map(std::function<Sample(const Sample&)> function, Site site) const {
  const DatasetImpl& from = need(impl_, "Dataset::map", site);
  if (!function)
    throw_data({user_place("Dataset::map", site),
                "the function is empty",
                {},
                "pass a function from Sample to Sample"});
  auto out = std::make_shared<DatasetImpl>(from);
  out->maps.push_back({std::move(function), site});
  // The first sample tells what all must look like.
  Sample first = stored(*out, 0);
  for (const auto& step : out->maps) {
    const UserCode code;
    first = step.function(first);
  }
  if (first.x.empty() || first.y.empty())
    throw_data({user_place("Dataset::map", site),
                "sample 0 comes out empty",
                {{"x", describe(first.x)}, {"y", describe(first.y)}},
                "return both x and y, with at least one element each"});
  out->x_shape = first.x.shape();
  out->y_shape = first.y.shape();
  out->x_dtype = first.x.dtype();
  out->y_dtype = first.y.dtype();
  return Dataset(std::move(out));
}

Dataset Dataset::shuffle(std::uint64_t seed, Site site) const {
  auto out = std::make_shared<DatasetImpl>(need(impl_, "Dataset::shuffle", site));
  out->shuffle_seed = seed;
  return Dataset(std::move(out));
}

Dataset Dataset::batch(i64 size, Site site) const {
  auto out = std::make_shared<DatasetImpl>(need(impl_, "Dataset::batch", site));
  if (size < 1)
    throw_data({user_place("Dataset::batch", site),
                "a batch of " + std::to_string(size) + " samples; expected at least 1",
                {},
                "32 is usual"});
  out->batch_size = size;
  return Dataset(std::move(out));
}

Dataset Dataset::prefetch(bool on, Site site) const {
  auto out = std::make_shared<DatasetImpl>(need(impl_, "Dataset::prefetch", site));
  out->prefetch = on ? Prefetch::on : Prefetch::off;
  return Dataset(std::move(out));
}

TrainTest Dataset::split(double fraction, Site site) const {
  const DatasetImpl& from = need(impl_, "Dataset::split", site);
  const i64 count = from.size();
  // Not (a && b): NaN must fail too.
  const bool inside = fraction > 0 && fraction < 1;
  const auto first =
      inside ? static_cast<i64>(std::llround(fraction * static_cast<double>(count))) : 0;
  if (first < 1 || first >= count)
    throw_data({user_place("Dataset::split", site),
                "a fraction of " + number_text(fraction) + " of " + std::to_string(count) +
                    " samples leaves one side empty; expected a number between 0 and 1",
                {},
                "both sides need a sample: 0.8 keeps 80 % on the first"});
  return {rows(from, 0, first), rows(from, first, count)};
}

Dataset Dataset::take(i64 count, Site site) const {
  const DatasetImpl& from = need(impl_, "Dataset::take", site);
  if (count < 1 || count > from.size())
    throw_data({user_place("Dataset::take", site),
                std::to_string(count) + " samples; expected 1 to " + std::to_string(from.size()),
                {},
                "size() says how many there are"});
  return rows(from, 0, count);
}

Sample Dataset::arrays(Site site) const {
  const DatasetImpl& from = need(impl_, "Dataset::arrays", site);
  if (from.maps.empty()) return {from.x, from.y};
  const i64 count = from.size();
  Sample out{Tensor(from.x_shape.with_batch(count), from.x_dtype),
             Tensor(from.y_shape.with_batch(count), from.y_dtype)};
  const auto x_bytes = static_cast<size_t>(out.x.bytes() / count);
  const auto y_bytes = static_cast<size_t>(out.y.bytes() / count);
  for (i64 i = 0; i < count; ++i) {
    const Sample sample = from.mapped(i);
    std::memcpy(static_cast<char*>(out.x.raw()) + static_cast<size_t>(i) * x_bytes, sample.x.raw(),
                x_bytes);
    std::memcpy(static_cast<char*>(out.y.raw()) + static_cast<size_t>(i) * y_bytes, sample.y.raw(),
                y_bytes);
  }
  return out;
}

}  // namespace goneuron
