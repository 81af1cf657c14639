// The HTML report: what a reader of the page sees, and that its pictures are PNG files.
#include <gtest/gtest.h>
#include <zlib.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "goneuron/error.h"
#include "io/html_report.h"
#include "io/png.h"
#include "io/svg_chart.h"

namespace goneuron {
namespace {

std::uint32_t u32_at(const std::string& bytes, size_t at) {
  std::uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
  return value;
}

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

Report two_epochs() {
  Report report;
  report.title = "A <b> & \"c\"";
  for (int e = 0; e < 2; ++e)
    report.history.epochs.push_back({{"loss", "accuracy", "val_loss"}, {1.0 / (e + 1), 0.5, 2.0}});
  Tensor pixels(Shape{2, 2, 1}, DType::u8);
  report.images = {{pixels, "Bag", "Bag", 0.9}, {pixels, "Coat", "Shirt", 0.4}};
  return report;
}

TEST(Png, ChunksHoldThePixels) {
  const std::uint8_t pixels[] = {1, 2, 3, 4, 5, 6};  // [2, 3, 1]
  const std::string png = encode_png(pixels, 2, 3, 1);
  ASSERT_EQ(png.substr(0, 8), "\x89PNG\r\n\x1a\n");
  std::string data;
  for (size_t at = 8; at < png.size();) {
    const std::uint32_t size = u32_at(png, at);
    const auto* type = reinterpret_cast<const Bytef*>(png.data() + at + 4);
    EXPECT_EQ(crc32(0, type, size + 4), u32_at(png, at + 8 + size));
    if (png.substr(at + 4, 4) == "IHDR") {
      EXPECT_EQ(u32_at(png, at + 8), 3U);
      EXPECT_EQ(u32_at(png, at + 12), 2U);
    }
    if (png.substr(at + 4, 4) == "IDAT") data = png.substr(at + 8, size);
    at += 12 + size;
  }
  Bytef raw[8];
  uLongf raw_size = sizeof raw;
  ASSERT_EQ(uncompress(raw, &raw_size, reinterpret_cast<const Bytef*>(data.data()), data.size()),
            Z_OK);
  const std::string expected{0, 1, 2, 3, 0, 4, 5, 6};
  EXPECT_EQ(std::string(raw, raw + raw_size), expected);
}

TEST(Png, RefusesTwoChannels) {
  const std::uint8_t pixels[8] = {};
  EXPECT_THROW(encode_png(pixels, 2, 2, 2), ShapeError);
}

TEST(Base64, Rfc4648Vectors) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foo"), "Zm9v");
  EXPECT_EQ(base64("foob"), "Zm9vYg==");
  EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(LineChart, LeavesGapsAndNothingForNothing) {
  EXPECT_EQ(line_chart("Loss", {}), "");
  EXPECT_EQ(line_chart("Loss", {{"training", {std::nan("")}}}), "");
  const std::string chart = line_chart("Loss", {{"training", {1, std::nan(""), 3}}});
  EXPECT_EQ(count(chart, "<circle"), 2U);
  EXPECT_EQ(chart.find("nan"), std::string::npos);
}

TEST(Report, ShowsCurvesAndMarksWrongPredictions) {
  const std::string page = report_html(two_epochs());
  EXPECT_EQ(count(page, "<svg"), 2U);               // loss, accuracy
  EXPECT_EQ(count(page, "<circle"), 2U + 2U + 2U);  // loss, val_loss, accuracy
  EXPECT_EQ(count(page, "class=\"wrong\""), 1U);
  EXPECT_NE(page.find("is: Shirt"), std::string::npos);
  EXPECT_NE(page.find("A &lt;b&gt; &amp; &quot;c&quot;"), std::string::npos);
}

TEST(Report, IsOneFileThatLoadsNothing) {
  const std::string page = report_html(two_epochs());
  EXPECT_EQ(count(page, "src=\""), 2U);
  EXPECT_EQ(count(page, "src=\"data:image/png;base64,"), 2U);
  for (const char* outside : {"http:", "https:", "<link", "<script", "@import", "url("})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
}

TEST(Report, WritesAtomicallyAndNamesWhatItCannotWrite) {
  const auto folder = std::filesystem::temp_directory_path() / "goneuron_report_test";
  std::filesystem::create_directories(folder);
  const auto path = folder / "report.html";
  write_report(path, two_epochs());
  std::stringstream text;
  text << std::ifstream(path).rdbuf();
  EXPECT_EQ(text.str(), report_html(two_epochs()));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1);
  std::filesystem::remove_all(folder);
  try {
    write_report(path, two_epochs());
    FAIL() << "the folder is gone";
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find(path.string()), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace goneuron
