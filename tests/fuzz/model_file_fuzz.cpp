// Any bytes as a model file: a FormatError, or a model that can be called again and described as text.
// Bytes that start with a brace are taken as the JSON of a graph alone: the deeper parts of the reader.
#include "goneuron/error.h"
#include "graph/layer_impl.h"
#include "io/model_file.h"

namespace {
void use(const goneuron::GraphRecord& graph) {
  try {
    goneuron::graph_to_json(graph);
    for (const auto& layer : graph.layers) {
      const goneuron::Symbol output = layer->first_output;
      const goneuron::Layer again(layer);
      if (output) again(goneuron::input_symbol({output.shape(), output.dtype()}, "again"));
    }
  } catch (const goneuron::Error&) {
  }
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  try {
    if (size > 0 && bytes[0] == '{')
      use(goneuron::graph_from_json({reinterpret_cast<const char*>(bytes), size}, "fuzz"));
    else
      use(goneuron::parse_model_file(bytes, size, "fuzz").graph);
  } catch (const goneuron::FormatError&) {
  }
  return 0;
}
