// The model file: everything of a model in one valid .safetensors file. Used by Model::save and
// Model::load.
//   tensors               variables by full name ("dense/weight"), optimizer slots
//   ("optimizer/dense/weight/m"),
//                         large constants ("constant/0")
//   metadata "goneuron"   JSON {"format": 1, "training": {..}, "graph": {..}}, the graph as in
//   graph_json.h
// To save: fill graph.roots, graph.layers and training, add_values() of every variable, add() of
// every slot. To load: take the symbols of graph.list("outputs") etc., give graph.variables their
// memory, then copy_values() into it, and find() of every slot. There is no code in the file and no
// path.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "goneuron/model.h"
#include "goneuron/optimizer.h"
#include "io/graph_json.h"
#include "io/safetensors.h"

namespace goneuron {

inline constexpr i64 model_format = 1;

/// What training goes on from. `optimizer.site` is not stored.
struct TrainingFacts {
  bool compiled = false;
  i64 epoch = 0;              // epochs done
  i64 optimizer_step = 0;     // updates done
  std::uint64_t counter = 0;  // of random numbers: steps run
  std::uint64_t weight_seed = 0, fit_seed = 0;
  i64 shards = 1;
  Optimizer optimizer;  // but for its schedule
  i64 schedule = 0;     // a Schedule::Kind
  std::vector<double> schedule_numbers;
  double ema = 0;         // momentum of the weights' averages
  bool averaged = false;  // the weights are the averages, and those in training are kept as "ema"
  std::string loss;       // its name
  std::vector<std::string> metrics;  // their names
  StringPairs extra;                 // anything else, text to text
};

struct ModelRecord {
  GraphRecord graph;
  TrainingFacts training;
  std::vector<NamedTensor> tensors;          // sorted by name after loading
  size_t training_byte = 0, graph_byte = 0;  // where the file that it was read from speaks of them

  void add(std::string name, Tensor tensor) {
    tensors.push_back({std::move(name), std::move(tensor)});
  }
  void add_values(const std::vector<std::shared_ptr<Variable>>& variables);
  /// Null when there is none.
  const NamedTensor* find(std::string_view name) const;
  /// Copies the tensor of each variable into the memory that the variable has.
  void copy_values(const std::vector<std::shared_ptr<Variable>>& variables) const;
};

/// What write_safetensors() takes.
struct ModelFileParts {
  std::vector<NamedTensor> tensors;
  StringPairs metadata;
  size_t min_header = 0;
};
/// GraphError when a variable of the graph has no tensor; `path` is for messages.
ModelFileParts model_file_parts(const std::string& path, const ModelRecord& record);
/// Atomic. FormatError when the file cannot be written; GraphError when a variable of the graph has
/// no tensor.
void save_model_file(const std::string& path, const ModelRecord& record);
/// Every variable of the graph has a tensor of its shape and dtype, or this throws FormatError.
ModelRecord load_model_file(const std::string& path);
/// The model in a file that has been read.
ModelRecord model_in(SafetensorsFile file);
/// The same from memory, which must outlive the record.
ModelRecord parse_model_file(const std::uint8_t* bytes, size_t size, const std::string& name);

/// Copies the file's tensors into the variables of the same full names; floating dtypes are
/// converted. The file's own optimizer slots and constants are passed over when it is a model file.
WeightsReport match_weights(const std::vector<std::shared_ptr<Variable>>& variables,
                            const SafetensorsFile& file);

}  // namespace goneuron
