// Augmentation: exact for what moves whole pixels, statistics for what is random, and the same
// samples on any number of threads and from any step on.
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>

#include "data/augment/frame.h"
#include "data/loader.h"
#include "error_text.h"

namespace goneuron {
namespace {

using data::AugmentOptions;

/// `count` images of [height, width, channels], each with its own values, all above 0.
Dataset pictures(i64 count, i64 height, i64 width, i64 channels = 1, DType dtype = DType::u8) {
  Tensor x(Shape{count, height, width, channels}, DType::u8), y(Shape{count}, DType::i32);
  for (i64 i = 0; i < x.size(); ++i)
    x.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(1 + (i * 89 + i / 255) % 255);
  for (i64 i = 0; i < count; ++i) y.set({i}, static_cast<double>(i % 3));
  return {x.to(dtype), y};
}
/// The same image `count` times.
Dataset copies(i64 count, const Tensor& image) {
  return data::generator(count, [image](i64 i) {
    return Sample{image,
                  Tensor(std::vector<std::int32_t>{static_cast<std::int32_t>(i % 2)}).reshape({})};
  });
}
Tensor flat(i64 height, i64 width, double value, DType dtype = DType::f32) {
  Tensor t(Shape{height, width, 1});
  std::fill_n(t.data(), t.size(), static_cast<float>(value));
  return t.to(dtype);
}
Tensor images_of(const Dataset& data) { return data.arrays().x; }

/// `image` with its pixels taken from where `from` says: {y, x}; 0 outside.
template <class From>
Tensor moved(const Tensor& image, From from) {
  Tensor out(image.shape(), image.dtype());
  const Shape& s = image.shape();
  for (i64 y = 0; y < s[0]; ++y)
    for (i64 x = 0; x < s[1]; ++x) {
      const auto [fy, fx] = from(y, x);
      if (fy < 0 || fx < 0 || fy >= s[0] || fx >= s[1]) continue;
      for (i64 c = 0; c < s[2]; ++c) out.set({y, x, c}, image.at({fy, fx, c}));
    }
  return out;
}
using Place = std::pair<i64, i64>;

TEST(Augment, FlipsAreExactAndHappenInHalf) {
  for (const DType dtype : {DType::u8, DType::f32}) {
    const Dataset plain = pictures(1000, 5, 4, 3, dtype);
    const Tensor before = images_of(plain);
    const Tensor h = images_of(data::augment(plain, {.flip_horizontal = true})),
                 both = images_of(
                     data::augment(plain, {.flip_horizontal = true, .flip_vertical = true})),
                 v = images_of(data::augment(plain, {.flip_vertical = true}));
    i64 left = 0, top = 0, corner = 0;
    for (i64 i = 0; i < 1000; ++i) {
      const Tensor mirror = moved(before[i], [](i64 y, i64 x) { return Place(y, 3 - x); }),
                   down = moved(before[i], [](i64 y, i64 x) { return Place(4 - y, x); }),
                   turned = moved(before[i], [](i64 y, i64 x) { return Place(4 - y, 3 - x); });
      ASSERT_TRUE(h[i] == mirror || h[i] == before[i]) << i;
      ASSERT_TRUE(v[i] == down || v[i] == before[i]) << i;
      left += h[i] == mirror;
      top += v[i] == down;
      corner += both[i] == turned;
      ASSERT_EQ(h[i] == mirror, both[i] == mirror || both[i] == turned) << "the same choice";
    }
    // 500 +- 16, 250 +- 14: four deviations.
    EXPECT_NEAR(static_cast<double>(left), 500, 64);
    EXPECT_NEAR(static_cast<double>(top), 500, 64);
    EXPECT_NEAR(static_cast<double>(corner), 250, 55);
  }
}

/// Counts how often `out` is `image` moved by each {rows, columns} up to these.
std::map<Place, i64> shifts(const Tensor& image, const Tensor& out, i64 rows, i64 columns) {
  std::map<Place, i64> seen;
  for (i64 i = 0; i < out.shape()[0]; ++i) {
    i64 matches = 0;
    for (i64 dy = -rows; dy <= rows; ++dy)
      for (i64 dx = -columns; dx <= columns; ++dx)
        if (out[i] == moved(image, [&](i64 y, i64 x) { return Place(y - dy, x - dx); })) {
          ++matches;
          ++seen[{dy, dx}];
        }
    EXPECT_EQ(matches, 1) << "sample " << i;
  }
  return seen;
}

TEST(Augment, ShiftsAreExactAndUniform) {
  const Tensor image = images_of(pictures(1, 8, 10, 2))[0];
  const Tensor out = images_of(data::augment(copies(3000, image), {.shift = 0.2}));
  const auto seen = shifts(image, out, 2, 2);  // 1.6 and 2 pixels, rounded
  EXPECT_EQ(seen.size(), 25U);
  for (const auto& [place, count] : seen) EXPECT_NEAR(static_cast<double>(count), 120, 50);
}

TEST(Augment, CropsOfPaddedImagesAreExactAndUniform) {
  const Tensor image = images_of(pictures(1, 6, 7, 1))[0];
  const Tensor out = images_of(data::augment(copies(2000, image), {.crop_pad = 1}));
  const auto seen = shifts(image, out, 1, 1);
  EXPECT_EQ(seen.size(), 9U);
  for (const auto& [place, count] : seen) EXPECT_NEAR(static_cast<double>(count), 222, 60);
  // Padding of the whole size: nothing may be left of the image.
  const Tensor far = images_of(data::augment(copies(500, image), {.crop_pad = 7}));
  i64 empty = 0;
  for (i64 i = 0; i < 500; ++i) empty += far[i] == Tensor(Shape{6, 7, 1}, DType::u8);
  EXPECT_GT(empty, 20);
  EXPECT_LT(empty, 480);
}

TEST(Augment, CutoutIsASquareAtAnyPlace) {
  const i64 side = 4;
  const Tensor out = images_of(data::augment(copies(2000, flat(9, 7, 1)), {.cutout = side}));
  std::set<Place> corners;
  double mean = 0;
  for (i64 i = 0; i < 2000; ++i) {
    i64 top = 9, bottom = -1, left = 7, right = -1, zeros = 0;
    for (i64 y = 0; y < 9; ++y)
      for (i64 x = 0; x < 7; ++x)
        if (out.at({i, y, x, 0}) == 0) {
          ++zeros;
          top = std::min(top, y), bottom = std::max(bottom, y);
          left = std::min(left, x), right = std::max(right, x);
        }
    ASSERT_EQ(zeros, (bottom - top + 1) * (right - left + 1)) << "a whole rectangle";
    ASSERT_LE(bottom - top + 1, side);
    ASSERT_LE(right - left + 1, side);
    ASSERT_GE(zeros, 4) << "a pixel's square is a quarter inside at least";
    corners.insert({top, left});
    mean += static_cast<double>(zeros) / 2000;
  }
  EXPECT_EQ(corners.size(), 7U * 5);
  // Rows that a square of 4 about one of 9 rows covers: (2+3+4*6+3)/9; about 7: (2+3+4*4+3)/7.
  EXPECT_NEAR(mean, 32.0 / 9 * 24 / 7, 0.3);
}

TEST(Augment, RotationIsAboutTheMiddle) {
  // A point to the right of the middle goes to an angle of up to 90 degrees, as far from it.
  Tensor image(Shape{41, 41, 1});
  for (i64 y = 19; y <= 21; ++y)
    for (i64 x = 33; x <= 35; ++x) image.set({y, x, 0}, 1);
  const Tensor out = images_of(data::augment(copies(400, image), {.rotation = 90}));
  double low = 0, high = 0, sum = 0;
  for (i64 i = 0; i < 400; ++i) {
    double mass = 0, my = 0, mx = 0;
    for (i64 y = 0; y < 41; ++y)
      for (i64 x = 0; x < 41; ++x) {
        const double v = out.at({i, y, x, 0});
        mass += v;
        my += v * static_cast<double>(y - 20);
        mx += v * static_cast<double>(x - 20);
      }
    EXPECT_NEAR(mass, 9, 0.7);
    EXPECT_NEAR(std::hypot(my, mx) / mass, 14, 0.1);
    const double angle = std::atan2(my, mx) * 57.29577951;
    low = std::min(low, angle);
    high = std::max(high, angle);
    sum += angle / 400;
  }
  EXPECT_GE(low, -90.5);
  EXPECT_LT(low, -85);
  EXPECT_LE(high, 90.5);
  EXPECT_GT(high, 85);
  EXPECT_NEAR(sum, 0, 10.4);  // 52 / 20 is one deviation
  // What a whole turn gives is the image: bilinear weights are exact there.
  data::Frame frame{3, 3, 1, {1, 2, 3, 4, 5, 6, 7, 8, 9}, {}};
  data::warp(frame, 0, 0, SampleRandom(0, 0, 0, 0));
  EXPECT_EQ(frame.values, (std::vector<float>{1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST(Augment, ZoomChangesTheSize) {
  Tensor image(Shape{40, 40, 1});
  for (i64 y = 15; y < 25; ++y)
    for (i64 x = 15; x < 25; ++x) image.set({y, x, 0}, 1);
  const Tensor out = images_of(data::augment(copies(400, image), {.zoom = 0.5}));
  double low = 9, high = 0, sum = 0;
  for (i64 i = 0; i < 400; ++i) {
    double mass = 0;
    for (i64 k = 0; k < 1600; ++k) mass += out[i].data()[k];
    const double scale = std::sqrt(mass / 100);
    low = std::min(low, scale);
    high = std::max(high, scale);
    sum += scale / 400;
  }
  EXPECT_NEAR(low, 0.5, 0.06);
  EXPECT_NEAR(high, 1.5, 0.06);
  EXPECT_NEAR(sum, 1, 0.06);
}

TEST(Augment, NoiseIsNormal) {
  const Tensor out = images_of(data::augment(copies(100, flat(20, 20, 0.5)), {.noise = 0.1}));
  double sum = 0, squares = 0, fourth = 0;
  for (i64 i = 0; i < out.size(); ++i) {
    const double z = (out.data()[i] - 0.5) / 0.1;
    sum += z, squares += z * z, fourth += z * z * z * z;
  }
  const auto n = static_cast<double>(out.size());
  EXPECT_NEAR(sum / n, 0, 0.02);
  EXPECT_NEAR(squares / n, 1, 0.03);
  EXPECT_NEAR(fourth / n, 3, 0.25);
  // Bytes are rounded and stay within their range.
  const Tensor bytes =
      images_of(data::augment(copies(50, flat(20, 20, 250, DType::u8)), {.noise = 0.1}));
  double mean = 0;
  for (i64 i = 0; i < bytes.size(); ++i)
    mean += bytes.data<std::uint8_t>()[i] / static_cast<double>(bytes.size());
  // E[min(N(250, 25.5), 255)] = 250 - 25.5 (phi(t) - t (1 - Phi(t))), t = 5 / 25.5.
  EXPECT_NEAR(mean, 242.1, 0.5);
}

TEST(Augment, BrightnessAndContrast) {
  Tensor image(Shape{2, 2, 1});
  image.set({0, 0, 0}, 0.4), image.set({1, 1, 0}, 0.4);
  image.set({0, 1, 0}, 0.6), image.set({1, 0, 0}, 0.6);
  const Tensor bright = images_of(data::augment(copies(1000, image), {.brightness = 0.2})),
               strong = images_of(data::augment(copies(1000, image), {.contrast = 0.5}));
  double added[2] = {9, -9}, factor[2] = {9, -9}, mean_added = 0, mean_factor = 0;
  for (i64 i = 0; i < 1000; ++i) {
    const double a = bright.at({i, 0, 0, 0}) - 0.4;
    EXPECT_NEAR(bright.at({i, 0, 1, 0}) - 0.6, a, 1e-6);
    const double f = (strong.at({i, 0, 1, 0}) - strong.at({i, 0, 0, 0})) / 0.2;
    EXPECT_NEAR(strong.at({i, 0, 1, 0}) + strong.at({i, 0, 0, 0}), 1, 1e-6) << "the mean stays";
    added[0] = std::min(added[0], a), added[1] = std::max(added[1], a);
    factor[0] = std::min(factor[0], f), factor[1] = std::max(factor[1], f);
    mean_added += a / 1000, mean_factor += f / 1000;
  }
  EXPECT_NEAR(added[0], -0.2, 0.005);
  EXPECT_NEAR(added[1], 0.2, 0.005);
  EXPECT_NEAR(factor[0], 0.5, 0.01);
  EXPECT_NEAR(factor[1], 1.5, 0.01);
  EXPECT_NEAR(mean_added, 0, 0.015);
  EXPECT_NEAR(mean_factor, 1, 0.04);
}

TEST(Augment, MixupMixesInputsAndTargetsAlike) {
  // Sample i is its class everywhere: the mix can be read off.
  Tensor x(Shape{300, 2, 2, 1}), y(Shape{300}, DType::u8);
  for (i64 i = 0; i < 300; ++i) {
    y.set({i}, static_cast<double>(i % 3));
    for (i64 k = 0; k < 4; ++k) x.data()[i * 4 + k] = static_cast<float>(i % 3);
  }
  const Dataset mixed = data::augment({x, y}, {.mixup = 1, .classes = 3});
  EXPECT_EQ(mixed.y_shape(), Shape({3}));
  EXPECT_EQ(mixed.y_dtype(), DType::f32);
  const Sample all = mixed.arrays();
  i64 whole = 0;
  double own = 0;
  for (i64 i = 0; i < 300; ++i) {
    double sum = 0, value = 0;
    i64 classes = 0;
    for (i64 c = 0; c < 3; ++c) {
      const double share = all.y.at({i, c});
      sum += share;
      value += share * static_cast<double>(c);
      classes += share > 0;
    }
    EXPECT_NEAR(sum, 1, 1e-6);
    EXPECT_LE(classes, 2);
    EXPECT_NEAR(all.x.at({i, 0, 0, 0}), value, 1e-5);
    EXPECT_EQ(all.x.at({i, 0, 0, 0}), all.x.at({i, 1, 1, 0}));
    whole += classes == 1;
    if (classes == 2) own += all.y.at({i, i % 3});
  }
  EXPECT_NEAR(static_cast<double>(whole), 100, 35) << "a third has a partner of its class";
  EXPECT_NEAR(own / static_cast<double>(300 - whole), 0.5, 0.09) << "Beta(1, 1) is uniform";
  EXPECT_THROW(mixed.balanced(), DataError);
  // Floats stay as they are shaped; one-hot rows and plain numbers alike.
  const Dataset numbers = data::augment({x, Tensor(Shape{300, 1})}, {.mixup = 0.2});
  EXPECT_EQ(numbers.y_shape(), Shape({1}));
}

TEST(Augment, BetaHasItsMoments) {
  for (const double alpha : {0.001, 0.2, 1.0, 3.0}) {
    SampleRandom random(1, 2, 3, 4);
    double sum = 0, squares = 0;
    constexpr int count = 40000;
    for (int i = 0; i < count; ++i) {
      const double b = data::beta(alpha, random);
      ASSERT_TRUE(b >= 0 && b <= 1) << b;
      sum += b / count;
      squares += (b - 0.5) * (b - 0.5) / count;
    }
    EXPECT_NEAR(sum, 0.5, 0.012) << alpha;
    EXPECT_NEAR(squares, 0.25 / (2 * alpha + 1), 0.005) << alpha;
  }
}

/// Everything at once.
const AugmentOptions everything = {.flip_horizontal = true,
                                   .flip_vertical = true,
                                   .rotation = 20,
                                   .zoom = 0.1,
                                   .shift = 0.1,
                                   .crop_pad = 1,
                                   .noise = 0.05,
                                   .brightness = 0.1,
                                   .contrast = 0.1,
                                   .cutout = 2,
                                   .mixup = 0.4,
                                   .classes = 3};

std::vector<float> epoch_of(const Dataset& data, i64 epoch, i64 first = 0, i64 batch = 16) {
  Loader loader(data, batch, true, 3, DType::f32, DType::f32);
  const i64 x_size = data.x_shape().elements(), y_size = data.y_shape().elements();
  std::vector<float> x(static_cast<size_t>(batch * x_size)), all,
      y(static_cast<size_t>(batch * y_size));
  void* const memory[] = {x.data(), y.data()};
  loader.start_epoch(epoch, first);
  while (const i64 rows = loader.next(memory)) {
    all.insert(all.end(), x.begin(), x.begin() + rows * x_size);
    all.insert(all.end(), y.begin(), y.begin() + rows * y_size);
  }
  return all;
}

TEST(Augment, DependsOnSampleEpochAndSeedAlone) {
  for (const DType dtype : {DType::u8, DType::f32}) {
    const Dataset data = data::augment(pictures(100, 8, 9, 2, dtype), everything);
    const auto one = epoch_of(data.prefetch(false), 2);
    for (const int threads : {1, 2, 5}) EXPECT_EQ(epoch_of(data.prefetch(threads), 2), one);
    const auto rest = epoch_of(data.prefetch(3), 2, 4);
    EXPECT_EQ(rest.size(), one.size() * 36 / 100);
    EXPECT_TRUE(std::equal(rest.begin(), rest.end(), one.end() - static_cast<i64>(rest.size())));
    EXPECT_NE(epoch_of(data, 3), one);
    EXPECT_NE(epoch_of(data.shuffle(4), 2), one);
  }
}

TEST(Augment, NothingAskedForChangesNothing) {
  for (const DType dtype : {DType::u8, DType::f32}) {
    const Dataset plain = pictures(300, 4, 5, 3, dtype);
    EXPECT_EQ(images_of(data::augment(plain, {})), images_of(plain));
    EXPECT_EQ(data::augment(plain, {}).y_dtype(), DType::i32);
  }
}

TEST(Augment, Misuse) {
  const Dataset good = pictures(4, 5, 6);
  for (const AugmentOptions& bad : std::vector<AugmentOptions>{{.rotation = -1},
                                                               {.rotation = 181},
                                                               {.zoom = 1},
                                                               {.shift = 1.1},
                                                               {.crop_pad = -1},
                                                               {.crop_pad = 7},
                                                               {.noise = -0.1},
                                                               {.noise = std::nan("")},
                                                               {.brightness = 2},
                                                               {.contrast = 1.5},
                                                               {.cutout = -2},
                                                               {.mixup = -1},
                                                               {.mixup = 0.2},
                                                               {.mixup = 0.2, .classes = 1}})
    EXPECT_THROW(data::augment(good, bad), DataError);
  expect_contains(message_of<DataError>([&] { data::augment(good, {.zoom = 2}); }),
                  {"data::augment (augment_test.cpp:", "zoom is 2", "0 to 0.9", "hint"});
  expect_contains(
      message_of<DataError>([&] { data::augment(good, {.mixup = 0.2, .classes = 2}).arrays(); }),
      {"label of sample 2 is 2", "0 to 1", "hint"});
  EXPECT_THROW(data::augment({Tensor(Shape{4, 5, 6}), Tensor(Shape{4})}, {}), DataError);
  EXPECT_THROW(data::augment({Tensor(Shape{4, 5, 6, 1}, DType::i32), Tensor(Shape{4})}, {}),
               DataError);
  EXPECT_THROW(data::augment({Tensor(Shape{4, 5, 6, 1}), Tensor(Shape{4, 2}, DType::i32)},
                             {.mixup = 1, .classes = 2}),
               DataError);
  EXPECT_THROW(data::augment(Dataset(), {}), DataError);
}

}  // namespace
}  // namespace goneuron
