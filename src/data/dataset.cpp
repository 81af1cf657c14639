#include "data/dataset.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "core/checked_math.h"
#include "core/message.h"
#include "core/rng.h"

namespace goneuron {

namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

std::string describe(const Shape& shape, DType dtype) {
  return shape.str() + " " + dtype_name(dtype);
}
std::string describe(const Tensor& tensor) { return describe(tensor.shape(), tensor.dtype()); }

/// "x", or "x \"image\"" or "x 2" among several.
std::string label(const char* role, const std::vector<Column>& columns, size_t i) {
  if (!columns[i].name.empty()) return std::string(role) + " \"" + columns[i].name + "\"";
  return columns.size() == 1 ? role : std::string(role) + " " + std::to_string(i + 1);
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

const Column& column(const std::vector<Column>& columns, int index, const char* function) {
  if (index < 0 || index >= static_cast<int>(columns.size()))
    throw_data({user_place(function, {}),
                "there is no number " + std::to_string(index) + "; expected below " +
                    std::to_string(columns.size()),
                {},
                "inputs and targets count from 0"});
  return columns[static_cast<size_t>(index)];
}

/// Rows [begin, end) of every column, everything else as it is.
Dataset rows(const DatasetImpl& from, i64 begin, i64 end) {
  auto out = std::make_shared<DatasetImpl>(from);
  if (from.sequences) {
    auto part = std::make_shared<RaggedData>(*from.sequences);
    part->x = {from.sequences->x.begin() + begin, from.sequences->x.begin() + end};
    part->y = {from.sequences->y.begin() + begin, from.sequences->y.begin() + end};
    const auto made = bucketed(std::move(part));
    out->buckets = made->buckets;
    out->sequences = made->sequences;
    out->x = made->x;
    out->y = made->y;
    return Dataset(std::move(out));
  }
  if (from.source || from.chosen.list) {
    out->chosen.first += begin;
    out->chosen.count = end - begin;
    return Dataset(std::move(out));
  }
  for (auto* columns : {&out->x, &out->y})
    for (Column& c : *columns) c.stored = c.stored.slice(begin, end);
  return Dataset(std::move(out));
}

/// All samples as they are stored, without a copy where they lie in memory in order.
Samples all_stored(const DatasetImpl& impl) {
  Samples out;
  if (impl.source == nullptr && impl.chosen.list == nullptr) {
    for (const Column& c : impl.x) out.x.push_back(c.stored);
    for (const Column& c : impl.y) out.y.push_back(c.stored);
    return out;
  }
  constexpr i64 piece = 1024;
  const i64 count = impl.size();
  const std::vector<StoredType> types = impl.stored_types();
  for (size_t c = 0; c < types.size(); ++c)
    (c < impl.x.size() ? out.x : out.y)
        .emplace_back(types[c].shape.with_batch(count), types[c].dtype);
  for (i64 first = 0; first < count; first += piece) {
    const i64 rows = std::min(piece, count - first);
    std::vector<void*> at;
    for (size_t c = 0; c < types.size(); ++c) {
      Tensor& whole = c < impl.x.size() ? out.x[c] : out.y[c - impl.x.size()];
      at.push_back(static_cast<char*>(whole.raw()) + first * types[c].bytes());
    }
    impl.read(first, rows, at.data());
  }
  return out;
}

std::vector<Column> columns_of(const Tensors& given) {
  std::vector<Column> all;
  for (size_t i = 0; i < given.tensors.size(); ++i) {
    const Tensor& t = given.tensors[i];
    all.push_back({given.names.empty() ? "" : given.names[i], t,
                   t.shape().rank() == 0 ? Shape{} : t.shape().without_batch(), t.dtype()});
  }
  return all;
}

void check_names(const std::vector<Column>& columns, const char* role, const std::string& where) {
  for (size_t i = 0; i < columns.size(); ++i)
    for (size_t k = 0; k < i; ++k)
      if (!columns[i].name.empty() && columns[i].name == columns[k].name)
        throw_data({where,
                    std::string("two tensors of ") + role + " are named \"" + columns[i].name +
                        "\"; expected a name for each",
                    {},
                    "the names are those of the model's inputs and outputs"});
}

void check_samples(const std::vector<Column>& x, const std::vector<Column>& y, Site site) {
  const std::string where = user_place("Dataset", site);
  if (x.empty() || y.empty())
    throw_data({where,
                std::string("there is no ") + (x.empty() ? "input" : "target") +
                    "; expected at least one tensor",
                {},
                "pass inputs and targets: Dataset({a, b}, {y})"});
  Lines lines;
  std::vector<std::pair<std::string, const Column*>> all;
  for (size_t i = 0; i < x.size(); ++i) all.emplace_back(label("x", x, i), &x[i]);
  for (size_t i = 0; i < y.size(); ++i) all.emplace_back(label("y", y, i), &y[i]);
  for (const auto& [name, c] : all) lines.emplace_back(name, describe(c->stored));
  for (const auto& [name, c] : all)
    if (c->stored.shape().rank() == 0 || (c == &x[0] && c->stored.shape()[0] == 0))
      throw_data({where, name + " has no samples; expected at least one", lines,
                  "samples lie along the first axis: x [samples, ..], y [samples, ..]"});
  const i64 count = x[0].stored.shape()[0];
  for (const auto& [name, c] : all)
    if (c->stored.shape()[0] != count)
      throw_data({where,
                  all[0].first + " has " + std::to_string(count) + " samples, " + name + " has " +
                      std::to_string(c->stored.shape()[0]) + "; expected as many",
                  lines, "give every sample one target: both first axes must be equal"});
  for (const auto& [name, c] : all)
    if (c->stored.empty())
      throw_data({where,
                  std::string(name[0] == 'x' ? "a sample of " : "a target of ") + name +
                      " has no elements; expected at least one",
                  lines, "every axis must be at least 1"});
  check_names(x, "x", where);
  check_names(y, "y", where);
}

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
    lines.emplace_back(label(role, columns, i),
                       (i < tensors.size() ? describe(tensors[i]) : "nothing") +
                           "   sample 0: " + describe(columns[i].shape, columns[i].dtype));
  return lines;
}

void take_types(std::vector<Column>& columns, const std::vector<Tensor>& first) {
  for (size_t i = 0; i < first.size(); ++i) {
    columns[i].shape = first[i].shape();
    columns[i].dtype = first[i].dtype();
  }
}

void no_buckets(const DatasetImpl& impl, const char* function, Site site) {
  if (impl.buckets.empty()) return;
  throw_data({user_place(function, site),
              "the data set's sequences are in buckets; expected samples of one shape",
              {},
              "change the sequences before data::buckets() is given them"});
}

}  // namespace

