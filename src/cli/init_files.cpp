// Configs for folders of images and for texts.
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>

#include "cli/init.h"
#include "cli/results.h"
#include "core/message.h"
#include "goneuron/images.h"
#include "goneuron/text.h"

namespace goneuron::cli {
namespace {
namespace fs = std::filesystem;
using config::Value;

std::string number(i64 value) { return std::to_string(value); }

/// The last name of a path, whatever slashes end it.
std::string last_name(fs::path path) {
  if (path.filename().empty()) path = path.parent_path();
  return path.filename().string();
}

/// Large images are made smaller: their sides have at most this many pixels.
constexpr i64 largest_side = 64;

Shape input_size(const Shape& image) {
  i64 height = image[0], width = image[1];
  const i64 side = std::max(height, width);
  if (side > largest_side) {
    height = std::max<i64>(8, height * largest_side / side);
    width = std::max<i64>(8, width * largest_side / side);
  }
  return {height, width, image[2] < 3 ? 1 : 3};
}

Value convolution(i64 filters) {
  return object("Conv2D", {option("filters", number(filters)), option("kernel", "3"),
                           option("padding", "same"), option("activation", "relu")});
}

/// Convolutions and pools until 8 pixels or less are left.
std::vector<Value> image_layers(const Shape& size, i64 classes) {
  std::vector<Value> layers;
  i64 filters = 32;
  for (i64 side = std::min(size[0], size[1]); side > 8 || layers.empty(); side /= 2) {
    layers.push_back(convolution(filters));
    layers.push_back(object("MaxPool2D", {option("kernel", "2")}));
    filters = std::min<i64>(128, 2 * filters);
    if (side < 4) break;
  }
  layers.push_back(config::scalar("Flatten"));
  layers.push_back(object("Dropout", {option("rate", "0.3")}));
  layers.push_back(
      object("Dense", {option("units", number(classes)), option("activation", "softmax")}));
  return layers;
}

}  // namespace

Draft draft_for_images(const std::string& folder) {
  const bool parted = fs::is_directory(fs::path(folder) / "train");
  const std::string train = parted ? (fs::path(folder) / "train").string() : folder;
  std::string test;
  for (const char* name : {"test", "valid", "validation", "val"})
    if (parted && test.empty() && fs::is_directory(fs::path(folder) / name))
      test = (fs::path(folder) / name).string();
  const data::Images images = data::images(train, {.height = 8, .width = 8, .channels = 1}, {});
  const Shape first = data::image(images.files.at(0), {}, {}).shape(), size = input_size(first);
  const auto classes = static_cast<i64>(images.class_names.size());
  std::vector<Value> source = {option("path", train)};
  if (!test.empty()) source.push_back(option("test", test));
  source.push_back(option("height", number(size[0])));
  source.push_back(option("width", number(size[1])));
  source.push_back(option("channels", number(size[2])));
  std::vector<Value> parts = {option("validation", "0.1")};
  if (test.empty()) parts.push_back(option("test", "0.1"));
  Draft draft;
  draft.name = last_name(folder);
  draft.about = fmt::format(
      "{}: {} images of {} classes ({}{}); the first is {} x {}, the model sees {} x {}", train,
      grouped(static_cast<i64>(images.files.size())), classes,
      fmt::join(images.class_names.begin(), images.class_names.begin() + std::min<i64>(6, classes),
                ", "),
      classes > 6 ? ", .." : "", first[0], first[1], size[0], size[1]);
  draft.root =
      draft_root(object("images", source), config::map_of(parts), image_layers(size, classes),
                 config::scalar("cross_entropy"), {config::scalar("accuracy")},
                 object("Adam", {option("learning_rate", "0.001")}), 30, 32,
                 {object("EarlyStopping", {option("monitor", "val_loss"), option("patience", "5"),
                                           option("restore_best_weights", "true")})},
                 draft.name);
  return draft;
}

Draft draft_for_text(const std::string& path) {
  const std::string text = data::text_file(path, {});
  const data::Vocabulary vocabulary = data::Vocabulary::characters(text, {}, {});
  const i64 characters = vocabulary.encode(text, {}).size();
  const i64 context = characters > 20'000 ? 128 : 32;
  if (characters < 10 * context)
    throw_data({.where = path,
                .what = fmt::format("a text of {} characters; expected at least {}", characters,
                                    10 * context),
                .hint = "give a longer one"});
  const std::string kinds = number(vocabulary.size());
  Draft draft;
  draft.name = fs::path(path).stem().string();
  draft.about =
      fmt::format("{}: {} characters, {} different ones", path, grouped(characters), kinds);
  draft.root = draft_root(
      object("text", {option("path", path), option("level", "characters"),
                      option("context", number(context)), option("stride", number(context / 4))}),
      config::map_of({option("validation", "0.1")}),
      {object("Embedding", {option("vocabulary", kinds), option("width", "128")}),
       object("TransformerBlock",
              {option("heads", "4"), option("ff", "384"), option("norm", "RMSNorm"),
               option("feed_forward", "swiglu"), option("causal", "true"), option("rope", "true"),
               option("dropout", "0.2"), option("bias", "false"), option("repeat", "3")}),
       config::scalar("RMSNorm"),
       object("Dense", {option("units", kinds), option("activation", "softmax")})},
      config::scalar("cross_entropy"), {config::scalar("bits_per_character")},
      object("AdamW", {option("learning_rate", "0.001"), option("global_clip_norm", "1")}), 10, 16,
      {object("EarlyStopping", {option("monitor", "val_loss"), option("patience", "2"),
                                option("restore_best_weights", "true")})},
      draft.name);
  return draft;
}

}  // namespace goneuron::cli
