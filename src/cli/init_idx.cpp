// Configs for IDX files, as MNIST's.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/init.h"
#include "cli/run_folder.h"
#include "core/message.h"
#include "goneuron/dataset.h"

namespace goneuron::cli {
namespace {
using config::Value;

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const size_t at = text.rfind(from);
  return at == std::string::npos ? "" : text.replace(at, from.size(), to);
}

/// One more than the largest label.
i64 classes_of(const Tensor& labels) {
  double most = 0;
  for (i64 i = 0; i < labels.size(); ++i) most = std::max(most, labels.at({i}));
  return static_cast<i64>(most) + 1;
}

}  // namespace

Draft draft_for_idx(const std::string& path) {
  const std::string labels = replaced(replaced(path, "images", "labels"), "idx3", "idx1");
  if (labels.empty() || !exists(labels))
    throw_format({.where = path,
                  .what = "the file of its labels is not found; expected \"..-labels-idx1-..\" "
                          "beside \"..-images-idx3-..\"",
                  .hint = "write a config by hand: data: {idx: {inputs: .., targets: ..}}"});
  const Tensor x = data::idx(path, {}), y = data::idx(labels, {});
  if (x.shape().rank() != 3 || y.shape().rank() != 1)
    throw_format({.where = path,
                  .what = "samples " + x.shape().str() + " with labels " + y.shape().str() +
                          "; expected [count, height, width] with [count]",
                  .hint = "write a config by hand: data: {idx: {inputs: .., targets: ..}}"});
  const i64 classes = classes_of(y);
  std::vector<Value> source = {option("inputs", path), option("targets", labels)};
  const std::string test = replaced(path, "train", "t10k"),
                    test_labels = replaced(labels, "train", "t10k");
  const bool has_test =
      !test.empty() && !test_labels.empty() && exists(test) && exists(test_labels);
  if (has_test) {
    source.push_back(option("test_inputs", test));
    source.push_back(option("test_targets", test_labels));
  }
  Draft draft;
  draft.name = std::filesystem::path(path).parent_path().filename().string();
  if (draft.name.empty()) draft.name = "idx";
  draft.about =
      fmt::format("{}: {} images of {} x {}, {} classes{}", path, x.shape()[0], x.shape()[1],
                  x.shape()[2], classes, has_test ? ", and test images beside them" : "");
  draft.root = draft_root(
      object("idx", source),
      has_test ? Value() : config::map_of({option("validation", "0.1"), option("test", "0.1")}),
      {object("Conv2D", {option("filters", "32"), option("kernel", "3"), option("padding", "same"),
                         option("activation", "relu")}),
       object("MaxPool2D", {option("kernel", "2")}), config::scalar("Flatten"),
       object("Dense",
              {option("units", std::to_string(classes)), option("activation", "softmax")})},
      config::scalar("cross_entropy"), {config::scalar("accuracy")},
      object("Adam", {option("learning_rate", "0.001")}), 10, 32, {}, draft.name);
  return draft;
}

}  // namespace goneuron::cli
