// The loader where samples are read from a source or go through maps: pieces of a batch, shared
// among the threads of a team.
#include <algorithm>

#include "core/checked_math.h"
#include "data/loader.h"

namespace goneuron {

namespace {

const void* at(const void* memory, i64 bytes) { return static_cast<const char*>(memory) + bytes; }
void* at(void* memory, i64 bytes) { return static_cast<char*>(memory) + bytes; }

std::string name_of(const std::vector<Column>& columns, int column) {
  const std::string& name = columns[static_cast<size_t>(column)].name;
  return name.empty() ? "x" : "x \"" + name + "\"";
}

/// A stored sample as tensors of its own.
Samples sample_of(const DatasetImpl& data, const void* const* columns, i64 slot) {
  Samples sample;
  for (size_t c = 0; c < data.unmapped.size(); ++c) {
    const StoredType& type = data.unmapped[c];
    auto& tensors = c < data.x.size() ? sample.x : sample.y;
    Tensor& made = tensors.emplace_back(type.shape, type.dtype);
    std::copy_n(static_cast<const char*>(at(columns[c], slot * type.bytes())), type.bytes(),
                static_cast<char*>(made.raw()));
  }
  return sample;
}

}  // namespace

void Loader::fill(i64 step, const BatchMemory& memory, Crew* crew) {
  const Batch b = batch(step);
  if (team_ == nullptr) return fill_arrays(b, step, memory, crew);
  if (windows_ != nullptr) windows_->need(b.first, b.rows);
  team_->run(ceil_div(b.rows, piece_), [&](i64 piece, int thread) {
    const i64 first = piece * piece_;
    fill_piece(b, first, std::min(piece_, b.rows - first), thread, memory);
  });
  if (windows_ != nullptr) windows_->ahead(b.first + b.rows);
}

void Loader::fill_piece(const Batch& b, i64 first, i64 count, int thread,
                        const BatchMemory& memory) {
  const Part& part = *b.part;
  Scratch& scratch = scratch_[static_cast<size_t>(thread)];
  if (windows_ != nullptr) {
    for (i64 done = 0; done < count;) {
      const WindowReader::Run run = windows_->run(b.first + first + done, count - done);
      put(part, {run.columns, run.slots}, run.count, {memory, first + done, b.rows},
          [&](i64 i) { return i64{run.samples[run.slots[i]]}; });
      done += run.count;
    }
  } else if (part.data->source != nullptr) {
    for (i64 i = 0; i < count; ++i)
      scratch.rows[static_cast<size_t>(i)] = part.data->chosen[index(b, first + i)];
    part.data->source->read_epoch(scratch.rows.data(), count, scratch.columns.data(), epoch_,
                                  seed_);
    put(part, {scratch.columns.data(), nullptr}, count, {memory, first, b.rows},
        [&](i64 i) { return index(b, first + i); });
  } else {
    for (i64 i = 0; i < count; ++i) {
      const i64 sample = index(b, first + i);
      put_mapped(part, part.data->stored(sample), sample, {memory, first + i, b.rows});
    }
  }
}

void* Loader::address_of(const Place& place, const Stream& s, size_t feed) {
  const i64 bands = place.memory.row(feed, s.elements, place.rows).bands;
  return at(place.memory.data[feed], place.row * (s.row_bytes / bands));
}

template <class SampleOf>
void Loader::put(const Part& part, const Stored& from, i64 count, Place to, SampleOf sample) const {
  const auto slot = [&](i64 i) { return from.slots ? i64{from.slots[i]} : i; };
  if (!part.data->maps.empty()) {
    for (i64 i = 0; i < count; ++i, ++to.row)
      put_mapped(part, sample_of(*part.data, from.columns, slot(i)), sample(i), to);
    return;
  }
  for (size_t k = 0; k < part.streams.size(); ++k) {
    const Stream& s = part.streams[k];
    const void* column = from.columns[s.place];
    if (s.role == GatherRole::input && is_floating(s.stored_type) && !is_floating(s.type)) {
      const Shape& shape = part.data->x[static_cast<size_t>(s.column)].shape;
      for (i64 i = 0; i < count; ++i)
        check_whole(Tensor::view(const_cast<void*>(at(column, slot(i) * s.stored_bytes)), shape,
                                 s.stored_type),
                    s.type, {"Dataset", name_of(part.data->x, s.column), shape, sample(i)});
    }
    s.gather(address_of(to, s, k), column, from.slots, count,
             to.memory.row(k, s.elements, to.rows));
  }
}

void Loader::put_mapped(const Part& part, Samples from, i64 index, const Place& to) const {
  const Samples sample =
      part.data->mapped(std::move(from), {.epoch = epoch_, .index = index, .seed = seed_});
  for (size_t i = 0; i < part.streams.size(); ++i) {
    const Stream& s = part.streams[i];
    const bool input = s.role == GatherRole::input;
    const Tensor& made = (input ? sample.x : sample.y)[static_cast<size_t>(s.column)];
    if (input && is_floating(made.dtype()) && !is_floating(s.type))
      check_whole(made, s.type,
                  {"Dataset::map", name_of(part.data->x, s.column), made.shape(), index});
    s.gather(address_of(to, s, i), made.raw(), nullptr, 1, to.memory.row(i, s.elements, to.rows));
  }
}

}  // namespace goneuron
