// Images: PNG and JPEG of every kind against Pillow's reading of them, resizing against its
// bilinear filter, folders as data sets on any number of threads, and generators.
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <cmath>
#include <filesystem>
#include <fstream>

#include "bytes_of.h"
#include "data/image.h"
#include "data/loader.h"
#include "error_text.h"
#include "image_files.h"

namespace goneuron {
namespace {

namespace fs = std::filesystem;

data::Pixels decoded(const std::string& bytes) {
  return data::decode_image(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(),
                            {"data::image", "x"});
}
std::string file_named(const std::string& name) {
  for (const ImageFile& file : image_files)
    if (name == file.name) return bytes_of(file.bytes);
  throw std::runtime_error("no image " + name);
}
void write(const fs::path& path, const std::string& bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << bytes;
}

class Folder : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string made = fs::temp_directory_path() / "goneuron_images_XXXXXX";
    path_ = mkdtemp(made.data());
  }
  void TearDown() override { fs::remove_all(path_); }
  std::string at(const std::string& name) const { return (path_ / name).string(); }
  fs::path path_;
};

TEST(Image, EveryKindIsReadAsPillowDoes) {
  for (const ImageFile& file : image_files) {
    const data::Pixels image = decoded(bytes_of(file.bytes));
    ASSERT_EQ(Shape({image.height, image.width, image.channels}), file.shape) << file.name;
    const std::string wanted = bytes_of(file.pixels);
    ASSERT_EQ(image.values.size(), wanted.size());
    // Decoders of JPEG may differ in the last bit.
    const int most = std::string(file.name).rfind("jpeg", 0) == 0 ? 1 : 0;
    for (size_t i = 0; i < wanted.size(); ++i)
      ASSERT_LE(std::abs(image.values[i] - static_cast<std::uint8_t>(wanted[i])), most)
          << file.name << " value " << i;
  }
}

TEST(Image, TruncatedAnywhere) {
  for (const ImageFile& file : image_files) {
    const std::string whole = bytes_of(file.bytes);
    // The last 12 bytes of a PNG are its empty end, the last 2 of a JPEG its mark.
    for (size_t size = 0; size < whole.size() - 2; ++size)
      EXPECT_THROW(decoded(whole.substr(0, size)), FormatError) << file.name << " " << size;
  }
}

TEST(Image, DamageIsFoundOrReadAsAnotherImage) {
  for (const ImageFile& file : image_files) {
    const std::string whole = bytes_of(file.bytes);
    i64 refused = 0;
    for (size_t at = 0; at < whole.size(); ++at) {
      std::string broken = whole;
      broken[at] = static_cast<char>(broken[at] ^ 0x24);
      try {
        decoded(broken);
      } catch (const FormatError& error) {
        ++refused;
        expect_contains(error.what(), {"data::image", "file   x", "hint"});
      }
    }
    // PNG has checksums, though a wrong one of a chunk that is not needed is passed over; of a JPEG
    // at least the headers tell.
    const bool png = whole[1] == 'P';
    EXPECT_GE(refused, static_cast<i64>(whole.size()) * (png ? 8 : 1) / 10) << file.name;
  }
}

