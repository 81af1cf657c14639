// predict(): outputs for any number of samples, from any number of threads.
#include <algorithm>
#include <cstring>

#include "core/message.h"
#include "data/convert.h"
#include "graph/op_def.h"
#include "train/index_range.h"
#include "train/model_impl.h"

namespace goneuron {

Tensor Model::predict(const Tensor& x, i64 batch_size, Site site) const {
  const UserCall user("predict", site);
  ModelImpl& m = need(impl_);
  if (batch_size < 1)
    throw_graph({.where = call_site("predict", site),
                 .what = "a batch size of " + std::to_string(batch_size) + "; expected 1 or more",
                 .hint = "256 is usual"});
  const bool single = m.built() && x.shape().rank() + 1 == m.inputs[0].shape().rank();
  if (!single && x.shape().rank() == 0)
    throw_shape({.where = call_site("predict", site),
                 .what = "the data is a single number; expected samples along the first axis",
                 .hint = "pass [samples, features]"});
  const Shape sample = single ? x.shape() : x.shape().without_batch();
  m.need_shape(sample, "predict", site);
  const i64 rows = single ? 1 : x.shape()[0];
  if (rows == 0)
    throw_data({.where = call_site("predict", site),
                .what = "there are no samples; expected at least one",
                .hint = "samples lie along the first axis: x [samples, ..]"});
  const auto gather = gather_for(GatherRole::input, x.dtype(), m.inputs[0].dtype(), "predict()");
  check_whole(x, m.inputs[0].dtype(), {call_site("predict", site), "x", sample});
  Tensor out;
  const i64 width = sample.elements();
  for (i64 at = 0; at < rows; at += batch_size) {
    const i64 count = std::min(batch_size, rows - at);
    ExecutorLease lease(m, Mode::predict, count, {});
    const Shape& shape = lease->plan().graph.value(lease->plan().graph.outputs[0]).type.shape;
    if (out.empty()) out = Tensor(shape.without_batch().with_batch(rows), m.outputs[0].dtype());
    gather(lease->input(0), static_cast<const char*>(x.raw()) + at * width * dtype_size(x.dtype()),
           nullptr, count, width);
    lease->scalars().code = status_ok;
    // The workers belong to one caller at a time; others run alone, with the same result.
    if (const std::unique_lock lock(worker_mutex(), std::try_to_lock); lock.owns_lock())
      lease->run(worker_pool());
    else
      lease->run_alone();
    if (lease->scalars().code == status_index_range)
      refuse_index({.outputs = m.outputs,
                    .inputs = {{m.inputs[0], Tensor::view(lease->input(0), sample.with_batch(count),
                                                          m.inputs[0].dtype())}},
                    .where = call_site("predict", site),
                    .data = "the data",
                    .row = [at](i64 row) { return at + row; }});
    const i64 bytes = shape.elements() * dtype_size(out.dtype());
    std::memcpy(static_cast<char*>(out.raw()) + at * (bytes / count), lease->output(0),
                static_cast<size_t>(bytes));
  }
  return single ? out[0] : out;
}

}  // namespace goneuron