i64 StoredType::bytes() const { return checked_mul(shape.elements(), dtype_size(dtype)); }

i64 DatasetImpl::size() const {
  if (sequences) return static_cast<i64>(sequences->x.size());
  if (chosen.count >= 0) return chosen.count;
  return source ? source->size() : x[0].stored.shape()[0];
}

std::vector<StoredType> DatasetImpl::stored_types() const {
  if (!unmapped.empty()) return unmapped;
  std::vector<StoredType> types;
  for (const auto* columns : {&x, &y})
    for (const Column& c : *columns) types.push_back({c.shape, c.dtype});
  return types;
}

void DatasetImpl::read(i64 first, i64 count, void* const* memory) const {
  std::vector<i64> rows;
  for (i64 i = first; i < first + count; ++i) rows.push_back(chosen[i]);
  if (source) return source->read(rows.data(), count, memory);
  size_t column = 0;
  for (const auto* columns : {&x, &y})
    for (const Column& c : *columns) {
      const auto bytes = static_cast<size_t>(c.stored.bytes() / c.stored.shape()[0]);
      auto* to = static_cast<char*>(memory[column++]);
      for (const i64 row : rows) {
        std::memcpy(to, static_cast<const char*>(c.stored.raw()) + static_cast<size_t>(row) * bytes,
                    bytes);
        to += bytes;
      }
    }
}

