// Any bytes as a model file: a FormatError, or a model that can be planned, called again and
// described as text; read with memory within twice the file + 1 MB. Bytes that start with a brace
// are taken as the JSON of a graph alone: the deeper parts of the reader.
#include <algorithm>

#include "goneuron/error.h"
#include "graph/layer_impl.h"
#include "io/model_file.h"
#include "malloc_limit.h"
#include "train/model_impl.h"

namespace {
using namespace goneuron;

void use(const GraphRecord& graph) {
  try {
    graph_to_json(graph);
    for (const auto& layer : graph.layers) {
      const Symbol output = layer->first_output;
      const Layer again(share(layer));
      if (output) again(input_symbol({output.shape(), output.dtype()}, "again"));
    }
  } catch (const Error&) {
  }
}

void use(const ModelRecord& record) {
  const auto model = model_of(record, "fuzz");
  try {
    plan_for(*model, step_spec(*model, Mode::predict, 2, {}));
    if (!model->graphs.empty())
      plan_for(*model, step_spec(*model, Mode::train, 2, model->graphs[0]->targets));
  } catch (const Error&) {  // sizes that overflow, for one
  }
  use(record.graph);
}

// The graph alone, as if a file had it with zeros for weights, trained by Adam.
void use_as_model(GraphRecord graph) {
  ModelRecord record;
  i64 elements = 0;
  for (const auto& variable : graph.variables) {
    i64 size = 1;
    for (const i64 dim : variable->type.shape) size *= std::min<i64>(dim, 1 << 16);
    elements += std::min<i64>(size, 1 << 16);
    if (elements >= 1 << 16) return;  // a file of that size would be needed
  }
  for (const auto& variable : graph.variables)
    record.add(variable->full_name(), Tensor(variable->type.shape, variable->type.dtype));
  record.training.compiled = true;
  record.training.optimizer = Adam();
  record.training.metrics.resize(graph.list("metrics").size(), "metric");
  record.graph = std::move(graph);
  try {
    use(record);
  } catch (const FormatError&) {
  } catch (const GraphError&) {  // two weights of one name: the file's reader refuses them
  }
}

ModelRecord parse(const std::uint8_t* bytes, size_t size) {
  const fuzz::AllocationPeak peak;
  try {
    ModelRecord record = parse_model_file(bytes, size, "fuzz");
    peak.expect_at_most(size, "model");
    return record;
  } catch (const FormatError&) {
    peak.expect_at_most(size, "what is no model");
    throw;
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  try {
    if (size > 0 && bytes[0] == '{')
      use_as_model(graph_from_json({reinterpret_cast<const char*>(bytes), size}, "fuzz"));
    else
      use(parse(bytes, size));
  } catch (const FormatError&) {
  }
  return 0;
}
