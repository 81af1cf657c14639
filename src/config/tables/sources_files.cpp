// Folders of images, texts, and NumPy's arrays.
#include "config/loaded.h"
#include "config/split.h"
#include "config/text_vocabulary.h"
#include "goneuron/arrays.h"
#include "goneuron/images.h"

namespace goneuron::config {
namespace {

constexpr Option take_option = {
    "take", Type::integer, "0", "1000", "only that many samples of each part; 0: all", at_least(0)};
constexpr Option image_options[] = {
    {"path", Type::text, required, "photos",
     "a folder with a subfolder of PNG and JPEG files for each class"},
    {"test", Type::text, "", "photos-test", "a folder to test on, with the same classes"},
    {"height", Type::integer, "0", "64", "pixels that images are resized to; 0: as the first",
     from_to(0, 16384)},
    {"width", Type::integer, "0", "64", "the same across", from_to(0, 16384)},
    {"channels", Type::integer, "3", "1", "1: gray, 3: colours, 2 and 4: with alpha",
     from_to(1, 4)},
    {"threads", Type::integer, "1", "2", "that read images beside the training", from_to(1, 64)},
    take_option};

constexpr const char* levels[] = {"characters", "bytes", "lines"};
constexpr Option text_options[] = {
    {"path", Type::text, required, "story.txt", "a text in UTF-8, plain or gzip"},
    {"test", Type::text, "", "story-test.txt", "a text to test on"},
    {"level", Type::choice, "characters", "lines", "what a token and what a sample is", {}, levels},
    {"context", Type::integer, "128", "64", "tokens of a sample", from_to(1, 65536)},
    {"stride", Type::integer, "0", "32", "tokens from one sample to the next; 0: the context",
     at_least(0)},
    {"unknown", Type::boolean, "false", "true", "characters that are not known get a token"},
    {"min_count", Type::integer, "1", "3", "characters that come less often are not known",
     at_least(1)},
    take_option};

constexpr Option npy_options[] = {
    {"inputs", Type::text, required, "x.npy", "file of the samples, along the first axis"},
    {"targets", Type::text, required, "y.npy", "file of as many targets"},
    {"test_inputs", Type::text, "", "x-test.npy", "samples to test on"},
    {"test_targets", Type::text, "", "y-test.npy", "their targets"},
    take_option};
constexpr Option npz_options[] = {
    {"path", Type::text, required, "data.npz", "the file"},
    {"inputs", Type::text, "x", "x_train", "name of the array of samples"},
    {"targets", Type::text, "y", "y_train", "name of as many targets"},
    {"test_inputs", Type::text, "", "x_test", "samples to test on"},
    {"test_targets", Type::text, "", "y_test", "their targets"},
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

Loaded load_images(const Options& o, const Split& split) {
  const data::ImageOptions how{.height = o.integer("height"),
                               .width = o.integer("width"),
                               .channels = o.integer("channels")};
  const int threads = static_cast<int>(o.integer("threads"));
  const data::Images all = data::images(o.text("path"), how, o.site());
  Dataset test;
  if (!o.text("test").empty()) {
    data::ImageOptions same = how;
    same.height = all.data.x_shape()[0], same.width = all.data.x_shape()[1];
    const data::Images others = data::images(o.text("test"), same, o.site());
    if (others.class_names != all.class_names)
      fail_at(o.value("test"), "the folder has other classes than " + o.text("path"), {},
              "give both the same subfolders");
    test = others.data.prefetch(threads);
  }
  Loaded out = cut(all.data.prefetch(threads), test, o, split);
  out.classes = all.class_names;
  out.facts = std::to_string(all.files.size()) + " images of " +
              std::to_string(all.class_names.size()) + " classes";
  return out;
}

Loaded load_text(const Options& o, const Split& split) {
  const int level = o.choice("level");
  data::TextOptions how{
      .context = o.integer("context"),
      .stride = o.integer("stride"),
      .options = {.unknown = o.boolean("unknown"), .min_count = o.integer("min_count")}};
  const auto make = level == 0 ? data::characters : level == 1 ? data::bytes : data::lines;
  if (!o.context().preprocessing.empty() && level != 1)
    how.vocabulary = kept_vocabulary(o.context().preprocessing);
  const data::Text text = make(data::text_file(o.text("path"), o.site()), how, o.site());
  Dataset test;
  if (!o.text("test").empty()) {
    if (level != 1) how.vocabulary = text.vocabulary;
    test = make(data::text_file(o.text("test"), o.site()), how, o.site()).data;
  }
  // Samples that follow each other have much in common: a part is a stretch of the text.
  Loaded out;
  out.train = taken(text.data, o), out.test = taken(test, o);
  if (split.test > 0 && !test) {
    const auto [rest, last] = out.train.split(1 - split.test, o.site());
    out.train = rest, out.test = last;
  }
  out.validation = out.test;
  if (split.validation > 0) {
    const auto [rest, last] = out.train.split(1 - split.validation, o.site());
    out.train = rest, out.validation = last;
  }
  out.preprocessing = vocabulary_text(text.vocabulary, level == 1);
  out.facts = std::to_string(text.vocabulary.size()) + " different tokens";
  return out;
}

Loaded load_npy(const Options& o, const Split& split) {
  const std::string x = o.text("test_inputs"), y = o.text("test_targets");
  const Site site = o.site();
  Dataset test;
  if (!x.empty() || !y.empty()) test = {data::npy(x, site), data::npy(y, site), site};
  return cut({data::npy(o.text("inputs"), site), data::npy(o.text("targets"), site), site}, test, o,
             split);
}

Loaded load_npz(const Options& o, const Split& split) {
  const Site site = o.site();
  const data::NamedTensors all = data::npz(o.text("path"), site);
  const std::string x = o.text("test_inputs"), y = o.text("test_targets");
  Dataset test;
  if (!x.empty() || !y.empty()) test = {all.get(x, site), all.get(y, site), site};
  return cut({all.get(o.text("inputs"), site), all.get(o.text("targets"), site), site}, test, o,
             split);
}

constexpr SourceRow sources_file_rows[] = {
    {{"images", "PNG and JPEG files, a folder a class", image_options}, load_images},
    {{"text", "a text to be written on", text_options}, load_text},
    {{"npy", "NumPy's files of one array", npy_options}, load_npy},
    {{"npz", "NumPy's files of several arrays", npz_options}, load_npz},
};

}  // namespace

std::span<const SourceRow> file_sources() { return sources_file_rows; }

}  // namespace goneuron::config
