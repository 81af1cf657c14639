// predict(): outputs for any number of samples, of arrays or a data set, from any number of
// threads.
#include <algorithm>
#include <cstring>
#include <functional>

#include "core/message.h"
#include "data/convert.h"
#include "graph/op_def.h"
#include "train/index_range.h"
#include "train/pass.h"

namespace goneuron {

namespace {

/// The data of a prediction, in the order of the model's inputs.
struct Inputs {
  std::vector<Tensor> x;
  std::vector<Shape> samples;
  std::vector<GatherRows> gathers;
  i64 rows = 0;
  bool single = false;  // one sample without the batch axis
};

/// "x", or "x \"image\"" among several.
std::string label(const ModelImpl& m, size_t i) {
  return m.inputs.size() == 1 ? "x" : "x \"" + m.input_names[i] + "\"";
}

void check_counts(const ModelImpl& m, const Inputs& in, Site site) {
  for (size_t i = 0; i < in.x.size(); ++i) {
    const i64 count = in.single ? 1 : in.x[i].shape()[0];
    if (count == 0)
      throw_data({.where = call_site("predict", site),
                  .what = "there are no samples; expected at least one",
                  .hint = "samples lie along the first axis: x [samples, ..]"});
    if (count != in.rows)
      throw_data({.where = call_site("predict", site),
                  .what = label(m, 0) + " has " + std::to_string(in.rows) + " samples, " +
                          label(m, i) + " has " + std::to_string(count) + "; expected as many",
                  .hint = "every input lists the same samples along its first axis"});
  }
}

Inputs prepare(ModelImpl& m, const Tensors& given, Site site) {
  Inputs in;
  const std::string where = call_site("predict", site);
  const auto order = m.built()
                         ? matched(m.input_names, given.names, given.tensors.size(), "input", where)
                         : std::vector<int>{0};
  if (given.tensors.empty()) m.need_shapes({}, "predict", site);
  for (const int place : order) in.x.push_back(given.tensors[static_cast<size_t>(place)]);
  in.single = m.built();
  for (size_t i = 0; i < in.x.size() && in.single; ++i)
    in.single = in.x[i].shape().rank() + 1 == m.inputs[i].shape().rank();
  for (const Tensor& x : in.x) {
    if (!in.single && x.shape().rank() == 0)
      throw_shape({.where = where,
                   .what = "the data is a single number; expected samples along the first axis",
                   .hint = "pass [samples, features]"});
    in.samples.push_back(in.single ? x.shape() : x.shape().without_batch());
  }
  m.need_shapes(in.samples, "predict", site);
  in.rows = in.single ? 1 : in.x[0].shape()[0];
  check_counts(m, in, site);
  for (size_t i = 0; i < in.x.size(); ++i) {
    const DType from = in.x[i].dtype(), to = m.inputs[i].dtype();
    in.gathers.push_back(gather_for(GatherRole::input, from, to, "predict()"));
    check_whole(in.x[i], to, {where, label(m, i), in.samples[i]});
  }
  return in;
}

StepSpec spec_of(const ModelImpl& m, const Inputs& in, i64 rows) {
  StepSpec spec;
  for (size_t i = 0; i < in.x.size(); ++i)
    spec.inputs.push_back({in.samples[i].with_batch(rows), m.inputs[i].dtype()});
  return spec;
}

void fill(ExecutorLease& lease, const Inputs& in, i64 at) {
  const i64 count = lease.spec().rows();
  for (size_t i = 0; i < in.x.size(); ++i) {
    const BatchMemory memory = lease.memory();
    const i64 width = in.samples[i].elements();
    in.gathers[i](
        memory.data[i],
        static_cast<const char*>(in.x[i].raw()) + at * width * dtype_size(in.x[i].dtype()), nullptr,
        count, memory.row(i, width, count));
  }
}

/// The step on a batch that is there; `sample` says which one a row of it is.
void run(ModelImpl& m, ExecutorLease& lease, const std::function<i64(i64 row)>& sample, Site site) {
  lease->scalars().code = status_ok;
  // The workers belong to one caller at a time; others run alone, with the same result.
  if (const std::unique_lock lock(worker_mutex(), std::try_to_lock); lock.owns_lock())
    lease->run(worker_pool());
  else
    lease->run_alone();
  if (lease->scalars().code != status_index_range) return;
  IndexSearch search{.outputs = m.outputs,
                     .inputs = {},
                     .where = call_site("predict", site),
                     .data = "the data",
                     .row = sample};
  for (size_t i = 0; i < m.inputs.size(); ++i)
    search.inputs.emplace_back(m.inputs[i], lease->input_value(static_cast<int>(i)));
  refuse_index(search);
}

/// An output of a batch.
struct Output {
  Output(ExecutorLease& lease, size_t i) {
    const Graph& graph = lease->plan().graph;
    const TensorType& type = graph.value(graph.outputs[i]).type;
    shape = type.shape;
    dtype = type.dtype;
    row_bytes = shape.elements() / lease.spec().rows() * dtype_size(dtype);
    memory = static_cast<const char*>(lease->output(static_cast<int>(i)));
  }
  Tensor room_for(i64 rows) const { return Tensor(shape.without_batch().with_batch(rows), dtype); }