TEST(Image, SizesAreCappedBeforeDecoding) {
  std::string png = file_named("rgb");
  // Width and height of 2^14 in a file of 100 bytes, with the checksum of that header.
  png.replace(16, 8, bytes_of("0000400000004000"));
  png.replace(29, 4, bytes_of("01020304"));
  EXPECT_THROW(decoded(png), FormatError);
  const auto header = [](const std::string& sizes, const std::string& checksum) {
    std::string bytes = file_named("rgb");
    bytes.replace(16, 8, bytes_of(sizes));
    return bytes.replace(29, 4, bytes_of(checksum));
  };
  expect_contains(message_of<FormatError>([&] { decoded(header("0000400000004000", "26aa87d3")); }),
                  {"16384 x 16384", "expected 1 to 67108864", "hint"});
  expect_contains(message_of<FormatError>([&] { decoded(header("0000200000002000", "fdc85d0e")); }),
                  {"too short for its 8192 x 8192 pixels"});
  std::string jpeg = file_named("jpeg");
  const size_t frame = jpeg.find("\xFF\xC0") + 5;
  jpeg.replace(frame, 4, bytes_of("fde8fde8"));
  expect_contains(message_of<FormatError>([&] { decoded(jpeg); }),
                  {"65000 x 65000", "expected 1 to 67108864", "hint"});
  jpeg.replace(frame, 4, bytes_of("20002000"));
  expect_contains(message_of<FormatError>([&] { decoded(jpeg); }),
                  {"too short for its 8192 x 8192 pixels"});
}

TEST(Image, WhatIsNoImage) {
  expect_contains(message_of<FormatError>([] { decoded(""); }), {"empty", "file   x", "hint"});
  expect_contains(message_of<FormatError>([] { decoded("RIFF....WEBP"); }),
                  {"neither a PNG nor a JPEG", "hint"});
  const std::string cmyk = bytes_of(
      "ffd8ffee000e41646f626500640000000000ffdb004300080606070605080707070909080a0c140d0c0b"
      "0b0c1912130f141d1a1f1e1d1a1c1c20242e2720222c231c1c2837292c30313434341f27393d38323c2e"
      "333432ffc000140800080008044311004d11005911004b1100ffc4001400010000000000000000000000"
      "0000000007ffc40014100100000000000000000000000000000000ffda000e0443004d0059004b00003f"
      "007f3f9fcfefffd9");
  expect_contains(message_of<FormatError>([&] { decoded(cmyk); }), {"CMYK", "hint"});
}

TEST_F(Folder, OneFileAsATensor) {
  write(at("a.png"), file_named("rgba"));
  EXPECT_EQ(data::image(at("a.png")).shape(), Shape({2, 3, 4}));
  const Tensor all = data::image(at("a.png")), colours = data::image(at("a.png"), {.channels = 3}),
               gray = data::image(at("a.png"), {.channels = 1}),
               faint = data::image(at("a.png"), {.channels = 2});
  EXPECT_EQ(all.dtype(), DType::u8);
  for (i64 y = 0; y < 2; ++y)
    for (i64 x = 0; x < 3; ++x) {
      for (i64 c = 0; c < 3; ++c) EXPECT_EQ(colours.at({y, x, c}), all.at({y, x, c}));
      const double light =
          0.299 * all.at({y, x, 0}) + 0.587 * all.at({y, x, 1}) + 0.114 * all.at({y, x, 2});
      EXPECT_NEAR(gray.at({y, x, 0}), light, 0.51);
      EXPECT_EQ(faint.at({y, x, 0}), gray.at({y, x, 0}));
      EXPECT_EQ(faint.at({y, x, 1}), all.at({y, x, 3}));
    }
  write(at("b.png"), file_named("gray16"));
  const Tensor wide = data::image(at("b.png"), {.channels = 4});
  EXPECT_EQ(wide.at({1, 2, 0}), wide.at({1, 2, 2}));
  EXPECT_EQ(wide.at({1, 2, 3}), 255);
  EXPECT_THROW(data::image(at("b.png"), {.channels = 5}), DataError);
  EXPECT_THROW(data::image(at("b.png"), {.channels = -1}), DataError);
  expect_contains(message_of<FormatError>([&] { data::image(at("c.png")); }),
                  {"data::image (images_test.cpp:", "cannot open", "c.png"});
  write(at("d.png"), file_named("rgb").substr(0, 60));
  expect_contains(message_of<FormatError>([&] { data::image(at("d.png")); }),
                  {"PNG data is corrupt", "d.png", "hint"});
}

