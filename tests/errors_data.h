// Programs that choose, make or augment samples wrongly, or read files that do not fit.
#pragma once

#include "bytes_of.h"
#include "errors_files.h"

namespace goneuron::errors {

/// 9 samples of three classes.
inline Dataset three_classes() {
  std::vector<std::int32_t> y;
  for (std::int32_t i = 0; i < 9; ++i) y.push_back(i % 3);
  return {Tensor(Shape{9, 2}), y};
}
/// An image of 2 x 2; a folder with it as the only one of its class.
inline std::string small_png() {
  return bytes_of(
      "89504e470d0a1a0a0000000d494844520000000200000002080000000057dd52f80000000e494441"
      "5478da6310506030700000017600a1f158c4820000000049454e44ae426082");
}
inline std::string image_folder() {
  std::filesystem::create_directories(folder() + "/pets/cats");
  file_with("pets/cats/tom.png", small_png());
  return folder() + "/pets";
}
inline std::string npy_bytes(const std::string& descr, const std::string& elements) {
  const std::string header =
      "{'descr': '" + descr + "', 'fortran_order': False, 'shape': (2,), }\n";
  return "\x93NUMPY\x01" + std::string(1, '\0') + static_cast<char>(header.size()) +
         std::string(1, '\0') + header + elements;
}

ERROR_CASE(prefetch_by_no_thread) { Dataset data = three_classes().prefetch(0); }

ERROR_CASE(shuffle_without_a_buffer) { Dataset data = three_classes().shuffle(1, 0); }

ERROR_CASE(shard_beyond_the_last) { Dataset data = three_classes().shard(4, 4); }

ERROR_CASE(shards_more_than_samples) { Dataset data = three_classes().shard(0, 10); }

ERROR_CASE(filter_that_keeps_nothing) {
  Dataset data = three_classes().filter([](const Sample& s) { return s.y.item() > 5; });
}

ERROR_CASE(filter_without_a_function) {
  Dataset data = three_classes().filter(std::function<bool(const Sample&)>());
}

ERROR_CASE(filter_of_one_where_there_are_two) {
  Dataset data({Tensor(Shape{3, 2}), Tensor(Shape{3, 2})}, {Tensor(Shape{3})});
  data = data.filter([](const Sample& s) { return s.y.item() > 5; });
}

ERROR_CASE(repeat_never) { Dataset data = three_classes().repeat(0); }

ERROR_CASE(repeat_too_often) { Dataset data = three_classes().repeat(1 << 30); }

ERROR_CASE(concat_of_unlike_samples) {
  Dataset data = three_classes().concat({Tensor(Shape{4, 3}), Tensor(Shape{4})});
}

ERROR_CASE(stratified_split_of_everything) {
  auto [train, test] = three_classes().stratified_split(1.0);
}

ERROR_CASE(stratified_split_of_single_samples) {
  auto [train, test] = three_classes().take(3).stratified_split(0.5);
}

ERROR_CASE(balanced_without_classes) {
  Dataset data({Tensor(Shape{2, 3}), Tensor({{0.5F}, {1.5F}})});
  data = data.balanced();
}

ERROR_CASE(balanced_with_two_targets) {
  Dataset data({Tensor(Shape{2, 3})}, {Tensor(Shape{2}), Tensor(Shape{2})});
  data = data.balanced();
}

ERROR_CASE(fold_beyond_the_last) { auto [train, test] = three_classes().k_fold(5, 5); }

ERROR_CASE(folds_more_than_samples_of_a_class) {
  auto [train, test] = three_classes().k_fold(4, 0, 1, true);
}

ERROR_CASE(generator_of_nothing) {
  Dataset data = data::generator(0, [](i64) { return Sample{Tensor(Shape{1}), Tensor(Shape{1})}; });
}

ERROR_CASE(generator_without_a_function) {
  Dataset data = data::generator(4, std::function<Sample(i64)>());
}

ERROR_CASE(generator_of_empty_samples) {
  Dataset data = data::generator(4, [](i64) { return Sample{Tensor(Shape{2}), {}}; });
}

ERROR_CASE(generator_of_unlike_samples) {
  Dataset data = data::generator(4, [](i64 i) {
    return Sample{Tensor(Shape{1 + i}), Tensor(Shape{1})};
  });
  data.arrays();
}

ERROR_CASE(text_that_is_no_utf8) { auto vocabulary = data::Vocabulary::characters("S\xE3o\n"); }

ERROR_CASE(text_without_a_character) { auto vocabulary = data::Vocabulary::characters(""); }

ERROR_CASE(vocabulary_of_rare_characters) {
  auto vocabulary = data::Vocabulary::characters("abc", {.min_count = 2});
}

ERROR_CASE(vocabulary_with_one_character_twice) { data::Vocabulary vocabulary({"a", "b", "a"}); }

ERROR_CASE(text_with_an_unknown_character) {
  auto vocabulary = data::Vocabulary::characters("to be");
  Tensor tokens = vocabulary.encode("to be\nor not");
}

ERROR_CASE(vocabulary_that_is_empty) { Tensor tokens = data::Vocabulary().encode("abc"); }

ERROR_CASE(token_that_is_not_there) { std::string text = data::Vocabulary::bytes()[256]; }

ERROR_CASE(decoding_of_other_numbers) {
  auto vocabulary = data::Vocabulary::characters("abc");
  std::string text = vocabulary.decode(std::vector<std::int32_t>{0, 3});
}

ERROR_CASE(text_shorter_than_the_context) {
  auto [data, vocabulary] = data::characters("to be", {.context = 5});
}

ERROR_CASE(text_with_a_context_of_0) {
  auto [data, vocabulary] = data::characters("to be", {.context = 0});
}

ERROR_CASE(lines_without_text) { auto [data, vocabulary] = data::lines("\n\n"); }

ERROR_CASE(lines_with_a_stride) { auto [data, vocabulary] = data::lines("a\nb", {.stride = 2}); }

ERROR_CASE(tokens_of_floats) { Dataset data = data::token_windows(Tensor(Shape{500})); }

ERROR_CASE(text_file_missing) { std::string text = data::text_file("/nowhere/book.txt"); }

ERROR_CASE(text_file_of_another_encoding) {
  std::string path = file_with("book.txt", "one\ntr\xEAs\n");
  std::string text = data::text_file(path);
}

ERROR_CASE(windows_longer_than_the_series) {
  Dataset data = data::windows(Tensor(Shape{30, 2}), {.length = 28, .horizon = 3});
}

ERROR_CASE(windows_of_three_axes) { Dataset data = data::windows(Tensor(Shape{30, 2, 2})); }

ERROR_CASE(windows_without_a_stride) {
  Dataset data = data::windows(Tensor(Shape{90, 2}), {.length = 8, .stride = 0});
}

ERROR_CASE(windows_of_a_missing_target) {
  Dataset data = data::windows(Tensor(Shape{90, 2}), {.targets = {2}});
}

ERROR_CASE(npy_missing) { Tensor x = data::npy("/nowhere/x.npy"); }

ERROR_CASE(npy_of_objects) {
  std::string path = file_with("x.npy", npy_bytes("|O", "12345678"));
  Tensor x = data::npy(path);
}

ERROR_CASE(npy_of_complex_numbers) {
  std::string path = file_with("x.npy", npy_bytes("<c16", "12345678"));
  Tensor x = data::npy(path);
}

ERROR_CASE(npy_of_too_large_numbers) {
  std::string path = file_with("x.npy", npy_bytes("<u4", "\xff\xff\xff\x7f\xff\xff\xff\xff"));
  Tensor x = data::npy(path);
}

ERROR_CASE(npy_truncated) {
  std::string path = file_with("x.npy", npy_bytes("<f4", "12345"));
  Tensor x = data::npy(path);
}

ERROR_CASE(npy_with_another_start) {
  std::string path = file_with("x.npy", "Not an array, but a line of text.");
  Tensor x = data::npy(path);
}

ERROR_CASE(npz_missing) { auto arrays = data::npz("/nowhere/x.npz"); }

ERROR_CASE(npz_that_is_no_archive) {
  std::string path = file_with("x.npz", npy_bytes("<f4", "12345678"));
  auto arrays = data::npz(path);
}

ERROR_CASE(array_that_is_not_in_the_file) {
  data::NamedTensors arrays({{"x", Tensor(Shape{1})}, {"y", Tensor(Shape{1})}});
  Tensor z = arrays.get("z");
}

ERROR_CASE(save_npy_of_bf16) { data::save_npy("/nowhere/x.npy", Tensor(Shape{2}, DType::bf16)); }

ERROR_CASE(save_npy_to_nowhere) { data::save_npy("/nowhere/x.npy", Tensor(Shape{2})); }

ERROR_CASE(image_missing) { Tensor x = data::image("/nowhere/cat.png"); }

ERROR_CASE(image_of_five_channels) { Tensor x = data::image("/nowhere/cat.png", {.channels = 5}); }

ERROR_CASE(image_of_another_format) {
  std::string path = file_with("cat.gif", "GIF89a");
  Tensor x = data::image(path);
}

ERROR_CASE(image_empty) {
  std::string path = file_with("cat.png", "");
  Tensor x = data::image(path);
}

ERROR_CASE(image_truncated) {
  std::string path = file_with("cat.png", small_png().substr(0, 45));
  Tensor x = data::image(path);
}

/// 32768 x 32768 pixels, says its header.
inline std::string huge_png() {
  return with(with(small_png(), 16, bytes_of("0000800000008000")), 29, bytes_of("e117fca3"));
}
ERROR_CASE(image_that_is_huge) {
  std::string path = file_with("cat.png", huge_png());
  Tensor x = data::image(path);
}

ERROR_CASE(resized_to_nothing) { Tensor x = data::resized(Tensor(Shape{8, 8, 3}), 0, 4); }

ERROR_CASE(resized_without_channels) { Tensor x = data::resized(Tensor(Shape{8, 8}), 4, 4); }

ERROR_CASE(images_of_a_missing_folder) { auto pets = data::images("/nowhere/pets"); }

ERROR_CASE(images_without_classes) { auto pets = data::images(image_folder() + "/cats"); }

ERROR_CASE(images_of_an_empty_class) {
  std::filesystem::create_directories(folder() + "/birds/owls");
  auto birds = data::images(folder() + "/birds");
}

ERROR_CASE(images_with_one_side) { auto pets = data::images(image_folder(), {.height = 64}); }

ERROR_CASE(images_without_channels) { auto pets = data::images(image_folder(), {.channels = 0}); }

ERROR_CASE(images_that_are_damaged) {
  auto pets = data::images(image_folder(), {.height = 2, .width = 2});
  file_with("pets/cats/tom.png", small_png().substr(0, 50));
  pets.data.arrays();
}

ERROR_CASE(augment_of_rows) {
  Dataset data = data::augment(three_classes(), {.flip_horizontal = true});
}

ERROR_CASE(augment_by_too_much) {
  Dataset images(Tensor(Shape{4, 8, 8, 1}), Tensor(Shape{4}));
  images = data::augment(images, {.zoom = 1.5});
}

ERROR_CASE(mixup_of_labels) {
  Dataset images(Tensor(Shape{4, 8, 8, 1}), std::vector<std::int32_t>{0, 1, 2, 3});
  images = data::augment(images, {.mixup = 0.2});
}

ERROR_CASE(mixup_of_two_inputs) {
  Dataset images({Tensor(Shape{4, 8, 8, 1}), Tensor(Shape{4, 2})}, {Tensor(Shape{4})});
  images = data::augment(images, {.mixup = 0.2});
}

ERROR_CASE(mixup_of_more_classes) {
  Dataset images(Tensor(Shape{4, 8, 8, 1}), std::vector<std::int32_t>{0, 1, 2, 3});
  images = data::augment(images, {.mixup = 0.2, .classes = 3});
  images.arrays();
}

ERROR_CASE(balanced_after_mixup) {
  Dataset images(Tensor(Shape{4, 8, 8, 1}), std::vector<std::int32_t>{0, 1, 0, 1});
  images = data::augment(images, {.mixup = 0.2, .classes = 2});
  images = images.balanced();
}

}  // namespace goneuron::errors