Samples DatasetImpl::stored(i64 index) const {
  Samples sample;
  std::vector<void*> memory;
  const std::vector<StoredType> types = stored_types();
  for (size_t c = 0; c < types.size(); ++c) {
    auto& tensors = c < x.size() ? sample.x : sample.y;
    memory.push_back(tensors.emplace_back(types[c].shape, types[c].dtype).raw());
  }
  read(index, 1, memory.data());
  return sample;
}

std::vector<const DatasetImpl*> DatasetImpl::parts() const {
  if (buckets.empty()) return {this};
  std::vector<const DatasetImpl*> all;
  for (const auto& bucket : buckets) all.push_back(bucket.get());
  return all;
}

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

SampleRandom::SampleRandom(std::uint64_t seed, std::uint32_t epoch, std::uint32_t index,
                           std::uint32_t stream)
    : seed_(seed), epoch_(epoch), index_(index), stream_(stream) {}

SampleRandom::result_type SampleRandom::operator()() {
  // "SAMP" keeps the key apart from those of the model's random numbers.
  if (used_ == 4) {
    const Philox4 words = philox({block_++, index_, stream_, epoch_}, seed_ ^ 0x53414D5000000000U);
    std::copy(words.begin(), words.end(), words_);
    used_ = 0;
  }
  return words_[used_++];
}

double SampleRandom::uniform(double low, double high) {
  return low + (high - low) * (static_cast<double>((*this)()) * 0x1p-32);
}

Dataset::Dataset(const Tensor& x, const Tensor& y, Site site)
    : Dataset(Tensors(x), Tensors(y), site) {}

Dataset::Dataset(const Tensors& x, const Tensors& y, Site site) {
  auto impl = std::make_shared<DatasetImpl>();
  impl->x = columns_of(x);
  impl->y = columns_of(y);
  check_samples(impl->x, impl->y, site);
  impl_ = std::move(impl);
}

i64 Dataset::size() const { return impl_ == nullptr ? 0 : impl_->size(); }
int Dataset::inputs() const {
  return static_cast<int>(need(impl_, "Dataset::inputs", {}).x.size());
}
int Dataset::targets() const {
  return static_cast<int>(need(impl_, "Dataset::targets", {}).targets());
}
Shape Dataset::x_shape(int input) const {
  return column(need(impl_, "Dataset::x_shape", {}).x, input, "Dataset::x_shape").shape;
}
Shape Dataset::y_shape(int target) const {
  return column(need(impl_, "Dataset::y_shape", {}).y, target, "Dataset::y_shape").shape;
}
DType Dataset::x_dtype(int input) const {
  return column(need(impl_, "Dataset::x_dtype", {}).x, input, "Dataset::x_dtype").dtype;
}
DType Dataset::y_dtype(int target) const {
  return column(need(impl_, "Dataset::y_dtype", {}).y, target, "Dataset::y_dtype").dtype;
}

Dataset Dataset::map(std::function<Sample(const Sample&)> function, Site site) const {
  if (!function) return map(std::function<Samples(const Samples&, const SampleContext&)>(), site);
  return map([function = std::move(function)](const Sample& s,
                                              const SampleContext&) { return function(s); },
             site);
}

Dataset Dataset::map(std::function<Samples(const Samples&)> function, Site site) const {
  if (!function) return map(std::function<Samples(const Samples&, const SampleContext&)>(), site);
  return map([function = std::move(function)](const Samples& s,
                                              const SampleContext&) { return function(s); },
             site);
}

