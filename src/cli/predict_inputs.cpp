#include "cli/predict_inputs.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <iostream>
#include <iterator>

#include "config/options.h"
#include "core/message.h"
#include "data/idx.h"
#include "data/image.h"
#include "data/npy.h"
#include "goneuron/csv.h"
#include "goneuron/images.h"

namespace goneuron::cli {
namespace {

const std::uint8_t* bytes_of(const std::string& text) {
  return reinterpret_cast<const std::uint8_t*>(text.data());
}

std::string shown_name(const std::string& file) { return file == "-" ? "standard input" : file; }

bool begins(const std::string& text, std::string_view with) {
  return text.compare(0, with.size(), with) == 0;
}
bool is_image(const std::string& text) {
  return begins(text, "\x89PNG") || begins(text, "\xFF\xD8");
}
bool is_idx(const std::string& text) {
  return text.size() > 4 && text[0] == 0 && text[1] == 0 && text[3] > 0 && text[3] <= 8;
}
bool is_gzip(const std::string& text) { return begins(text, "\x1F\x8B"); }

/// As the model takes it: [1, height, width, channels] u8.
Tensor image_input(const std::string& text, const std::string& file, const Shape& sample) {
  if (sample.rank() != 3)
    throw_data({.where = file,
                .what = "an image, but the model's input is " + sample.str() +
                        "; expected inputs of that shape",
                .hint = "give what the model was trained on"});
  const data::Pixels pixels = data::with_channels(
      data::decode_image(bytes_of(text), text.size(), {"predict", file}), sample[2]);
  Tensor x(Shape{1, sample[0], sample[1], sample[2]}, DType::u8);
  data::resize(pixels, sample[0], sample[1], x.data<std::uint8_t>());
  return x;
}

/// Rows of numbers, split at commas, semicolons and blanks.
Tensor number_rows(const std::string& text, const std::string& file, const Shape& sample) {
  std::vector<float> values;
  i64 line = 1, rows = 0;
  for (size_t at = 0; at < text.size(); ++line) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const size_t before = values.size();
    for (size_t i = at; i < end;) {
      const size_t stop = std::min(text.find_first_of(",; \t\r\n", i), end);
      double number = 0;
      if (stop > i && !config::read_number(text.substr(i, stop - i), number))
        throw_data(
            {.where = file,
             .what = fmt::format("line {}: \"{}\" is no number; expected {} numbers a line", line,
                                 text.substr(i, std::min<size_t>(stop - i, 40)), sample.elements()),
             .hint = "give numbers, an image, an IDX or a NPY file"});
      if (stop > i) values.push_back(static_cast<float>(number));
      i = stop + 1;
    }
    const auto found = static_cast<i64>(values.size() - before);
    if (found > 0 && found != sample.elements())
      throw_data({.where = file,
                  .what = fmt::format("line {} has {} numbers; expected {}, the model's input",
                                      line, found, sample.elements()),
                  .hint = "a line is a sample"});
    rows += found > 0 ? 1 : 0;
    at = end + 1;
  }
  if (rows == 0)
    throw_data({.where = file,
                .what = "there are no numbers; expected a sample a line",
                .hint = "give numbers, an image, an IDX or a NPY file"});
  return Tensor(values, sample.with_batch(rows));
}

/// [samples, ..] of the model's input, from an array with or without the axis of samples, and the
/// last axis of one channel left out or not.
Tensor as_samples(const Tensor& array, const Shape& sample, const std::string& file) {
  const Shape& s = array.shape();
  const i64 each = sample.elements();
  if (each > 0 && array.size() % each == 0 &&
      (s == sample || array.size() / each == s[0] || array.size() == each))
    return array.reshape(sample.with_batch(array.size() / each));
  throw_data({.where = file,
              .what = "an array " + s.str() + "; expected [samples, ..] of samples " + sample.str(),
              .hint = "give what the model was trained on"});
}

Tensor joined(const std::vector<Tensor>& parts) {
  if (parts.size() == 1) return parts[0];
  i64 rows = 0;
  for (const Tensor& part : parts) rows += part.shape()[0];
  Tensor all(parts[0].shape().without_batch().with_batch(rows), parts[0].dtype());
  auto* to = static_cast<char*>(all.raw());
  for (const Tensor& part : parts) {
    if (part.dtype() != all.dtype())
      throw_data({.where = "predict",
                  .what = "files of different types; expected all of one",
                  .hint = "predict them one after the other"});
    std::memcpy(to, part.raw(), static_cast<size_t>(part.bytes()));
    to += part.bytes();
  }
  return all;
}

Tensor read_one(const std::string& file, const Shape& sample) {
  const std::string text = input_text(file), name = shown_name(file);
  if (is_image(text)) return image_input(text, name, sample);
  if (begins(text, "\x93NUMPY"))
    return as_samples(data::decode_npy(bytes_of(text), text.size(), name), sample, name);
  if (is_idx(text) || is_gzip(text))
    return as_samples(data::decode_idx(bytes_of(text), text.size(), name), sample, name);
  return number_rows(text, name, sample);
}

}  // namespace

std::string input_text(const std::string& file) {
  if (file != "-") return read_text(file);
  return {std::istreambuf_iterator<char>(std::cin), {}};
}

PredictInputs predict_inputs(const Run& run, const std::vector<std::string>& files) {
  PredictInputs inputs;
  std::vector<Tensor> parts;
  const Shape sample = run.model.input().shape().without_batch();
  const bool table = !run.preprocessing.empty();
  for (const std::string& file : files) {
    const std::string name = shown_name(file);
    const UserCall place(name.c_str(), {}, true);
    if (table) {
      const auto preprocessing = data::Preprocessing::from_json(run.preprocessing);
      parts.push_back(preprocessing.inputs_of_csv(input_text(file)));
    } else {
      parts.push_back(read_one(file, sample));
      for (i64 i = 0; i < parts.back().shape()[0]; ++i)
        inputs.labels.push_back(parts.back().shape()[0] == 1 ? name
                                                             : name + ":" + std::to_string(i));
    }
  }
  inputs.x = joined(parts);
  if (files.size() == 1 && inputs.x.shape()[0] > 1) inputs.labels.clear();
  return inputs;
}

}  // namespace goneuron::cli
