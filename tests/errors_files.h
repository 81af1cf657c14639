// Programs that read files which are missing, damaged or not what they should be.
#pragma once

#include "errors.h"

namespace goneuron::errors {

/// The bytes of an IDX file of [2, 3] u8.
inline std::string idx_bytes() {
  return std::string("\0\0\x08\x02\0\0\0\x02\0\0\0\x03", 12) + "abcdef";
}
/// The bytes of a small model's file.
inline std::string model_bytes() {
  static const std::string bytes = [] {
    auto model = Sequential({Dense(2)});
    model.build({3});
    const std::string path = folder() + "/small.safetensors";
    model.save(path);
    return read_file(path);
  }();
  return bytes;
}
inline std::string with(std::string bytes, size_t at, const std::string& changed) {
  return bytes.replace(at, changed.size(), changed);
}

ERROR_CASE(fashion_mnist_missing) { auto [train, test] = data::fashion_mnist("/nowhere"); }

ERROR_CASE(mnist_missing) { auto [train, test] = data::mnist("/nowhere"); }

ERROR_CASE(idx_missing) { Tensor x = data::idx("/nowhere/images.idx"); }

ERROR_CASE(idx_of_fashion_mnist_missing) {
  Tensor x = data::idx("/nowhere/train-images-idx3-ubyte");
}

ERROR_CASE(idx_with_another_start) {
  std::string path = file_with("images.idx", "PNG" + idx_bytes());
  Tensor x = data::idx(path);
}

ERROR_CASE(idx_of_an_unknown_type) {
  std::string path = file_with("images.idx", with(idx_bytes(), 2, "\x0a"));
  Tensor x = data::idx(path);
}

ERROR_CASE(idx_of_nine_axes) {
  std::string path = file_with("images.idx", with(idx_bytes(), 3, "\x09"));
  Tensor x = data::idx(path);
}

ERROR_CASE(idx_empty) {
  std::string path = file_with("images.idx", "");
  Tensor x = data::idx(path);
}

ERROR_CASE(idx_truncated_in_the_header) {
  std::string path = file_with("images.idx", idx_bytes().substr(0, 10));
  Tensor x = data::idx(path);
}

ERROR_CASE(idx_truncated) {
  std::string path = file_with("images.idx", idx_bytes().substr(0, 15));
  Tensor x = data::idx(path);
}

ERROR_CASE(idx_with_more_than_it_says) {
  std::string path = file_with("images.idx", idx_bytes() + "more");
  Tensor x = data::idx(path);
}

ERROR_CASE(idx_with_a_changed_length) {
  std::string path = file_with("images.idx", with(idx_bytes(), 4, "\x7f\xff\xff\xff"));
  Tensor x = data::idx(path);
}

ERROR_CASE(idx_gzip_truncated) {
  std::string path = file_with("images.idx.gz", std::string("\x1f\x8b\x08\0\0\0\0\0\0\x03K", 11));
  Tensor x = data::idx(path);
}

ERROR_CASE(model_missing) { Model model = Model::load("/nowhere/model.safetensors"); }

ERROR_CASE(model_of_another_version) {
  std::string bytes = model_bytes();
  size_t format = bytes.find("format") + 9;
  std::string path = file_with("model.safetensors", with(bytes, format, "9"));
  Model model = Model::load(path);
}

ERROR_CASE(model_truncated_in_its_length) {
  std::string path = file_with("model.safetensors", model_bytes().substr(0, 5));
  Model model = Model::load(path);
}

ERROR_CASE(model_truncated_in_its_header) {
  std::string path = file_with("model.safetensors", model_bytes().substr(0, 100));
  Model model = Model::load(path);
}

ERROR_CASE(model_truncated_in_its_weights) {
  std::string bytes = model_bytes();
  bytes.resize(bytes.size() - 10);
  std::string path = file_with("model.safetensors", bytes);
  Model model = Model::load(path);
}

ERROR_CASE(model_with_a_changed_length) {
  std::string path = file_with("model.safetensors", with(model_bytes(), 6, "\x7f"));
  Model model = Model::load(path);
}

ERROR_CASE(model_with_a_changed_header) {
  std::string path = file_with("model.safetensors", with(model_bytes(), 8, "["));
  Model model = Model::load(path);
}

ERROR_CASE(model_that_is_a_folder) { Model model = Model::load(folder()); }

ERROR_CASE(model_from_weights_alone) {
  std::string path = file_with("weights.safetensors", std::string("\x02\0\0\0\0\0\0\0{}", 10));
  Model model = Model::load(path);
}

ERROR_CASE(save_before_build) {
  auto model = Sequential({Dense(2)});
  model.save("/nowhere/model.safetensors");
}

ERROR_CASE(save_into_a_missing_folder) {
  auto model = Sequential({Dense(2)});
  model.build({3});
  model.save("/nowhere/model.safetensors");
}

ERROR_CASE(save_weights_before_build) {
  auto model = Sequential({Dense(2)});
  model.save_weights("weights.safetensors");
}

ERROR_CASE(load_weights_before_build) {
  auto model = Sequential({Dense(2)});
  model.load_weights("/nowhere/model.safetensors");
}

ERROR_CASE(history_into_a_missing_folder) {
  History history;
  history.save_csv("/nowhere/history.csv");
}

}  // namespace goneuron::errors
