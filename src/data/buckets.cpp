// data::buckets: sequences of several lengths as dense data sets of a few padded lengths.
#include <algorithm>
#include <cstring>
#include <map>

#include "core/message.h"
#include "core/tensor_values.h"
#include "data/dataset.h"

namespace goneuron {

namespace {

std::string describe(const Tensor& tensor) {
  return tensor.shape().str() + " " + dtype_name(tensor.dtype());
}

/// "sequence 3", for messages.
std::string nth(const char* what, size_t i) { return std::string(what) + " " + std::to_string(i); }

/// Powers of two from 8 on, the last one cut to the longest sequence.
std::vector<i64> usual_lengths(const std::vector<Tensor>& sequences) {
  i64 longest = 0;
  for (const Tensor& s : sequences) longest = std::max(longest, s.shape()[0]);
  std::vector<i64> lengths;
  for (i64 length = 8; length < longest; length *= 2) lengths.push_back(length);
  lengths.push_back(longest);
  return lengths;
}

/// `tensors`, [time, ..] each, as one tensor [count, length, ..] with `pad` behind their ends.
Tensor padded(const std::vector<const Tensor*>& tensors, i64 length, double pad) {
  const Tensor& first = *tensors[0];
  Shape shape = first.shape();
  shape.set(0, length);
  Tensor out(shape.with_batch(static_cast<i64>(tensors.size())), first.dtype());
  const i64 width = out.size() / shape[0] / static_cast<i64>(tensors.size());
  const std::vector<double> filler(static_cast<size_t>(width * length), pad);
  auto* to = static_cast<char*>(out.raw());
  for (const Tensor* t : tensors) {
    std::memcpy(to, t->raw(), static_cast<size_t>(t->bytes()));
    store_values(filler.data(), 0, (length - t->shape()[0]) * width, to + t->bytes(), t->dtype());
    to += length * width * dtype_size(t->dtype());
  }
  return out;
}

Tensor mask_of(const std::vector<const Tensor*>& tensors, i64 length) {
  Tensor mask(Shape{static_cast<i64>(tensors.size()), length});
  for (size_t i = 0; i < tensors.size(); ++i)
    std::fill_n(mask.data() + static_cast<i64>(i) * length, tensors[i]->shape()[0], 1.0F);
  return mask;
}

Tensor stacked(const std::vector<const Tensor*>& tensors) {
  Tensor out(tensors[0]->shape().with_batch(static_cast<i64>(tensors.size())), tensors[0]->dtype());
  auto* to = static_cast<char*>(out.raw());
  for (const Tensor* t : tensors) {
    std::memcpy(to, t->raw(), static_cast<size_t>(t->bytes()));
    to += t->bytes();
  }
  return out;
}

Column column_of(const Tensor& stored) {
  return {"", stored, stored.shape().without_batch(), stored.dtype()};
}

std::shared_ptr<const DatasetImpl> bucket(const RaggedData& s,
                                          const std::vector<std::uint32_t>& rows, i64 length) {
  auto out = std::make_shared<DatasetImpl>();
  std::vector<const Tensor*> x, y;
  for (const std::uint32_t row : rows) {
    x.push_back(&s.x[row]);
    y.push_back(&s.y[row]);
  }
  out->x.push_back(column_of(padded(x, length, s.options.pad)));
  if (s.options.mask) out->x.push_back(column_of(mask_of(x, length)));
  out->y.push_back(column_of(s.y_has_time ? padded(y, length, s.options.target_pad) : stacked(y)));
  out->rows = rows;
  return out;
}

/// Any where the buckets differ.
std::vector<Column> common(const std::vector<std::shared_ptr<const DatasetImpl>>& buckets,
                           std::vector<Column> DatasetImpl::*which) {
  std::vector<Column> all = (*buckets[0]).*which;
  for (size_t c = 0; c < all.size(); ++c) {
    all[c].stored = Tensor();
    for (const auto& bucket : buckets)
      for (int axis = 0; axis < all[c].shape.rank(); ++axis)
        if (((*bucket).*which)[c].shape[axis] != all[c].shape[axis]) all[c].shape.set(axis, Any);
  }
  return all;
}

void check_alike(const std::vector<Tensor>& tensors, bool has_time, const char* what,
                 const std::string& where) {
  const auto shape_of = [&](const Tensor& t) {
    Shape shape = t.shape();
    if (has_time) shape.set(0, Any);
    return shape;
  };
  for (size_t i = 0; i < tensors.size(); ++i) {
    const Tensor& t = tensors[i];
    if (t.empty() || (has_time && t.shape().rank() == 0))
      throw_data({where,
                  nth(what, i) + " is empty; expected one step or more",
                  {{what, describe(t)}},
                  "leave it out"});
    if (!(shape_of(t) == shape_of(tensors[0])) || t.dtype() != tensors[0].dtype())
      throw_data({where,
                  nth(what, i) + " is unlike the first; expected one width and dtype",
                  {{what, describe(t)}, {"the first", describe(tensors[0])}},
                  "a sequence is [time, ..]: all but the time must agree"});
  }
}

void check_lengths(const RaggedData& s, const std::string& where) {
  const auto& lengths = s.options.lengths;
  for (size_t i = 0; i < lengths.size(); ++i)
    if (lengths[i] < 1 || (i > 0 && lengths[i] <= lengths[i - 1]))
      throw_data({where,
                  "the lengths of the buckets are " + Shape(lengths).str() +
                      "; expected ascending numbers from 1 on",
                  {},
                  "e.g. {.lengths = {16, 32, 64}}"});
  for (size_t i = 0; i < s.x.size(); ++i)
    if (s.x[i].shape()[0] > lengths.back())
      throw_data({where,
                  nth("sequence", i) + " has " + std::to_string(s.x[i].shape()[0]) +
                      " steps; expected at most " + std::to_string(lengths.back()) +
                      ", the longest bucket",
                  {},
                  "cut it, or give a longer bucket"});
}

Dataset make(RaggedData sequences, const char* function) {
  const std::string where = user_place(function, sequences.site);
  if (sequences.x.empty() || sequences.x.size() != sequences.y.size())
    throw_data({where,
                counted(static_cast<i64>(sequences.x.size()), "sequence") + " and " +
                    counted(static_cast<i64>(sequences.y.size()), "target") +
                    "; expected one or more, and as many targets",
                {},
                "give every sequence one target"});
  check_alike(sequences.x, true, "sequence", where);
  check_alike(sequences.y, sequences.y_has_time, "target", where);
  if (sequences.y_has_time)
    for (size_t i = 0; i < sequences.x.size(); ++i)
      if (sequences.x[i].shape()[0] != sequences.y[i].shape()[0])
        throw_data({where,
                    nth("sequence", i) + " has " + std::to_string(sequences.x[i].shape()[0]) +
                        " steps, its target has " + std::to_string(sequences.y[i].shape()[0]) +
                        "; expected as many",
                    {},
                    "give one target for each step, or one tensor with one for each sequence"});
  if (sequences.options.lengths.empty()) sequences.options.lengths = usual_lengths(sequences.x);
  check_lengths(sequences, where);
  return Dataset(share(bucketed(std::make_shared<const RaggedData>(std::move(sequences)))));
}

}  // namespace

std::shared_ptr<DatasetImpl> bucketed(std::shared_ptr<const RaggedData> sequences) {
  std::map<i64, std::vector<std::uint32_t>> rows;  // by padded length
  const auto& lengths = sequences->options.lengths;
  for (size_t i = 0; i < sequences->x.size(); ++i)
    rows[*std::lower_bound(lengths.begin(), lengths.end(), sequences->x[i].shape()[0])].push_back(
        static_cast<std::uint32_t>(i));
  auto out = std::make_shared<DatasetImpl>();
  for (const auto& [length, own] : rows) out->buckets.push_back(bucket(*sequences, own, length));
  out->sequences = std::move(sequences);
  out->x = common(out->buckets, &DatasetImpl::x);
  out->y = common(out->buckets, &DatasetImpl::y);
  return out;
}

namespace data {

Dataset buckets(const std::vector<Tensor>& sequences, const Tensor& y, const BucketOptions& options,
                Site site) {
  std::vector<Tensor> targets;
  const i64 count = y.shape().rank() == 0 ? 0 : y.shape()[0];
  for (i64 i = 0; i < count; ++i) targets.push_back(y[i]);
  return make({sequences, std::move(targets), false, options, site}, "data::buckets");
}

Dataset buckets(const std::vector<Tensor>& sequences, const std::vector<Tensor>& y,
                const BucketOptions& options, Site site) {
  return make({sequences, y, true, options, site}, "data::buckets");
}

}  // namespace data
}  // namespace goneuron
