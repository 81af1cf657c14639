// The samples of a data set as they are stored, wherever that is, and all of them at once.
#include <algorithm>
#include <cstring>

#include "core/checked_math.h"
#include "core/message.h"
#include "data/dataset.h"

namespace goneuron {

namespace {

/// Where to stop reading from `first` on: at the end of a block, or after a number of rows.
i64 stretch_end(const DatasetImpl& data, i64 first) {
  constexpr i64 rows = 256;
  i64 end = std::min(data.size(), first + rows);
  if (!data.source || data.source->block() == 1) return end;
  const i64 block = data.source->block_end(data.chosen[first]);
  for (end = first + 1; end < data.size(); ++end)
    if (data.source->block_end(data.chosen[end]) != block) break;
  return end;
}

/// All samples as they are stored, without a copy where they lie in memory in order.
Samples all_stored(const DatasetImpl& impl) {
  Samples out;
  if (impl.source == nullptr && impl.chosen.list == nullptr) {
    for (const Column& c : impl.x) out.x.push_back(c.stored);
    for (const Column& c : impl.y) out.y.push_back(c.stored);
    return out;
  }
  const i64 count = impl.size();
  const std::vector<StoredType> types = impl.stored_types();
  for (size_t c = 0; c < types.size(); ++c)
    (c < impl.x.size() ? out.x : out.y)
        .emplace_back(types[c].shape.with_batch(count), types[c].dtype);
  for (i64 first = 0; first < count;) {
    const i64 end = stretch_end(impl, first);
    std::vector<void*> at;
    for (size_t c = 0; c < types.size(); ++c) {
      Tensor& whole = c < impl.x.size() ? out.x[c] : out.y[c - impl.x.size()];
      at.push_back(static_cast<char*>(whole.raw()) + first * types[c].bytes());
    }
    impl.read(first, end - first, at.data());
    first = end;
  }
  return out;
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

void DatasetImpl::read(i64 first, i64 count, void* const* memory, i64 epoch,
                       std::uint64_t seed) const {
  std::vector<i64> rows;
  for (i64 i = first; i < first + count; ++i) rows.push_back(chosen[i]);
  if (source) return source->read_epoch(rows.data(), count, memory, epoch, seed);
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

Samples DatasetImpl::stored(i64 index, i64 epoch, std::uint64_t seed) const {
  Samples sample;
  std::vector<void*> memory;
  const std::vector<StoredType> types = stored_types();
  for (size_t c = 0; c < types.size(); ++c) {
    auto& tensors = c < x.size() ? sample.x : sample.y;
    memory.push_back(tensors.emplace_back(types[c].shape, types[c].dtype).raw());
  }
  read(index, 1, memory.data(), epoch, seed);
  return sample;
}

std::vector<const DatasetImpl*> DatasetImpl::parts() const {
  if (buckets.empty()) return {this};
  std::vector<const DatasetImpl*> all;
  for (const auto& bucket : buckets) all.push_back(bucket.get());
  return all;
}

void DatasetImpl::each(const std::function<void(i64, const Samples&)>& use) const {
  const std::vector<StoredType> types = stored_types();
  const i64 count = size();
  for (i64 first = 0; first < count;) {
    const i64 end = stretch_end(*this, first);
    std::vector<Tensor> stretch;
    std::vector<void*> memory;
    for (const StoredType& type : types)
      memory.push_back(stretch.emplace_back(type.shape.with_batch(end - first), type.dtype).raw());
    read(first, end - first, memory.data());
    for (i64 i = first; i < end; ++i) {
      Samples sample;
      for (size_t c = 0; c < types.size(); ++c)
        (c < x.size() ? sample.x : sample.y).push_back(stretch[c][i - first]);
      use(i, mapped(std::move(sample), {.index = i}));
    }
    first = end;
  }
}

Sample Dataset::arrays(Site site) const {
  const DatasetImpl& from = need_data(impl_, "Dataset::arrays", site);
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
  const DatasetImpl& from = need_data(impl_, "Dataset::all_arrays", site);
  refuse_buckets(from, "Dataset::all_arrays", site);
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
  from.each([&](i64 i, const Samples& sample) {
    for (size_t k = 0; k < out.x.size(); ++k) put(out.x[k], sample.x[k], i);
    for (size_t k = 0; k < out.y.size(); ++k) put(out.y[k], sample.y[k], i);
  });
  return out;
}

}  // namespace goneuron
