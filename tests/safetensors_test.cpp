// Safetensors files: bytes made here by hand, and every way in which they can be wrong.
#include "io/safetensors.h"

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "goneuron/error.h"

namespace goneuron {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

// An independent writer: length, header as given, data as given.
Bytes file_of(const std::string& header, const Bytes& data) {
  Bytes out;
  for (int i = 0; i < 8; ++i) out.push_back(static_cast<std::uint8_t>(header.size() >> (8 * i)));
  out.insert(out.end(), header.begin(), header.end());
  out.insert(out.end(), data.begin(), data.end());
  return out;
}

Bytes data_of(size_t count) {
  Bytes out(count);
  for (size_t i = 0; i < count; ++i) out[i] = static_cast<std::uint8_t>(i + 1);
  return out;
}

SafetensorsFile parse(const Bytes& bytes) { return parse_safetensors(bytes.data(), bytes.size(), "test.safetensors"); }

// The text of the FormatError that `bytes` give; empty when they are taken.
std::string error_of(const Bytes& bytes) {
  try {
    parse(bytes);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}
std::string error_of(const std::string& header, size_t data) { return error_of(file_of(header, data_of(data))); }

std::string entry(const std::string& name, const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return "\"" + name + "\":{\"dtype\":\"" + dtype + "\",\"shape\":" + shape + ",\"data_offsets\":" + offsets + "}";
}

Bytes small_file() {
  return file_of("{\"__metadata__\":{\"format\":\"pt\",\"a\\\"b\":\"\\u00e9\\n\"}," + entry("w", "F32", "[2,1]", "[0,8]") + "," +
                     entry("b", "U8", "[3]", "[8,11]") + "}     ",
                 data_of(11));
}

void expect_error(const std::string& error, const std::string& part) {
  EXPECT_NE(error.find(part), std::string::npos) << "expected \"" << part << "\" in: " << error;
  EXPECT_EQ(error.rfind("FormatError: test.safetensors: byte ", 0), 0U) << error;
  EXPECT_NE(error.find("hint"), std::string::npos) << error;
}

class Folder : public ::testing::Test {
 protected:
  void SetUp() override {
    path = fs::temp_directory_path() / ("goneuron_safetensors_" + std::to_string(getpid()));
    fs::create_directory(path);
  }
  void TearDown() override { fs::remove_all(path); }
  std::string file(const char* name) const { return (path / name).string(); }
  size_t count() const { return static_cast<size_t>(std::distance(fs::directory_iterator(path), fs::directory_iterator())); }
  fs::path path;
};

Bytes read_bytes(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

TEST(Safetensors, ReadsBytesMadeByHand) {
  const Bytes bytes = small_file();
  const SafetensorsFile file = parse(bytes);
  ASSERT_EQ(file.tensors.size(), 2U);
  const FileTensor& w = *file.find("w");
  EXPECT_STREQ(w.dtype, "F32");
  EXPECT_EQ(w.tensor.shape(), (Shape{2, 1}));
  const std::uint32_t word = 0x08070605;  // the data's bytes 4 to 7
  float expected = 0;
  std::memcpy(&expected, &word, 4);
  EXPECT_EQ(w.tensor.data()[1], expected);
  EXPECT_EQ(file.tensor("b").data<std::uint8_t>()[2], 11);
  EXPECT_EQ(file.find_metadata("format")->value, "pt");
  EXPECT_EQ(file.find_metadata("a\"b")->value, "\xc3\xa9\n");
  EXPECT_EQ(file.find("x"), nullptr);
  EXPECT_THROW(file.tensor("x"), FormatError);
}

TEST(Safetensors, TakesEmptyFilesScalarsAndUnusedDtypes) {
  EXPECT_EQ(parse(file_of("{}", {})).tensors.size(), 0U);
  const Bytes bytes = file_of("{" + entry("s", "F64", "[]", "[0,8]") + "," + entry("i", "I64", "[1]", "[8,16]") + "," +
                                  entry("e", "F32", "[0,4]", "[16,16]") + "}",
                              data_of(16));
  const SafetensorsFile file = parse(bytes);
  EXPECT_EQ(file.tensor("s").size(), 1);
  EXPECT_EQ(file.tensor("e").shape(), (Shape{0, 4}));
  EXPECT_FALSE(file.find("i")->readable);
  EXPECT_THROW(file.tensor("i"), FormatError);
}

TEST(Safetensors, CopiesWhatIsNotAligned) {
  const Bytes bytes = file_of("{" + entry("a", "U8", "[1]", "[0,1]") + "," + entry("b", "F32", "[1]", "[1,5]") + "}", data_of(5));
  float expected = 0;
  std::memcpy(&expected, data_of(5).data() + 1, 4);
  EXPECT_EQ(parse(bytes).tensor("b").item(), expected);
}

TEST(Safetensors, RefusesTruncationAtEveryByte) {
  const Bytes whole = small_file();
  ASSERT_EQ(error_of(whole), "");
  for (size_t size = 0; size < whole.size(); ++size) {
    const Bytes part(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    expect_error(error_of(part), "byte ");
  }
  Bytes longer = whole;
  longer.push_back(0);
  expect_error(error_of(longer), "1 more bytes follow");
}

TEST(Safetensors, RefusesEveryChangeOfTheHeaderLength) {
  for (size_t i = 0; i < 8; ++i)
    for (int value = 0; value < 256; ++value) {
      Bytes bytes = small_file();
      if (bytes[i] == value) continue;
      bytes[i] = static_cast<std::uint8_t>(value);
      EXPECT_NE(error_of(bytes), "") << "byte " << i << " = " << value;
    }
}

TEST(Safetensors, SurvivesEveryChangedByte) {
  const Bytes whole = small_file();
  size_t refused = 0;
  for (size_t i = 0; i < whole.size(); ++i)
    for (const int value : {0, 0x22, 0x5b, 0x7b, 0x7d, 0x2c, 0x39, 0x80, 0xff}) {
      Bytes bytes = whole;
      bytes[i] = static_cast<std::uint8_t>(value);
      refused += error_of(bytes).empty() ? 0 : 1;
    }
  EXPECT_GT(refused, whole.size() * 5);
}

TEST(Safetensors, ChecksOffsetsAgainstShapes) {
  const auto two = [](const std::string& first, const std::string& second) {
    return "{" + entry("a", "F32", "[2]", first) + "," + entry("b", "F32", "[2]", second) + "}";
  };
  EXPECT_EQ(error_of(two("[8,16]", "[0,8]"), 16), "");
  expect_error(error_of(two("[0,8]", "[4,12]"), 12), "overlaps the tensor before it, that ends at 8");
  expect_error(error_of(two("[0,8]", "[0,8]"), 8), "overlaps");
  expect_error(error_of(two("[0,8]", "[12,20]"), 20), "leaves a hole after 8");
  expect_error(error_of(two("[0,8]", "[8,12]"), 12), "4 bytes; its shape [2] of F32 needs 8");
  expect_error(error_of(two("[0,8]", "[16,8]"), 16), "ends before it begins");
  expect_error(error_of(two("[0,8]", "[8,16]"), 12), "which has only 12 bytes");
  expect_error(error_of(two("[0,8]", "[-8,0]"), 16), "an offset is -8, expected 0 to");
  expect_error(error_of(two("[0,8]", "[8]"), 16), "too few data_offsets");
  expect_error(error_of(two("[0,8]", "[8,16,24]"), 16), "expected ']'");
  expect_error(error_of(two("[0,8]", "[8,9223372036854775808]"), 16), "does not fit in 64 bits");
}

TEST(Safetensors, ChecksShapesAndDtypes) {
  const auto one = [](const char* dtype, const char* shape) { return "{" + entry("a", dtype, shape, "[0,4]") + "}"; };
  expect_error(error_of(one("F32", "[4294967296,4294967296,4]"), 4), "does not fit in 64 bits");
  expect_error(error_of(one("F32", "[9223372036854775807,2]"), 4), "does not fit in 64 bits");
  expect_error(error_of(one("F32", "[0,9223372036854775807,2]"), 4), "does not fit in 64 bits");
  expect_error(error_of(one("F32", "[1,1,1,1,1,1,1,1,1]"), 4), "more than 8 dimensions");
  expect_error(error_of(one("F32", "[-1]"), 4), "a dimension is -1");
  expect_error(error_of(one("F32", "[1.0]"), 4), "a fraction");
  expect_error(error_of(one("F31", "[1]"), 4), "has the dtype \"F31\", expected one of F32, F64");
}

TEST(Safetensors, ChecksTheJson) {
  const std::string a = entry("a", "F32", "[1]", "[0,4]");
  expect_error(error_of("{" + a + "," + a + "}", 4), "overlaps");
  const std::string e = entry("a", "F32", "[0]", "[0,0]");
  expect_error(error_of("{" + e + "," + e + "}", 0), "the tensor \"a\" comes twice, first at byte 9");
  expect_error(error_of("{\"__metadata__\":{\"k\":\"1\",\"k\":\"2\"}}", 0), "the metadata key \"k\" comes twice");
  expect_error(error_of("{\"__metadata__\":{},\"__metadata__\":{}}", 0), "comes twice");
  expect_error(error_of("{\"__metadata__\":{\"k\":1}}", 0), "found '1', expected a string");
  expect_error(error_of("{\"a\":{\"dtype\":\"F32\",\"shape\":[1]}}", 4), "has no data_offsets");
  expect_error(error_of("{\"a\":{\"dtype\":\"F32\",\"dtype\":\"F32\"}}", 4), "\"dtype\" twice");
  expect_error(error_of("{\"a\":{\"colour\":1}}", 4), "has a field \"colour\"");
  expect_error(error_of("{" + a + "} x", 4), "found 'x' after the end");
  expect_error(error_of("{\"\xff\":1}", 0), "not UTF-8");
  expect_error(error_of("{\"\\ud800\":1}", 0), "surrogate");
  expect_error(error_of("[]", 0), "does not start with '{'");
  expect_error(error_of("", 0), "does not start with '{'");
}

TEST(Safetensors, DeepJsonNeitherOverflowsTheStackNorTheMemory) {
  for (const char* open : {"[", "{\"a\":"}) {
    std::string deep = "{\"a\":{\"shape\":";
    while (deep.size() < 1'000'000) deep += open;
    EXPECT_NE(error_of(deep, 0), "") << open;
  }
}

TEST(Safetensors, ManyEmptyTensorsAreRefusedBeforeTheyAreKept) {
  std::string header = "{";
  for (int i = 0; i < 20'000; ++i) header += (i ? "," : "") + entry(std::to_string(i), "U8", "[0]", "[0,0]");
  expect_error(error_of(header + "}", 0), "over the limit of twice the file's size + 1 MB");
}

TEST_F(Folder, WritesWhatItReadsBack) {
  Tensor half(Shape{3}, DType::f16), byte(Shape{5}, DType::u8);
  byte.set({4}, 200);
  const Tensor w(std::vector<float>{1, -2.5F, 3e-40F, 4}, {2, 2});
  const std::vector<NamedTensor> tensors{{"byte", byte}, {"half", half}, {"w \"quoted\" \xc3\xa9", w}, {"empty", Tensor(Shape{0, 2})}};
  write_safetensors(file("a"), tensors, {{"key", "line\nbreak"}});
  write_safetensors(file("b"), tensors, {{"key", "line\nbreak"}});
  EXPECT_EQ(read_bytes(file("a")), read_bytes(file("b")));
  EXPECT_EQ(count(), 2U) << "temporary files were left behind";
  EXPECT_EQ(read_bytes(file("a"))[0] % 8, 0);
  const SafetensorsFile back = read_safetensors(file("a"));
  EXPECT_EQ(back.find_metadata("key")->value, "line\nbreak");
  for (const NamedTensor& item : tensors) {
    const Tensor& found = back.tensor(item.name);
    EXPECT_EQ(found.shape(), item.tensor.shape());
    EXPECT_EQ(found.dtype(), item.tensor.dtype());
    const auto bytes = static_cast<size_t>(item.tensor.bytes());
    EXPECT_TRUE(bytes == 0 || std::memcmp(found.raw(), item.tensor.raw(), bytes) == 0) << item.name;
  }
}

TEST_F(Folder, TensorsOutliveTheFileAndDoNotChangeIt) {
  write_safetensors(file("a"), {{"w", Tensor(std::vector<float>{1, 2})}});
  const Bytes before = read_bytes(file("a"));
  Tensor w = read_safetensors(file("a")).tensor("w");
  w.set({0}, 7);
  EXPECT_EQ(read_bytes(file("a")), before);
  write_safetensors(file("a"), {{"w", Tensor(std::vector<float>{9, 9, 9})}});
  EXPECT_EQ(w, Tensor(std::vector<float>{7, 2}));
}

TEST_F(Folder, RefusesTwoTensorsOfOneName) {
  EXPECT_THROW(write_safetensors(file("a"), {{"w", Tensor(Shape{1})}, {"w", Tensor(Shape{1})}}), FormatError);
  EXPECT_EQ(count(), 0U);
}

std::string write_error(const std::string& path) {
  try {
    write_safetensors(path, {{"w", Tensor(Shape{100'000})}});
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

TEST_F(Folder, FailingWritesSayWhy) {
  const auto has = [](const std::string& error, const char* part) {
    EXPECT_NE(error.find(part), std::string::npos) << "expected \"" << part << "\" in: " << error;
  };
  has(write_error(file("missing/a")), "No such file or directory");
  has(write_error(path.string()), "it is a folder");
  has(write_error("/dev/full"), "a device or a pipe");
  EXPECT_TRUE(fs::is_character_file("/dev/full"));
  if (geteuid() != 0) {
    fs::permissions(path, fs::perms::owner_read | fs::perms::owner_exec);
    has(write_error(file("a")), "Permission denied");
    fs::permissions(path, fs::perms::owner_all);
  }
  EXPECT_EQ(count(), 0U);
}

TEST_F(Folder, AFullDiskLeavesTheOldFile) {
  write_safetensors(file("a"), {{"w", Tensor(Shape{4})}});
  const Bytes before = read_bytes(file("a"));
  rlimit old{};
  getrlimit(RLIMIT_FSIZE, &old);
  auto* const handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit low{10'000, old.rlim_max};
  setrlimit(RLIMIT_FSIZE, &low);
  const std::string error = write_error(file("a"));
  setrlimit(RLIMIT_FSIZE, &old);
  std::signal(SIGXFSZ, handler);
  EXPECT_NE(error.find("writing failed: File too large"), std::string::npos) << error;
  EXPECT_EQ(read_bytes(file("a")), before);
  EXPECT_EQ(count(), 1U);
}

TEST_F(Folder, ReadingSaysWhatIsThere) {
  EXPECT_THROW(read_safetensors(file("none")), FormatError);
  EXPECT_THROW(read_safetensors(path.string()), FormatError);
  EXPECT_THROW(read_safetensors("/dev/zero"), FormatError);
  std::ofstream(file("short")) << "abc";
  try {
    read_safetensors(file("short"));
    FAIL();
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find("byte 3: the file ends here"), std::string::npos) << error.what();
  }
}

}  // namespace
}  // namespace goneuron