TEST(Resized, AgreesWithPillowsBilinearFilter) {
  const std::string from = bytes_of(
      "0353272e95b5430b033e32bffe686e2ec5b691c0a5bfb25444762591c342bff0b2e0cbebfb35f9796eac"
      "ad34451f3240f6a7d4d9bff8bb969fc0422b8caad2");
  Tensor image(Shape{7, 9, 1}, DType::u8), floats(Shape{7, 9, 1});
  for (i64 i = 0; i < 63; ++i) {
    image.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(from[static_cast<size_t>(i)]);
    floats.data()[i] = static_cast<float>(image.data<std::uint8_t>()[i]) / 255;
  }
  const struct {
    i64 height, width;
    const char* pixels;
  } sizes[] = {
      {3, 4, "5790705c95a7a296739c96af"},
      {14, 5,
       "2831845c0b2f53865d353c968b5e895bb7925b998eb49b5564a6a6ad716fa38dc8afb8a28cc0c0b6a5a1"
       "95a46b879f90a56b4884b3c4b74983aabbd5899c758bc4a9a85a73bc"},
      {20, 30,
       "0303172f474c3f3227292c2e4867869aa3adaf8d6b493524130a070503030404182f474c40352b2d3133"
       "4c698699a2abad8c6a483626170f0c0a070719192532404a525a616a737b7e8183888e9596795c404147"
       "4d4f4c4946462e2e31353948637f97a6b4c3b19981767a7f7e674f384b6783908c888585444442403e50"
       "769dc0d2e4f6d7ad836d6d6d69574433547ea9bcb6b0abab616165686d798da3b6c4d3e1cdb19682776d"
       "615447395373939d908378787e7e87919ba2a5a8acb7c1ccc3b5a897816c5850494152677c7e6a564646"
       "91919dabb9bbafa39aa6b2bdbebcbbac92775f5d5b58626e7a77634e3e3e91919dabbab6a0897990a5bc"
       "c3c8cdc4ac9581858a8e93979c9a928a838391919eacbbb2916f587999bac8d4e0dbc7b3a3aeb9c3c3c0"
       "bdbec1c5c8c8a4a4a6a7a9a08a74667e96afbcc8d4d3c7bcb3becad5cec1b6b5bec7cecec9c9b59c847f"
       "8b98a29f9d9b9ea4a9acadafb0b6bec4b39c8780878e9494eeeec592605e8dbbdec0a48681807f8593a2"
       "adafb1b39977574a50555a5acacaa5774b4b7aa9cdbbaa988e877f8395a7b5b5b6b79e8062585f676d6d"
       "7c7c6b543e415c7891a0afbeb4a69797a6b6c3c4c5c6b6a28e8a96a2acac3030303132363e475686b5e5"
       "dac4aeaab7c6d1d3d4d6cec4babdcdddebeb4a4a4b4c4d4f5357618cb5e0d0b5998f979fa7b0b9c2c2be"
       "bbc1d1e1eeee81817d7873727579809bb5d0b9997869696a6e8093a6acaeb0b9c7d5e0e0b7b7aea49995"
       "989b9faab4bfa37d57423b3534506d89969da6b1bdc9d3d3bbbbb2a79c979a9da1abb4bea17b553f3831"
       "304d6a87949ca5b0bcc8d2d2"},
      {1, 1, "8f"},
  };
  for (const auto& [height, width, hex] : sizes) {
    const Tensor out = data::resized(image, height, width);
    const Tensor light = data::resized(floats, height, width);
    const std::string wanted = bytes_of(hex);
    ASSERT_EQ(out.shape(), Shape({height, width, 1}));
    for (i64 i = 0; i < out.size(); ++i) {
      const double value = static_cast<std::uint8_t>(wanted[static_cast<size_t>(i)]);
      // Pillow rounds between the two axes.
      EXPECT_NEAR(out.data<std::uint8_t>()[i], value, 1) << height << " x " << width << " " << i;
      EXPECT_NEAR(light.data()[i] * 255, value, 1.01);
    }
  }
  EXPECT_EQ(data::resized(image, 7, 9), image);
  Tensor flat(Shape{5, 6, 3}, DType::u8);
  for (i64 i = 0; i < 90; ++i) flat.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(9 + i % 3);
  for (const auto& [h, w] : std::vector<std::pair<i64, i64>>{{1, 1}, {3, 17}, {40, 2}}) {
    const Tensor out = data::resized(flat, h, w);
    for (i64 i = 0; i < out.size(); ++i) ASSERT_EQ(out.data<std::uint8_t>()[i], 9 + i % 3);
  }
  EXPECT_THROW(data::resized(image, 0, 4), DataError);
  EXPECT_THROW(data::resized(image, 1 << 20, 1 << 20), DataError);
  EXPECT_THROW(data::resized(Tensor(Shape{7, 9}), 2, 2), DataError);
  EXPECT_THROW(data::resized(Tensor(Shape{7, 9, 1}, DType::i32), 2, 2), DataError);
}

