// IDX files: every type and rank, plain and gzip; and every way in which one can be damaged.
#include "data/idx.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <bit>
#include <filesystem>
#include <fstream>

#include "goneuron/dataset.h"
#include "goneuron/error.h"

namespace goneuron {
namespace {

namespace fs = std::filesystem;
using Bytes = std::vector<std::uint8_t>;

void append(Bytes& bytes, std::uint64_t value, int count) {
  for (int b = count - 1; b >= 0; --b) bytes.push_back(static_cast<std::uint8_t>(value >> 8 * b));
}

Bytes header(std::uint8_t type, const std::vector<std::uint32_t>& dims) {
  Bytes bytes = {0, 0, type, static_cast<std::uint8_t>(dims.size())};
  for (const auto dim : dims) append(bytes, dim, 4);
  return bytes;
}

Bytes gzip(const Bytes& bytes) {
  z_stream stream = {};
  EXPECT_EQ(deflateInit2(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY), Z_OK);
  Bytes packed(deflateBound(&stream, bytes.size()) + 64);
  stream.next_in = const_cast<std::uint8_t*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = packed.data();
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

Tensor decode(const Bytes& bytes) { return data::decode_idx(bytes.data(), bytes.size(), "some"); }

/// The FormatError that `bytes` must give.
std::string error_of(const Bytes& bytes) {
  try {
    decode(bytes);
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

/// The number on the error's line `byte`; -1 when there is none.
i64 byte_of(const std::string& message) {
  const auto at = message.find("\n  byte   ");
  return at == std::string::npos ? -1 : std::stoll(message.substr(at + 10));
}

/// A folder of files that goes away with the test.
class Folder {
 public:
  Folder() : path_(fs::temp_directory_path() / ("idx_test_" + std::to_string(getpid()))) {
    fs::create_directories(path_);
  }
  ~Folder() { fs::remove_all(path_); }
  std::string write(const std::string& name, const Bytes& bytes) const {
    std::ofstream(path_ / name, std::ios::binary)
        .write(reinterpret_cast<const char*>(bytes.data()),
               static_cast<std::streamsize>(bytes.size()));
    return path_ / name;
  }
  std::string path(const std::string& name) const { return path_ / name; }

 private:
  fs::path path_;
};

struct Case {
  std::uint8_t code;
  DType dtype;
  std::vector<std::uint64_t> words;  // as stored
  std::vector<double> values;
};

std::vector<Case> cases() {
  const auto f32 = [](float v) { return std::uint64_t{std::bit_cast<std::uint32_t>(v)}; };
  const auto f64 = [](double v) { return std::bit_cast<std::uint64_t>(v); };
  return {{0x08, DType::u8, {0, 1, 127, 128, 255, 2}, {0, 1, 127, 128, 255, 2}},
          {0x09, DType::i8, {0, 1, 127, 128, 255, 2}, {0, 1, 127, -128, -1, 2}},
          {0x0B,
           DType::i16,
           {0x0102, 0x7FFF, 0x8000, 0xFFFF, 0, 0xFF},
           {258, 32767, -32768, -1, 0, 255}},
          {0x0C,
           DType::i32,
           {0x01020304, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 0, 0xFF},
           {16909060, 2147483647.0, -2147483648.0, -1, 0, 255}},
          {0x0D,
           DType::f32,
           {f32(1), f32(-2.5F), f32(0x1p-149F), f32(0x1.234566p100F), 0, f32(-0.1F)},
           {1, -2.5, 0x1p-149, 0x1.234566p100, 0, -0.1F}},
          {0x0E,
           DType::f64,
           {f64(1), f64(-2.5), f64(5e-324), f64(0.1), 0, f64(1e300)},
           {1, -2.5, 5e-324, 0.1, 0, 1e300}}};
}

Bytes file_of(const Case& c, const std::vector<std::uint32_t>& dims) {
  Bytes bytes = header(c.code, dims);
  for (const auto word : c.words) append(bytes, word, static_cast<int>(dtype_size(c.dtype)));
  return bytes;
}

TEST(Idx, EveryTypeBigEndianPlainAndGzip) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(dtype_name(c.dtype));
    const Bytes bytes = file_of(c, {2, 3});
    for (const Bytes& file : {bytes, gzip(bytes)}) {
      const Tensor t = decode(file);
      ASSERT_EQ(t.dtype(), c.dtype);
      ASSERT_EQ(t.shape(), Shape({2, 3}));
      for (i64 i = 0; i < 6; ++i)
        EXPECT_EQ(t.at({i / 3, i % 3}), c.values[static_cast<size_t>(i)]) << i;
    }
  }
}

TEST(Idx, EveryRank) {
  std::vector<std::uint32_t> dims;
  std::vector<i64> expected;
  for (int rank = 1; rank <= 8; ++rank) {
    dims.push_back(rank % 3 == 0 ? 3 : rank % 2 == 0 ? 1 : 2);
    expected.push_back(dims.back());
    const Shape shape(expected);
    Bytes bytes = header(0x08, dims);
    for (i64 i = 0; i < shape.elements(); ++i) bytes.push_back(static_cast<std::uint8_t>(i * 7));
    for (const Bytes& file : {bytes, gzip(bytes)}) {
      const Tensor t = decode(file);
      ASSERT_EQ(t.shape(), shape);
      for (i64 i = 0; i < t.size(); ++i)
        ASSERT_EQ(t.data<std::uint8_t>()[i], static_cast<std::uint8_t>(i * 7));
    }
  }
}

TEST(Idx, EmptyAxes) {
  EXPECT_EQ(decode(header(0x08, {0})).shape(), Shape({0}));
  EXPECT_EQ(decode(gzip(header(0x0E, {0, 0xFFFFFFFF}))).shape(), Shape({0, 0xFFFFFFFF}));
}

TEST(Idx, TruncatedAtEveryByteSaysWhere) {
  for (const Case& c : cases()) {
    const Bytes whole = file_of(c, {2, 3});
    for (size_t end = 0; end < whole.size(); ++end) {
      const std::string message =
          error_of(Bytes(whole.begin(), whole.begin() + static_cast<i64>(end)));
      ASSERT_EQ(byte_of(message), static_cast<i64>(end)) << dtype_name(c.dtype) << message;
      ASSERT_NE(message.find("FormatError: some"), std::string::npos) << message;
      ASSERT_NE(message.find("hint"), std::string::npos) << message;
    }
    // The same inside intact gzip data.
    for (size_t end = 0; end < whole.size(); ++end) {
      const Bytes part(whole.begin(), whole.begin() + static_cast<i64>(end));
      ASSERT_EQ(byte_of(error_of(gzip(part))), static_cast<i64>(end));
    }
  }
}

TEST(Idx, GzipTruncatedAtEveryByteIsRefused) {
  const Bytes packed = gzip(file_of(cases()[4], {2, 3}));
  for (size_t end = 0; end < packed.size(); ++end) {
    const std::string message =
        error_of(Bytes(packed.begin(), packed.begin() + static_cast<i64>(end)));
    ASSERT_EQ(byte_of(message),
              end < 2 ? static_cast<i64>(end == 0 ? 0 : 1) : static_cast<i64>(end))
        << message;
  }
}

TEST(Idx, EveryFlippedBitOfGzipIsRefusedOrHarmless) {
  const Bytes packed = gzip(file_of(cases()[3], {2, 3}));
  const Tensor right = decode(packed);
  int refused = 0;
  for (size_t bit = 0; bit < packed.size() * 8; ++bit) {
    Bytes damaged = packed;
    damaged[bit / 8] ^= static_cast<std::uint8_t>(1U << bit % 8);
    const std::string message = error_of(damaged);
    if (!message.empty()) {
      ++refused;
      EXPECT_GE(byte_of(message), 0) << message;
    } else {
      // Not under the checksum: flags, time and system in gzip's header, and the bits that fill
      // the last byte before the trailer of 8.
      const size_t byte = bit / 8;
      EXPECT_TRUE((byte >= 3 && byte < 10) || byte == packed.size() - 9) << "bit " << bit;
      EXPECT_EQ(decode(damaged), right);
    }
  }
  EXPECT_GT(refused, static_cast<int>((packed.size() - 8) * 8));
}

TEST(Idx, ChangedLengthFieldsAreRefused) {
  const Bytes whole = file_of(cases()[1], {2, 3});
  for (size_t field = 4; field < 12; ++field)
    for (int bit = 0; bit < 8; ++bit) {
      Bytes damaged = whole;
      damaged[field] ^= static_cast<std::uint8_t>(1 << bit);
      for (const Bytes& file : {damaged, gzip(damaged)})
        EXPECT_GE(byte_of(error_of(file)), 0) << "byte " << field << ", bit " << bit;
    }
  EXPECT_EQ(byte_of(error_of(file_of(cases()[1], {2, 2}))), 16) << "two bytes follow";
  EXPECT_EQ(byte_of(error_of(file_of(cases()[1], {2, 4}))), 18) << "two bytes are missing";
}

TEST(Idx, DamagedMagic) {
  const Bytes whole = file_of(cases()[0], {6});
  const std::pair<size_t, std::uint8_t> changes[] = {{0, 1}, {1, 0xFF}, {2, 0x0A}, {3, 0}, {3, 9}};
  for (const auto& [at, value] : changes) {
    Bytes damaged = whole;
    damaged[at] = value;
    EXPECT_EQ(byte_of(error_of(damaged)), static_cast<i64>(at));
  }
  Bytes damaged = whole;
  damaged[2] = 0x0A;
  EXPECT_NE(error_of(damaged).find("0A"), std::string::npos);
}

TEST(Idx, BytesAfterTheEndAreRefused) {
  Bytes whole = file_of(cases()[0], {6});
  Bytes packed = gzip(whole);
  whole.push_back(0);
  EXPECT_EQ(byte_of(error_of(whole)), static_cast<i64>(whole.size()) - 1);
  packed.push_back('x');
  EXPECT_EQ(byte_of(error_of(packed)), static_cast<i64>(packed.size()) - 1);
}

TEST(Idx, GzipOfSeveralMembers) {
  const Bytes whole = file_of(cases()[2], {6});
  const auto middle = whole.begin() + 9;
  Bytes packed = gzip(Bytes(whole.begin(), middle));
  const Bytes rest = gzip(Bytes(middle, whole.end()));
  packed.insert(packed.end(), rest.begin(), rest.end());
  EXPECT_EQ(decode(packed), decode(whole));
}

TEST(Idx, LargerThanOneChunk) {
  Bytes whole = header(0x0C, {300000});
  for (std::uint32_t i = 0; i < 300000; ++i) append(whole, i * 2654435761U, 4);
  const Tensor plain = decode(whole), unpacked = decode(gzip(whole));
  EXPECT_EQ(plain, unpacked);
  for (std::uint32_t i = 0; i < 300000; i += 997)
    EXPECT_EQ(static_cast<std::uint32_t>(plain.data<std::int32_t>()[i]), i * 2654435761U);
}

// A gigabyte that is only promised must not be asked for: what the process has grown by is below
// gzip's own memory plus a chunk.
TEST(Idx, ALengthFieldAloneAllocatesNothing) {
  const auto peak = [] {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;)
      if (word == "VmPeak:") {
        i64 kilobytes = 0;
        status >> kilobytes;
        return kilobytes;
      }
    return i64{-1};
  };
  const i64 before = peak();
  ASSERT_GT(before, 0);
  for (const Bytes& promise : {header(0x08, {1U << 30}), header(0x0E, {60000, 28, 28, 8}),
                               header(0x08, {1U << 16, 1U << 15})})
    for (const Bytes& file : {promise, gzip(promise)})
      EXPECT_EQ(byte_of(error_of(file)), static_cast<i64>(promise.size()));
  EXPECT_LT(peak() - before, 2048);
  // Above the stated cap: refused by the header alone, at the axis that goes too far.
  EXPECT_EQ(byte_of(error_of(header(0x08, {1U << 16, 1U << 16, 17}))), 12);
  EXPECT_EQ(byte_of(error_of(header(0x0E, std::vector<std::uint32_t>(8, 0xFFFFFFFF)))), 8);
}

TEST(Idx, Files) {
  const Folder folder;
  const Bytes bytes = file_of(cases()[5], {3, 2});
  const Tensor right = decode(bytes);
  EXPECT_EQ(data::idx(folder.write("plain", bytes)), right);
  EXPECT_EQ(data::idx(folder.write("packed.gz", gzip(bytes))), right);
  EXPECT_EQ(data::idx(folder.write("packed without the suffix", gzip(bytes))), right);
}

template <class Action>
std::string format_error(Action action) {
  try {
    action();
  } catch (const FormatError& error) {
    return error.what();
  }
  return "";
}

void expect_parts(const std::string& text, const std::vector<std::string>& parts) {
  for (const auto& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << "\"" << part << "\" is missing in\n" << text;
}

TEST(Idx, FileErrorsNamePathByteAndPackage) {
  const Folder folder;
  Bytes bytes = file_of(cases()[0], {6});
  bytes.pop_back();
  const std::string path = folder.write("short", bytes);
  expect_parts(format_error([&] { data::idx(path); }),
               {"data::idx (idx_test.cpp:", path, "byte   13", "5 bytes", "[6] u8"});
  const std::string missing = folder.path("train-images-idx3-ubyte.gz");
  expect_parts(format_error([&] { data::idx(missing); }),
               {missing, "No such file", "dataset-fashion-mnist"});
  expect_parts(format_error([&] { data::fashion_mnist(folder.path("nowhere")); }),
               {folder.path("nowhere"), "data::fashion_mnist (idx_test.cpp:", "No such file",
                "apt-get install dataset-fashion-mnist"});
  expect_parts(format_error([&] { data::mnist(folder.path("nowhere")); }),
               {folder.path("nowhere"), "data::mnist (idx_test.cpp:", "dataset-fashion-mnist"});
  expect_parts(format_error([&] { data::idx(folder.path("")); }), {"Is a directory", "file"});
}

}  // namespace
}  // namespace goneuron
