// Memory of image decoding: at most twice the pixels and 1 MiB for every kind of PNG and JPEG; and
// coefficients in a temporary file give the pixels that those in memory do.
#include <fcntl.h>
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>
#include <png.h>
#include <signal.h>
#include <sys/resource.h>

#include <array>
#include <cstdio>
#include <cstdlib>
#include <random>

#include "allocation_peak.h"
#include "data/image.h"
#include "error_text.h"
// It needs what stands before it.
#include <jpeglib.h>

namespace goneuron {
namespace {

struct JpegKind {
  int channels = 3;
  std::array<std::array<int, 2>, 3> sampling = {{{1, 1}, {1, 1}, {1, 1}}};  // across, down
  enum { baseline, progressive, scan_each, only_dc } scans = progressive;
};

/// Waves, and noise that compresses badly.
std::vector<std::uint8_t> picture(i64 height, i64 width, i64 channels) {
  std::mt19937 random(7);
  std::vector<std::uint8_t> out(static_cast<size_t>(height * width * channels));
  for (size_t i = 0; i < out.size(); ++i) {
    const auto at = static_cast<i64>(i);
    const i64 x = at / channels % width, y = at / channels / width, c = at % channels;
    out[i] = static_cast<std::uint8_t>((x * (c + 1) / 3 + y * 2 / 3) % 200 + random() % 32);
  }
  return out;
}

std::string jpeg_of(i64 height, i64 width, const JpegKind& kind) {
  auto pixels = picture(height, width, kind.channels);
  jpeg_compress_struct jpeg = {};
  jpeg_error_mgr errors = {};
  jpeg.err = jpeg_std_error(&errors);
  jpeg_create_compress(&jpeg);
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  jpeg_mem_dest(&jpeg, &bytes, &size);
  jpeg.image_width = static_cast<JDIMENSION>(width);
  jpeg.image_height = static_cast<JDIMENSION>(height);
  jpeg.input_components = kind.channels;
  jpeg.in_color_space = kind.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&jpeg);
  for (int c = 0; c < kind.channels; ++c) {
    jpeg.comp_info[c].h_samp_factor = kind.sampling[static_cast<size_t>(c)][0];
    jpeg.comp_info[c].v_samp_factor = kind.sampling[static_cast<size_t>(c)][1];
  }
  std::vector<jpeg_scan_info> scans;
  if (kind.scans == JpegKind::progressive) jpeg_simple_progression(&jpeg);
  if (kind.scans == JpegKind::scan_each)
    for (int c = 0; c < kind.channels; ++c) scans.push_back({1, {c}, 0, 63, 0, 0});
  if (kind.scans == JpegKind::only_dc)  // what is missing is smoothed by the decoder
    scans.push_back({kind.channels, {0, 1, 2}, 0, 0, 0, 0});
  if (!scans.empty()) {
    jpeg.scan_info = scans.data();
    jpeg.num_scans = static_cast<int>(scans.size());
  }
  jpeg_start_compress(&jpeg, TRUE);
  while (jpeg.next_scanline < jpeg.image_height) {
    JSAMPROW row = pixels.data() + jpeg.next_scanline * static_cast<size_t>(width * kind.channels);
    jpeg_write_scanlines(&jpeg, &row, 1);
  }
  jpeg_finish_compress(&jpeg);
  jpeg_destroy_compress(&jpeg);
  std::string out(reinterpret_cast<const char*>(bytes), size);
  std::free(bytes);
  return out;
}

struct PngKind {
  int type = PNG_COLOR_TYPE_RGB, depth = 8;
  bool interlaced = false, transparent = false;
};

std::string png_of(i64 height, i64 width, const PngKind& kind) {
  png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, nullptr, nullptr, nullptr);
  png_infop info = png_create_info_struct(png);
  std::string out;
  png_set_write_fn(
      png, &out,
      [](png_structp to, png_bytep bytes, size_t size) {
        static_cast<std::string*>(png_get_io_ptr(to))
            ->append(reinterpret_cast<const char*>(bytes), size);
      },
      nullptr);
  png_set_compression_level(png, 1);
  png_set_IHDR(png, info, static_cast<png_uint_32>(width), static_cast<png_uint_32>(height),
               kind.depth, kind.type, kind.interlaced ? PNG_INTERLACE_ADAM7 : PNG_INTERLACE_NONE,
               PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
  if (kind.type == PNG_COLOR_TYPE_PALETTE) {
    const std::vector<png_color> palette(size_t{1} << kind.depth, png_color{1, 2, 3});
    png_set_PLTE(png, info, palette.data(), static_cast<int>(palette.size()));
  }
  const png_byte alpha = 9;
  png_color_16 colour = {};
  if (kind.transparent) png_set_tRNS(png, info, &alpha, 1, &colour);
  png_write_info(png, info);
  const size_t row = png_get_rowbytes(png, info);
  auto bytes = picture(height, static_cast<i64>(row), 1);
  std::vector<png_bytep> rows;
  for (i64 y = 0; y < height; ++y) rows.push_back(bytes.data() + static_cast<size_t>(y) * row);
  png_write_image(png, rows.data());
  png_write_end(png, nullptr);
  png_destroy_write_struct(&png, &info);
  return out;
}

const auto* bytes_of_file(const std::string& file) {
  return reinterpret_cast<const std::uint8_t*>(file.data());
}
data::Pixels decoded(const std::string& file) {
  return data::decode_image(bytes_of_file(file), file.size(), {"data::image", "x"});
}
data::Pixels decoded_within(const std::string& jpeg, size_t memory) {
  data::ImageInput input(bytes_of_file(jpeg), jpeg.size());
  return data::decode_jpeg(input, {"data::image", "x"}, memory);
}

/// TMPDIR for as long as it lives.
class TemporaryFolderIs {
 public:
  explicit TemporaryFolderIs(const char* path) {
    if (const char* now = std::getenv("TMPDIR")) before_ = now;
    setenv("TMPDIR", path, 1);
  }
  ~TemporaryFolderIs() {
    before_.empty() ? unsetenv("TMPDIR") : setenv("TMPDIR", before_.c_str(), 1);
  }