TEST_F(Folder, ImagesOfClasses) {
  write(at("set/dogs/1.png"), file_named("rgb"));
  write(at("set/dogs/2.JPG"), file_named("jpeg"));
  write(at("set/dogs/notes.txt"), "no image");
  write(at("set/cats/b.jpeg"), file_named("jpeg_gray"));
  write(at("set/cats/a.png"), file_named("rgba"));
  write(at("set/.hidden/a.png"), "");
  write(at("set/readme"), "");
  const data::Images all = data::images(at("set"), {.height = 5, .width = 6});
  EXPECT_EQ(all.class_names, (std::vector<std::string>{"cats", "dogs"}));
  ASSERT_EQ(all.files.size(), 4U);
  EXPECT_EQ(fs::path(all.files[0]).filename(), "a.png");
  EXPECT_EQ(all.data.size(), 4);
  EXPECT_EQ(all.data.x_shape(), Shape({5, 6, 3}));
  EXPECT_EQ(all.data.x_dtype(), DType::u8);
  const Sample arrays = all.data.arrays();
  EXPECT_EQ(arrays.y, Tensor(std::vector<std::int32_t>{0, 0, 1, 1}));
  for (i64 i = 0; i < 4; ++i)
    EXPECT_EQ(arrays.x[i],
              data::resized(data::image(all.files[static_cast<size_t>(i)], {.channels = 3}), 5, 6));
  // The classes are known without decoding.
  write(at("set/cats/b.jpeg"), "");
  EXPECT_EQ(all.data.balanced().size(), 4);
  EXPECT_EQ(all.data.stratified_split(0.5).train.size(), 2);
  expect_contains(message_of<FormatError>([&] { all.data.arrays(); }),
                  {"data::images (images_test.cpp:", "empty", "b.jpeg"});
}

TEST_F(Folder, ThreadsGiveTheSameAndAnErrorNamesTheFile) {
  for (int i = 0; i < 40; ++i)
    write(at("set/c" + std::to_string(i % 3) + "/" + std::to_string(i) + ".png"),
          file_named(i % 2 == 0 ? "interlaced" : "jpeg"));
  const Dataset data = data::images(at("set"), {.height = 4, .width = 4}).data;
  const auto epoch = [](const Dataset& d) {
    Loader loader(d, 16, true, 3, DType::f32, DType::i32);
    std::vector<float> x(16 * 48), all;
    std::vector<std::int32_t> y(16);
    void* const memory[] = {x.data(), y.data()};
    loader.start_epoch(1);
    while (const i64 rows = loader.next(memory)) {
      all.insert(all.end(), x.begin(), x.begin() + rows * 48);
      all.insert(all.end(), y.begin(), y.begin() + rows);
    }
    return all;
  };
  const auto one = epoch(data);
  EXPECT_EQ(one.size(), 40U * 49);
  EXPECT_EQ(epoch(data.prefetch(4)), one);
  EXPECT_EQ(epoch(data.prefetch(false)), one);
  write(at("set/c1/7.png"), file_named("jpeg").substr(0, 300));
  expect_contains(message_of<FormatError>([&] { epoch(data.prefetch(4)); }),
                  {"JPEG data is corrupt", "c1/7.png"});
}

