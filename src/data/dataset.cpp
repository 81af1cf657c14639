#include "data/dataset.h"

#include "core/message.h"
#include "core/rng.h"

namespace goneuron {

namespace {

using Lines = std::vector<std::pair<std::string, std::string>>;

const Column& column(const std::vector<Column>& columns, int index, const char* function) {
  if (index < 0 || index >= static_cast<int>(columns.size()))
    throw_data({user_place(function, {}),
                "there is no number " + std::to_string(index) + "; expected below " +
                    std::to_string(columns.size()),
                {},
                "inputs and targets count from 0"});
  return columns[static_cast<size_t>(index)];
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
  for (size_t i = 0; i < x.size(); ++i) all.emplace_back(column_label("x", x, i), &x[i]);
  for (size_t i = 0; i < y.size(); ++i) all.emplace_back(column_label("y", y, i), &y[i]);
  for (const auto& [name, c] : all) lines.emplace_back(name, type_text(c->stored));
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

}  // namespace

std::string column_label(const char* role, const std::vector<Column>& columns, size_t i) {
  if (!columns[i].name.empty()) return std::string(role) + " \"" + columns[i].name + "\"";
  return columns.size() == 1 ? role : std::string(role) + " " + std::to_string(i + 1);
}

std::string type_text(const Shape& shape, DType dtype) {
  return shape.str() + " " + dtype_name(dtype);
}

const DatasetImpl& need_data(const Shared<const DatasetImpl>& impl, const char* function,
                             Site site) {
  if (impl == nullptr)
    throw_data({user_place(function, site),
                "the dataset has no samples; expected at least one",
                {},
                "make it from tensors, Dataset(x, y), or by a function of goneuron::data"});
  return *impl;
}

void refuse_buckets(const DatasetImpl& impl, const char* function, Site site) {
  if (impl.buckets.empty()) return;
  throw_data({user_place(function, site),
              "the data set's sequences are in buckets; expected samples of one shape",
              {},
              "change the sequences before data::buckets() is given them"});
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
  impl_ = share(std::move(impl));
}

i64 Dataset::size() const { return impl_ == nullptr ? 0 : impl_->size(); }
int Dataset::inputs() const {
  return static_cast<int>(need_data(impl_, "Dataset::inputs", {}).x.size());
}
int Dataset::targets() const {
  return static_cast<int>(need_data(impl_, "Dataset::targets", {}).targets());
}
Shape Dataset::x_shape(int input) const {
  return column(need_data(impl_, "Dataset::x_shape", {}).x, input, "Dataset::x_shape").shape;
}
Shape Dataset::y_shape(int target) const {
  return column(need_data(impl_, "Dataset::y_shape", {}).y, target, "Dataset::y_shape").shape;
}
DType Dataset::x_dtype(int input) const {
  return column(need_data(impl_, "Dataset::x_dtype", {}).x, input, "Dataset::x_dtype").dtype;
}
DType Dataset::y_dtype(int target) const {
  return column(need_data(impl_, "Dataset::y_dtype", {}).y, target, "Dataset::y_dtype").dtype;
}

Dataset Dataset::shuffle(std::uint64_t seed, i64 buffer_rows, Site site) const {
  auto out = std::make_shared<DatasetImpl>(need_data(impl_, "Dataset::shuffle", site));
  if (buffer_rows < 1)
    throw_data({user_place("Dataset::shuffle", site),
                "a buffer of " + std::to_string(buffer_rows) + " rows; expected at least 1",
                {},
                "leave it out for 16384"});
  out->shuffle_seed = seed;
  out->shuffle_rows = buffer_rows;
  return Dataset(share(std::move(out)));
}

Dataset Dataset::batch(i64 size, Site site) const {
  auto out = std::make_shared<DatasetImpl>(need_data(impl_, "Dataset::batch", site));
  if (size < 1)
    throw_data({user_place("Dataset::batch", site),
                "a batch of " + std::to_string(size) + " samples; expected at least 1",
                {},
                "32 is usual"});
  out->batch_size = size;
  return Dataset(share(std::move(out)));
}

Dataset Dataset::prefetch(bool on, Site site) const {
  auto out = std::make_shared<DatasetImpl>(need_data(impl_, "Dataset::prefetch", site));
  out->prefetch = on ? Prefetch::on : Prefetch::off;
  return Dataset(share(std::move(out)));
}

Dataset Dataset::prefetch(int threads, Site site) const {
  auto out = std::make_shared<DatasetImpl>(need_data(impl_, "Dataset::prefetch", site));
  if (threads < 1 || threads > 64)
    throw_data({user_place("Dataset::prefetch", site),
                counted(threads, "thread") + " for loading; expected 1 to 64",
                {},
                "as many as the machine has cores, or prefetch(false) for none"});
  out->prefetch = Prefetch::on;
  out->threads = threads;
  return Dataset(share(std::move(out)));
}

}  // namespace goneuron
