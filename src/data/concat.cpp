// Dataset::concat: two data sets one after the other, as a source over both.
#include <algorithm>
#include <cstring>

#include "core/message.h"
#include "data/dataset.h"

namespace goneuron {

namespace {

class ConcatSource : public Source {
 public:
  explicit ConcatSource(std::vector<Shared<const DatasetImpl>> parts) : parts_(std::move(parts)) {
    for (const auto& part : parts_) {
      begins_.push_back(size_);
      size_ += part->size();
      if (part->source) block_ = std::max(block_, part->source->block());
    }
  }
  const std::vector<Shared<const DatasetImpl>>& parts() const { return parts_; }

  i64 size() const override { return size_; }
  i64 block() const override { return block_; }
  bool in_memory() const override {
    return std::all_of(parts_.begin(), parts_.end(), [](const auto& part) {
      return part->maps.empty() && (!part->source || part->source->in_memory());
    });
  }
  /// Of the part that allows the fewest: those with maps call functions of the user.
  i64 probes() const override {
    i64 fewest = Source::probes();
    for (const auto& part : parts_)
      fewest = std::min(fewest, !part->maps.empty() ? 0
                                : part->source      ? part->source->probes()
                                                    : fewest);
    return fewest;
  }
  i64 block_end(i64 row) const override {
    const size_t p = part_of(row);
    const DatasetImpl& part = *parts_[p];
    const i64 sample = row - begins_[p];
    return begins_[p] + std::min(part.size(), end_in(part, sample));
  }

  void read(const i64* rows, i64 count, void* const* memory) const override {
    read_epoch(rows, count, memory, 0, 0);
  }
  void read_epoch(const i64* rows, i64 count, void* const* memory, i64 epoch,
                  std::uint64_t seed) const override {
    std::vector<void*> at(memory, memory + bytes().size());
    for (i64 i = 0; i < count;) {
      const size_t p = part_of(rows[i]);
      const i64 first = rows[i] - begins_[p];
      i64 run = 1;  // consecutive samples of one part
      while (i + run < count && rows[i + run] == rows[i] + run && part_of(rows[i + run]) == p)
        ++run;
      read_run(*parts_[p], first, run, at.data(), epoch, seed);
      for (size_t c = 0; c < at.size(); ++c) at[c] = static_cast<char*>(at[c]) + run * bytes()[c];
      i += run;
    }
  }

 private:
  size_t part_of(i64 row) const {
    return static_cast<size_t>(std::upper_bound(begins_.begin(), begins_.end(), row) -
                               begins_.begin() - 1);
  }
  /// The end of the samples that lie in one block with `sample` and next to it.
  i64 end_in(const DatasetImpl& part, i64 sample) const {
    if (!part.source || part.source->block() == 1) return (sample / block_ + 1) * block_;
    const i64 end = part.source->block_end(part.chosen[sample]);
    if (!part.chosen.list) return end - part.chosen.first;
    i64 last = sample + 1;
    while (last < part.size() && part.source->block_end(part.chosen[last]) == end) ++last;
    return last;
  }
  static void read_run(const DatasetImpl& part, i64 first, i64 count, void* const* memory,
                       i64 epoch, std::uint64_t seed) {
    if (part.maps.empty()) return part.read(first, count, memory, epoch, seed);
    for (i64 i = 0; i < count; ++i) {
      const Samples sample = part.mapped(part.stored(first + i, epoch, seed),
                                         {.epoch = epoch, .index = first + i, .seed = seed});
      size_t c = 0;
      for (const auto* tensors : {&sample.x, &sample.y})
        for (const Tensor& t : *tensors) {
          const auto bytes = static_cast<size_t>(t.bytes());
          std::memcpy(static_cast<char*>(memory[c++]) + static_cast<size_t>(i) * bytes, t.raw(),
                      bytes);
        }
    }
  }
  /// Of a sample's columns.
  const std::vector<i64>& bytes() const { return bytes_; }

  std::vector<Shared<const DatasetImpl>> parts_;
  std::vector<i64> begins_, bytes_ = bytes_of(*parts_[0]);
  i64 size_ = 0, block_ = 1;

  static std::vector<i64> bytes_of(const DatasetImpl& part) {
    std::vector<i64> all;
    for (const auto* columns : {&part.x, &part.y})
      for (const Column& c : *columns) all.push_back(StoredType{c.shape, c.dtype}.bytes());
    return all;
  }
};

/// "x [2] f32, y [] i32"
std::string types_text(const DatasetImpl& data) {
  std::string text;
  for (const auto* columns : {&data.x, &data.y})
    for (size_t i = 0; i < columns->size(); ++i)
      text += (text.empty() ? "" : ", ") +
              column_label(columns == &data.x ? "x" : "y", *columns, i) + " " +
              type_text((*columns)[i].shape, (*columns)[i].dtype);
  return text;
}

/// The parts that `data` is made of already, or itself.
void add_parts(const Shared<const DatasetImpl>& data,
               std::vector<Shared<const DatasetImpl>>& parts) {
  const auto* made = dynamic_cast<const ConcatSource*>(data->source.get());
  if (made == nullptr || !data->maps.empty() || data->chosen.count >= 0) {
    parts.push_back(data);
  } else {
    parts.insert(parts.end(), made->parts().begin(), made->parts().end());
  }
}

}  // namespace

Dataset Dataset::concat(const Dataset& other, Site site) const {
  const DatasetImpl& first = need_data(impl_, "Dataset::concat", site);
  const DatasetImpl& second = need_data(other.impl(), "Dataset::concat", site);
  refuse_buckets(first, "Dataset::concat", site);
  refuse_buckets(second, "Dataset::concat", site);
  if (types_text(first) != types_text(second) || first.weighted != second.weighted)
    throw_data({user_place("Dataset::concat", site),
                "the samples differ; expected the same names, shapes and dtypes",
                {{"first", types_text(first)}, {"second", types_text(second)}},
                "map() one of them to the other's types"});
  std::vector<Shared<const DatasetImpl>> parts;
  add_parts(impl_, parts);
  add_parts(other.impl(), parts);
  auto out = std::make_shared<DatasetImpl>(first);
  out->source = std::make_shared<ConcatSource>(std::move(parts));
  out->chosen = {};
  out->maps.clear();
  out->unmapped.clear();
  for (auto* columns : {&out->x, &out->y})
    for (Column& c : *columns) c.stored = Tensor();
  return Dataset(share(std::move(out)));
}

}  // namespace goneuron