TEST_F(Folder, Misuse) {
  EXPECT_THROW(data::images(at("none")), FormatError);
  fs::create_directories(at("empty"));
  expect_contains(message_of<FormatError>([&] { data::images(at("empty")); }),
                  {"no subfolders", "hint"});
  write(at("set/a/1.png"), file_named("rgb"));
  EXPECT_EQ(data::images(at("set")).data.x_shape(), Shape({3, 4, 3})) << "the first one's size";
  write(at("set/a/2.png"), file_named("rgba"));
  expect_contains(message_of<FormatError>([&] { data::images(at("set")).data.arrays(); }),
                  {"2 x 3", "3 x 4", "2.png", ".height = 224"});
  fs::create_directories(at("set/b"));
  expect_contains(message_of<FormatError>([&] { data::images(at("set")); }),
                  {"holds no .png", "set/b", "hint"});
  for (const data::ImageOptions& options :
       std::vector<data::ImageOptions>{{.height = 3},
                                       {.width = 3},
                                       {.height = -1, .width = -1},
                                       {.channels = 0},
                                       {.channels = 5},
                                       {.height = 1 << 20, .width = 1 << 20}})
    EXPECT_THROW(data::images(at("set"), options), DataError);
}

TEST(Generator, MakesSamplesOfTheirNumber) {
  std::atomic<i64> calls = 0;
  const Dataset data = data::generator(50, [&](i64 index) {
    ++calls;
    return Sample{Tensor(std::vector<float>{static_cast<float>(index), 1}),
                  Tensor(std::vector<std::int32_t>{static_cast<std::int32_t>(index % 3)})};
  });
  EXPECT_EQ(calls, 1) << "the first tells what all look like";
  EXPECT_EQ(data.size(), 50);
  EXPECT_EQ(data.x_shape(), Shape({2}));
  EXPECT_EQ(data.y_shape(), Shape({1}));
  const Sample all = data.arrays();
  for (i64 i = 0; i < 50; ++i) {
    EXPECT_EQ(all.x.at({i, 0}), static_cast<double>(i));
    EXPECT_EQ(all.y.at({i, 0}), static_cast<double>(i % 3));
  }
  EXPECT_EQ(data.prefetch(3).split(0.5).test.arrays().x.at({0, 0}), 25);
  const Dataset two = data::generator(4, [](i64 i) {
    return Samples{{Tensor(Shape{2}), Tensor(Shape{3})}, {Tensor(Shape{1 + i / 3})}};
  });
  EXPECT_EQ(two.inputs(), 2);
  expect_contains(message_of<DataError>([&] { two.all_arrays(); }),
                  {"data::generator (images_test.cpp:", "sample 3", "[2] f32", "[1] f32", "hint"});
}

TEST(Generator, Misuse) {
  const auto sample = [](i64) { return Sample{Tensor(Shape{1}), Tensor(Shape{1})}; };
  EXPECT_THROW(data::generator(0, sample), DataError);
  EXPECT_THROW(data::generator(-1, sample), DataError);
  EXPECT_THROW(data::generator(3, std::function<Sample(i64)>()), DataError);
  EXPECT_THROW(data::generator(3, std::function<Samples(i64)>()), DataError);
  EXPECT_THROW(data::generator(3, [](i64) { return Sample{}; }), DataError);
  EXPECT_THROW(data::generator(3, [](i64) { return Samples{{Tensor(Shape{1})}, {}}; }), DataError);
}

}  // namespace
}  // namespace goneuron