  Shape shape;
  DType dtype;
  i64 row_bytes;
  const char* memory;
};

void need_batch(i64 batch_size, Site site) {
  if (batch_size < 1)
    throw_graph({.where = call_site("predict", site),
                 .what = "a batch size of " + std::to_string(batch_size) + "; expected 1 or more",
                 .hint = "256 is usual"});
}

void need_one_output(const ModelImpl& m, Site site) {
  if (m.built() && m.outputs.size() != 1)
    throw_graph({.where = call_site("predict", site),
                 .what = "the model has " + std::to_string(m.outputs.size()) +
                         " outputs; expected one for a single tensor",
                 .lines = {{"outputs", quoted_list(m.output_names)}},
                 .hint = "predict_all(x) gives a tensor for each"});
}

}  // namespace

std::vector<Tensor> Model::predict_all(const Tensors& x, i64 batch_size, Site site) const {
  const UserCall user("predict", site);
  ModelImpl& m = need(impl_);
  need_batch(batch_size, site);
  const Inputs in = prepare(m, x, site);
  std::vector<Tensor> out(m.outputs.size());
  for (i64 at = 0; at < in.rows; at += batch_size) {
    const i64 count = std::min(batch_size, in.rows - at);
    ExecutorLease lease(m, spec_of(m, in, count));
    fill(lease, in, at);
    run(
        m, lease, [at](i64 row) { return at + row; }, site);
    for (size_t i = 0; i < out.size(); ++i) {
      const Output batch(lease, i);
      if (out[i].empty()) out[i] = batch.room_for(in.rows);
      std::memcpy(static_cast<char*>(out[i].raw()) + at * batch.row_bytes, batch.memory,
                  static_cast<size_t>(count * batch.row_bytes));
    }
  }
  if (in.single)
    for (Tensor& tensor : out) tensor = tensor[0];
  return out;
}

std::vector<Tensor> Model::predict_data(const Dataset& data, i64 batch_size, Site site) const {
  const UserCall user("predict", site);
  ModelImpl& m = need(impl_);
  if (!data)
    throw_data({.where = call_site("predict", site),
                .what = "the dataset has no samples; expected at least one",
                .hint = "make it from tensors, Dataset(x, y), or by a function of goneuron::data"});
  const i64 own = data.impl()->batch_size;
  if (batch_size == Any) batch_size = own > 0 ? own : 256;
  need_batch(batch_size, site);
  const Binding binding = bind_inputs(m, data, "predict", site);
  Loader loader(data, std::min(batch_size, data.size()), false, 0, binding.feeds);
  loader.start_epoch(0);
  const auto parts = data.impl()->parts();
  std::vector<Tensor> out(m.outputs.size());
  for (i64 step = 0; step < loader.steps(); ++step) {
    const DatasetImpl& part = *parts[static_cast<size_t>(loader.part(step))];
    const i64 count = loader.rows(step);
    ExecutorLease lease(m, binding.spec(m, part, Mode::predict, count));
    loader.next(lease.memory());  // by this thread: the workers may be in another's step
    const auto sample = [&](i64 row) { return loader.sample(step, row); };
    run(m, lease, sample, site);
    for (size_t i = 0; i < out.size(); ++i) {
      const Output batch(lease, i);
      if (out[i].empty()) out[i] = batch.room_for(data.size());
      if (!(batch.shape.without_batch() == out[i].shape().without_batch()))
        throw_data({.where = call_site("predict", site),
                    .what = "an output of the model is " + out[i].shape().without_batch().str() +
                            " for samples of one bucket, " + batch.shape.without_batch().str() +
                            " for those of another; expected one shape",
                    .hint = "predict the sequences of each length apart"});
      auto* const to = static_cast<char*>(out[i].raw());
      const i64 bytes = batch.row_bytes;
      if (data.impl()->buckets.empty()) {  // in order, then
        std::memcpy(to + step * loader.batch_size() * bytes, batch.memory,
                    static_cast<size_t>(count * bytes));
        continue;
      }
      for (i64 row = 0; row < count; ++row)
        std::memcpy(to + sample(row) * bytes, batch.memory + row * bytes,
                    static_cast<size_t>(bytes));
    }
  }
  return out;
}

Tensor Model::predict(const Tensor& x, i64 batch_size, Site site) const {
  return predict(Tensors(x), batch_size, site);
}

Tensor Model::predict(const Tensors& x, i64 batch_size, Site site) const {
  const UserCall user("predict", site);
  need_one_output(need(impl_), site);
  return predict_all(x, batch_size, site)[0];
}

Tensor Model::predict_one(const Dataset& data, i64 batch_size, Site site) const {
  const UserCall user("predict", site);
  need_one_output(need(impl_), site);
  return predict_data(data, batch_size, site)[0];
}

}  // namespace goneuron
