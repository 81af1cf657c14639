// The table of data sources, and those that are IDX files.
#include "config/loaded.h"
#include "config/split.h"
#include "core/message.h"

namespace goneuron::config {
namespace {

constexpr Option take_option = {
    "take", Type::integer, "0", "1000", "only that many samples of each part; 0: all", at_least(0)};
constexpr Option fashion_options[] = {
    {"directory", Type::text, "", "data/fashion",
     "folder of the four files; empty: that of Debian's package dataset-fashion-mnist"},
    take_option};
constexpr Option mnist_options[] = {
    {"directory", Type::text, required, "data/mnist", "folder of the four files"}, take_option};
constexpr Option idx_options[] = {
    {"inputs", Type::text, required, "train-images.idx.gz",
     "file of the samples; u8 become [0, 1]"},
    {"targets", Type::text, required, "train-labels.idx.gz", "file of as many targets"},
    {"test_inputs", Type::text, "", "test-images.idx.gz", "samples to test on"},
    {"test_targets", Type::text, "", "test-labels.idx.gz", "their targets"},
    take_option};

Dataset taken(const Dataset& data, const Options& o) {
  const i64 count = o.integer("take");
  return data && count > 0 && count < data.size() ? data.take(count, o.site()) : data;
}

Loaded cut(const Dataset& train, const Dataset& test, const Options& o, const Split& split) {
  const bool classes = !is_floating(train.y_dtype()) && train.y_shape().rank() == 0;
  const Cut parts = cut_data(taken(train, o), taken(test, o), classes, split, o.site());
  Loaded out;
  out.train = parts.train, out.validation = parts.validation, out.test = parts.test;
  return out;
}

/// [n, h, w] are images of one channel.
Tensor images(const Tensor& x) {
  const Shape& s = x.shape();
  return s.rank() == 3 && x.dtype() == DType::u8 ? x.reshape({s[0], s[1], s[2], 1}) : x;
}

Loaded load_idx(const Options& o, const Split& split) {
  const std::string test_x = o.text("test_inputs"), test_y = o.text("test_targets");
  if (test_x.empty() != test_y.empty())
    fail_at(o.place(), "one of test_inputs and test_targets alone; expected both or none", {},
            "give the other file, too");
  const Site site = o.site();
  Dataset test;
  if (!test_x.empty()) test = {images(data::idx(test_x, site)), data::idx(test_y, site), site};
  return cut({images(data::idx(o.text("inputs"), site)), data::idx(o.text("targets"), site), site},
             test, o, split);
}

constexpr SourceRow source_rows[] = {
    {{"fashion_mnist", "Zalando's 70,000 images of clothes (Xiao et al. 2017)", fashion_options},
     [](const Options& o, const Split& split) {
       const auto [train, test] = data::fashion_mnist(o.text("directory"), o.site());
       Loaded out = cut(train, test, o, split);
       out.classes = {"T-shirt/top", "Trouser", "Pullover", "Dress", "Coat",
                      "Sandal",      "Shirt",   "Sneaker",  "Bag",   "Ankle boot"};
       return out;
     }},
    {{"mnist", "70,000 handwritten digits (LeCun et al. 1998)", mnist_options},
     [](const Options& o, const Split& split) {
       const auto [train, test] = data::mnist(o.text("directory"), o.site());
       Loaded out = cut(train, test, o, split);
       out.classes = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
       return out;
     }},
    {{"idx", "files in the format of MNIST, plain or gzip", idx_options}, load_idx},
};

std::vector<std::span<const SourceRow>> lists() {
  return {source_rows, csv_sources(), file_sources()};
}

}  // namespace

const Table& source_table() {
  static const Table table = [] {
    Table all = {"data source", "data sources", {}};
    for (const auto& list : lists())
      for (const SourceRow& row : list) all.kinds.push_back(&row.kind);
    return all;
  }();
  return table;
}

Loaded load(const Value& value, const Split& split, const Context& context) {
  const Options options = options_of(source_table(), value, context);
  for (const auto& list : lists())
    for (const SourceRow& row : list)
      if (&row.kind == &options.kind()) return row.make(options, split);
  return {};  // not reached: options_of() has found it
}

}  // namespace goneuron::config