 private:
  std::string before_;
};

constexpr long long mebibyte = 1 << 20;

void expect_bound(const std::string& file, const std::string& what) {
  const AllocationPeak peak;
  const data::Pixels image = decoded(file);
  const auto pixels = static_cast<long long>(image.values.size());
  EXPECT_GE(peak.bytes(), pixels) << "what counts does not";
  EXPECT_LE(peak.bytes(), 2 * pixels + mebibyte) << what << ": " << pixels << " bytes of pixels";
}

const std::array<std::array<std::array<int, 2>, 3>, 7> samplings = {{
    {{{1, 1}, {1, 1}, {1, 1}}},
    {{{2, 1}, {1, 1}, {1, 1}}},
    {{{2, 2}, {1, 1}, {1, 1}}},
    {{{1, 2}, {1, 1}, {1, 1}}},
    {{{4, 1}, {1, 1}, {1, 1}}},
    {{{2, 2}, {2, 1}, {1, 2}}},
    {{{1, 1}, {2, 2}, {2, 2}}},
}};

TEST(ImageMemory, CoefficientsInAFileGiveTheSamePixels) {
  std::vector<JpegKind> kinds;
  for (const auto scans : {JpegKind::progressive, JpegKind::scan_each, JpegKind::only_dc}) {
    for (const auto& sampling : samplings) kinds.push_back({3, sampling, scans});
    kinds.push_back({1, {{{1, 1}}}, scans});
    kinds.push_back({1, {{{2, 2}}}, scans});
  }
  for (const JpegKind& kind : kinds)
    for (const auto& [height, width] :
         {std::pair<i64, i64>{1, 1}, {17, 33}, {331, 47}, {400, 640}}) {
      const std::string file = jpeg_of(height, width, kind);
      const data::Pixels whole = decoded_within(file, size_t{1} << 30);
      // From nothing on, as little as the rows need.
      int sizes = 0;
      for (size_t memory = 1 << 12; memory < 1 << 24; memory += memory / 8) {
        data::Pixels parts;
        try {
          parts = decoded_within(file, memory);
        } catch (const FormatError& error) {
          expect_contains(error.what(), {"wide and has few rows", "hint"});
          ASSERT_EQ(sizes, 0) << "more memory is enough where less is";
          continue;
        }
        ASSERT_TRUE(parts.values == whole.values)
            << height << " x " << width << ", " << memory << " bytes, scans " << kind.scans
            << ", sampled " << kind.sampling[0][0] << " x " << kind.sampling[0][1]
            << ", differs at "
            << std::mismatch(parts.values.begin(), parts.values.end(), whole.values.begin()).first -
                   parts.values.begin();
        if (++sizes == 12) break;
      }
      ASSERT_GT(sizes, 0);
    }
}

TEST(ImageMemory, JpegsTakeTwiceTheirPixels) {
  for (const auto scans : {JpegKind::baseline, JpegKind::progressive, JpegKind::scan_each}) {
    for (const auto& sampling : samplings)
      for (const auto& [height, width] : {std::pair<i64, i64>{901, 1203}, {64, 3001}, {5000, 9}})
        expect_bound(jpeg_of(height, width, {3, sampling, scans}), "JPEG in colours");
    expect_bound(jpeg_of(1203, 2001, {1, {{{1, 1}}}, scans}), "gray JPEG");
  }
}

TEST(ImageMemory, PngsTakeTwiceTheirPixels) {
  for (const bool interlaced : {false, true}) {
    for (const int type : {PNG_COLOR_TYPE_GRAY, PNG_COLOR_TYPE_GRAY_ALPHA, PNG_COLOR_TYPE_RGB,
                           PNG_COLOR_TYPE_RGB_ALPHA})
      for (const int depth : {8, 16})
        for (const auto& [height, width] : {std::pair<i64, i64>{901, 1203}, {3, 30'000}})
          expect_bound(png_of(height, width, {type, depth, interlaced}), "PNG");
    for (const int depth : {1, 2, 4})
      expect_bound(png_of(901, 1203, {PNG_COLOR_TYPE_GRAY, depth, interlaced}), "PNG of few bits");
    for (const int depth : {1, 2, 4, 8})
      for (const bool transparent : {false, true})
        expect_bound(png_of(901, 1203, {PNG_COLOR_TYPE_PALETTE, depth, interlaced, transparent}),
                     "PNG with a palette");
  }
}

/// Where the rows that a decoder needs at once are more than that, it says so before it takes them.
TEST(ImageMemory, WideAndFlatOnesAreRefused) {
  const auto refused = [](const std::string& file) {
    const AllocationPeak peak;
    expect_contains(message_of<FormatError>([&] { decoded(file); }),
                    {"data::image", "wide and has few rows", "file   x", "hint"});
    return peak.bytes();
  };
  EXPECT_LE(refused(jpeg_of(1, 60'000, {3, samplings[2], JpegKind::baseline})),
            2 * 180'000 + mebibyte);
  EXPECT_LE(refused(jpeg_of(9, 60'000, {3, samplings[0], JpegKind::progressive})),
            2 * 9 * 180'000 + mebibyte);
  EXPECT_LE(refused(png_of(1, 900'000, {PNG_COLOR_TYPE_RGB_ALPHA, 16})), 2 * 3'600'000 + mebibyte);
  expect_bound(jpeg_of(100, 60'000, {3, samplings[0], JpegKind::progressive}), "a panorama");
}

TEST(ImageMemory, TheTemporaryFile) {
  const JpegKind kind{1, {{{1, 1}}}, JpegKind::progressive};
  const std::string file = jpeg_of(1400, 1000, kind);
  {
    const TemporaryFolderIs nowhere("/nowhere");
    expect_contains(message_of<FormatError>([&] { decoded(file); }),
                    {"data::image", "of several scans needs a temporary file of",
                     "it cannot be made", "No such file", "file   x", "TMPDIR"});
    // What has room needs none.
    EXPECT_EQ(decoded(jpeg_of(900, 900, kind)).height, 900);
    EXPECT_EQ(decoded(jpeg_of(1203, 2001, {3, samplings[2], JpegKind::progressive})).height, 1203);
  }
  rlimit before = {};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = signal(SIGXFSZ, SIG_IGN);
  const rlimit small = {1 << 16, before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const std::string found = message_of<FormatError>([&] { decoded(file); });
  setrlimit(RLIMIT_FSIZE, &before);
  signal(SIGXFSZ, handler);
  expect_contains(found, {"needs a temporary file of", "File too large", "TMPDIR"});
  // Descriptors are given back, of what fails too.
  const int next = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(next);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(decoded(file).width, 1000);
  EXPECT_THROW(decoded(file.substr(0, file.size() / 2)), FormatError);
  const int later = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  ::close(later);
  EXPECT_EQ(next, later);
}

}  // namespace
}  // namespace goneuron