Dataset Dataset::map(std::function<Sample(const Sample&, const SampleContext&)> function,
                     Site site) const {
  const DatasetImpl& from = need(impl_, "Dataset::map", site);
  if (!function) return map(std::function<Samples(const Samples&, const SampleContext&)>(), site);
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

Dataset Dataset::map(std::function<Samples(const Samples&, const SampleContext&)> function,
                     Site site) const {
  const DatasetImpl& from = need(impl_, "Dataset::map", site);
  if (!function)
    throw_data({user_place("Dataset::map", site),
                "the function is empty",
                {},
                "pass a function from Sample to Sample"});
  no_buckets(from, "Dataset::map", site);
  auto out = std::make_shared<DatasetImpl>(from);
  if (out->maps.empty()) out->unmapped = from.stored_types();
  out->maps.push_back({std::move(function), site});
  // The first sample tells what all must look like.
  Samples first = out->stored(0);
  for (const auto& step : out->maps) first = out->apply(step, std::move(first), {});
  Lines lines;
  bool empty = first.x.empty() || first.y.empty();
  for (const auto* tensors : {&first.x, &first.y})
    for (const Tensor& tensor : *tensors) {
      empty |= tensor.empty();
      lines.emplace_back(tensors == &first.x ? "x" : "y", describe(tensor));
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
  return Dataset(std::move(out));
}

Dataset Dataset::shuffle(std::uint64_t seed, i64 buffer_rows, Site site) const {
  auto out = std::make_shared<DatasetImpl>(need(impl_, "Dataset::shuffle", site));
  if (buffer_rows < 1)
    throw_data({user_place("Dataset::shuffle", site),
                "a buffer of " + std::to_string(buffer_rows) + " rows; expected at least 1",
                {},
                "leave it out for 16384"});
  out->shuffle_seed = seed;
  out->shuffle_rows = buffer_rows;
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

Dataset Dataset::prefetch(int threads, Site site) const {
  auto out = std::make_shared<DatasetImpl>(need(impl_, "Dataset::prefetch", site));
  if (threads < 1 || threads > 64)
    throw_data({user_place("Dataset::prefetch", site),
                counted(threads, "thread") + " for loading; expected 1 to 64",
                {},
                "as many as the machine has cores, or prefetch(false) for none"});
  out->prefetch = Prefetch::on;
  out->threads = threads;
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
  if (from.x.size() != 1 || from.targets() != 1)
    throw_data({user_place("Dataset::arrays", site),
                counted(inputs(), "input") + " and " + counted(targets(), "target") +
                    "; expected one of each",
                {},
                "all_arrays() gives them all"});
  const Samples all = all_arrays(site);
  return {all.x[0], all.y[0]};
}

Samples Dataset::all_arrays(Site site) const {
  const DatasetImpl& from = need(impl_, "Dataset::all_arrays", site);
  no_buckets(from, "Dataset::all_arrays", site);
  if (from.maps.empty()) return all_stored(from);
  Samples out;
  const i64 count = from.size();
  for (const Column& c : from.x) out.x.emplace_back(c.shape.with_batch(count), c.dtype);
  for (const Column& c : from.y) out.y.emplace_back(c.shape.with_batch(count), c.dtype);
  const auto put = [count](Tensor& whole, const Tensor& one, i64 row) {
    const auto bytes = static_cast<size_t>(whole.bytes() / count);
    std::memcpy(static_cast<char*>(whole.raw()) + static_cast<size_t>(row) * bytes, one.raw(),
                bytes);
  };
  for (i64 i = 0; i < count; ++i) {
    const Samples sample = from.mapped(i);
    for (size_t k = 0; k < out.x.size(); ++k) put(out.x[k], sample.x[k], i);
    for (size_t k = 0; k < out.y.size(); ++k) put(out.y[k], sample.y[k], i);
  }
  return out;
}

}  // namespace goneuron
