// NPY and NPZ: files of NumPy's, all dtypes and orders; whatever is damaged is refused. Where
// Python has NumPy, 400 random files of its are read, and what we write is read by it.
#include "data/npy.h"

#include <goneuron/goneuron.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "bytes_of.h"
#include "core/tensor_values.h"
#include "data/npz.h"
#include "error_text.h"

namespace goneuron {
namespace {

namespace fs = std::filesystem;

// numpy.save of numpy.asfortranarray((numpy.arange(6).reshape(2, 3) * 300 - 500).astype(">i2"))
const char* const fortran =
    "934e554d5059010076007b276465736372273a20273e6932272c2027666f727472616e5f6f72646572273a2054"
    "7275652c20277368617065273a2028322c2033292c207d20202020202020202020202020202020202020202020"
    "202020202020202020202020202020202020202020202020202020202020202020202020200afe0c0190ff3802"
    "bc006403e8";
// numpy.savez_compressed, x=numpy.arange(40, dtype="f4").reshape(4, 10) / 2, y=numpy.arange(4)
const char* const archive =
    "504b03042d000000080000002100f32958ecffffffffffffffff05001400782e6e707901001000200100000000"
    "0000a8000000000000009dc8210ac2601c86f1bf4d4c46e3d7be090b13164404b722166545d0a4c34d0ce2c626"
    "2288b0603018061a0c068fe01176048fe0113c828f78035ff885f7390f867d6f5c928dec7410a6b344b7946ecf"
    "6d6d2a3d8f9275e2af26511284dfdef59769484f177e1cf20ddb540dab6eaabdfa7715f9ad2392a18038220a0e"
    "a6c890e38e070a3cf1c21be28a9451450d0a062c34e1a0070f234cb1408c2d321c70c409392eb8e2e67e00504b"
    "03042d000000080000002100c3c3dad1ffffffffffffffff05001400792e6e707901001000a000000000000000"
    "4f000000000000009bec17ea1b10c9c850c650ad9e925a9c5ca46ea5a06e9369a1aea3a09e965f54529498179f"
    "5f94920a12774bcc294e058a17672416a402f91a263a9a3a0ab50a14002e06286084d24c509a194a0300504b01"
    "022d032d000000080000002100f32958eca800000020010000050000000000000000000000800100000000782e"
    "6e7079504b01022d032d000000080000002100c3c3dad14f000000a00000000500000000000000000000008001"
    "df000000792e6e7079504b0506000000000200020066000000650100000000";

Tensor decoded(const std::string& bytes) {
  return data::decode_npy(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), "x");
}
data::NamedTensors unzipped(const std::string& bytes) {
  return data::decode_npz(
      *data::random_memory(reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size(), "x"));
}
/// A file of version 1.0 with this header and these elements.
std::string file_of(const std::string& header, const std::string& elements) {
  std::string bytes = bytes_of("934e554d50590100");
  bytes += static_cast<char>(header.size() & 255);
  bytes += static_cast<char>(header.size() >> 8);
  return bytes + header + elements;
}
std::string header_of(const std::string& descr, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
}

class Folder {
 public:
  Folder() {
    std::string made = fs::temp_directory_path() / "goneuron_npy_XXXXXX";
    path_ = mkdtemp(made.data());
  }
  ~Folder() { fs::remove_all(path_); }
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

TEST(Npy, ReadsFortranOrderAndBigEndian) {
  const Tensor t = decoded(bytes_of(fortran));
  EXPECT_EQ(t.shape(), Shape({2, 3}));
  EXPECT_EQ(t.dtype(), DType::i16);
  for (i64 i = 0; i < 6; ++i)
    EXPECT_EQ(t.at({i / 3, i % 3}), static_cast<double>(i * 300 - 500)) << i;
}

TEST(Npy, KnowsEveryDtype) {
  struct Kind {
    const char* descr;
    std::string bytes;  // of one element
    DType dtype;
    double value;
  };
  const Kind kinds[] = {
      {"|b1", "01", DType::u8, 1},
      {"|u1", "ff", DType::u8, 255},
      {"|i1", "80", DType::i8, -128},
      {"<u2", "ffff", DType::i32, 65535},
      {">u2", "00ff", DType::i32, 255},
      {"<i2", "0180", DType::i16, -32767},
      {"<u4", "ffffff7f", DType::i32, 2147483647},
      {">i4", "80000000", DType::i32, -2147483648.0},
      {"<i8", "00000080ffffffff", DType::i32, -2147483648.0},
      {">u8", "000000007fffffff", DType::i32, 2147483647},
      {"<f2", "003c", DType::f16, 1},
      {">f2", "c000", DType::f16, -2},
      {"<f4", "db0f4940", DType::f32, 3.1415927410125732},
      {"=f4", "db0f4940", DType::f32, 3.1415927410125732},
      {">f8", "400921fb54442d18", DType::f64, 3.141592653589793},
  };
  for (const Kind& k : kinds) {
    const Tensor t = decoded(file_of(header_of(k.descr, "(1,)"), bytes_of(k.bytes)));
    EXPECT_EQ(t.dtype(), k.dtype) << k.descr;
    EXPECT_EQ(t.item(), k.value) << k.descr;
  }
  EXPECT_EQ(decoded(file_of(header_of("<f4", "()"), bytes_of("0000803f"))).shape(), Shape{});
  EXPECT_EQ(decoded(file_of(header_of("<f4", "(3, 0)"), "")).shape(), Shape({3, 0}));
  EXPECT_EQ(decoded(file_of("{\"shape\":(1L,),'fortran_order':True,'descr':'|u1'}", "a")).item(),
            97);
}

TEST(Npy, RefusesWhatItCannotHold) {
  const auto refused = [](const std::string& bytes, const std::vector<std::string>& parts) {
    auto all = parts;
    all.insert(all.end(), {"FormatError: x", "file", "byte", "hint"});
    expect_contains(message_of<FormatError>([&] { decoded(bytes); }), all);
  };
  const std::string eight(8, '\0');
  refused(file_of(header_of("|O", "(1,)"), eight), {"Python objects", "pickled"});
  refused(file_of(header_of("<c8", "(1,)"), eight), {"\"<c8\"", "f2, f4 or f8"});
  refused(file_of(header_of("<f1", "(1,)"), eight), {"\"<f1\""});
  refused(file_of(header_of("<U4", "(1,)"), eight), {"\"<U4\""});
  refused(file_of(header_of("", "(1,)"), eight), {"type \"\""});
  refused(file_of("{'descr': [('a', '<i4')], 'fortran_order': False, 'shape': (1,), }", eight),
          {"records of several fields"});
  refused(file_of(header_of("<i8", "(2,)"), eight + bytes_of("0000008000000000")),
          {"element 1 is 2147483648", "float64"});
  refused(file_of(header_of("<u4", "(1,)"), bytes_of("00000080")), {"element 0 is 2147483648"});
  refused(file_of(header_of("<i8", "(1,)"), bytes_of("ffffff7fffffffff")),
          {"element 0 is -2147483649"});
  refused(file_of(header_of("|b1", "(2,)"), bytes_of("0102")), {"a bool is 2"});
  refused(file_of(header_of("<f4", "(3,)"), eight), {"ends after 8 bytes", "expected 12"});
  refused(file_of(header_of("<f4", "(1,)"), eight), {"bytes follow the last element"});
  refused(file_of(header_of("<f4", "(1,1,1,1,1,1,1,1,1)"), eight), {"more than 8 axes"});
  refused(file_of(header_of("<f4", "(1000000, 1000000)"), eight), {"declares more than"});
  refused(file_of(header_of("<f4", "(99999999999999999999999,)"), eight), {"longer than"});
  refused(file_of(header_of("<f4", "(-1,)"), eight), {"no number in the shape"});
  refused(file_of("{'descr': '<f4', 'fortran_order': 0, 'shape': (1,), }", eight),
          {"neither True nor False"});
  refused(file_of("{'descr': '<f4', 'shape': (1,), }", eight), {"a key is missing"});
  refused(file_of("{'descr': '<f4', 'descr': '<f4'}", eight), {"\"descr\" is there twice"});
  refused(file_of("{'name': 1}", eight), {"\"name\" is unknown"});
  refused(file_of("{'descr' '<f4'}", eight), {"\"'\" stands in the header", "expected \":\""});
  refused(file_of("{", eight), {"no text in quotes"});
  refused(file_of("{'descr", eight), {"no text in quotes"});
  refused(file_of("{} {}", eight), {"follows the header's dict"});
  refused(file_of("", eight), {"ends early"});
  refused("", {"the file is empty"});
  refused("\x93NUMPX\x01", {"inside the header"});
  refused(std::string("\x93NUMPX\x01\0\0\0", 10), {"does not begin like an NPY file"});
  refused(bytes_of("934e554d505904007600"), {"the version is 4.0"});
  refused(bytes_of("934e554d50590200ffffff7f"), {"2147483647 bytes long"});
  refused(bytes_of("934e554d505902007600000041"), {"inside the header", "118 bytes from byte 12"});
}

TEST(Npy, TruncatedOrLongerAnywhere) {
  const std::string whole = bytes_of(fortran);
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(decoded(whole.substr(0, size)), FormatError) << size;
  EXPECT_THROW(decoded(whole + "a"), FormatError);
}

TEST(Npz, ReadsDeflatedArrays) {
  const data::NamedTensors all = unzipped(bytes_of(archive));
  EXPECT_EQ(all.names(), (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(all.size(), 2);
  EXPECT_TRUE(all.has("y"));
  EXPECT_FALSE(all.has("z"));
  EXPECT_EQ(all.get("x").shape(), Shape({4, 10}));
  for (i64 i = 0; i < 40; ++i) EXPECT_EQ(all.get("x").at({i / 10, i % 10}), 0.5 * double(i));
  EXPECT_EQ(all.get("y"), Tensor(std::vector<std::int32_t>{0, 1, 2, 3}));
  for (const auto& item : all) EXPECT_TRUE(all.has(item.name));
  expect_contains(message_of<DataError>([&] { all.get("z"); }), {"\"z\"", "\"x\", \"y\"", "hint"});
  EXPECT_THROW(data::NamedTensors().get("z"), DataError);
}

TEST(Npz, DamagedAnywhere) {
  const std::string whole = bytes_of(archive);
  for (size_t size = 0; size < whole.size(); ++size)
    EXPECT_THROW(unzipped(whole.substr(0, size)), FormatError) << size;
  // A byte of the packed data: the checksum or the decoder sees it.
  for (size_t at = 55; at < 222; ++at) {
    std::string broken = whole;
    broken[at] = static_cast<char>(broken[at] ^ 0x10);
    EXPECT_THROW(unzipped(broken), FormatError) << at;
  }
  const auto with = [&](size_t at, const std::string& bytes) {
    std::string changed = whole;
    changed.replace(at, bytes.size(), bytes);
    return changed;
  };
  const size_t list = 0x165;
  const auto refused = [](const std::string& bytes, const std::vector<std::string>& parts) {
    expect_contains(message_of<FormatError>([&] { unzipped(bytes); }), parts);
  };
  refused(with(list + 8, bytes_of("01")), {"encrypted"});
  refused(with(list + 10, bytes_of("0c")), {"method 12", "hint"});
  refused(with(list + 46, "x.txt"), {"\"x.txt\"", "no array"});
  refused(with(list + 46, "y.npy"), {"one name"});
  refused(with(list + 16, bytes_of("00")), {"\"x.npy\"", "checksum"});
  refused(with(list + 20, bytes_of("ffff")), {"larger together than the archive"});
  refused(with(list + 24, bytes_of("21")), {"unpacks to 288 bytes; expected 289"});
  refused(with(list, "PX"), {"list of files is damaged"});
  refused(with(whole.size() - 12, bytes_of("05")), {"list of files"});
  refused(with(whole.size() - 18, bytes_of("01")), {"split over several files"});
  refused("", {"list of files is missing"});
}

std::string python() {
  const char* set = std::getenv("GONEURON_PYTHON");
  const std::string name = set != nullptr ? set : "python3";
  return std::system((name + " -c 'import numpy' 2>/dev/null").c_str()) == 0 ? name : "";
}
void run_script(const std::string& python, const char* what, const std::string& folder) {
  const std::string command =
      python + " " GONEURON_SOURCE_DIR "/tests/numpy_files.py " + what + " " + folder;
  ASSERT_EQ(std::system(command.c_str()), 0) << command;
}
/// What a NAME.txt and NAME.f64 of the script say.
struct Described {
  std::vector<std::string> names;
  std::vector<Shape> shapes;
  std::vector<double> values;
};
Described described(const std::string& base) {
  Described all;
  std::ifstream text(base + ".txt");
  for (std::string line; std::getline(text, line);) {
    std::istringstream words(line);
    std::string name;
    words >> name;
    std::vector<i64> dims;
    for (i64 dim = 0; words >> dim;) dims.push_back(dim);
    all.names.push_back(name);
    all.shapes.emplace_back(dims);
  }
  all.values.resize(fs::file_size(base + ".f64") / sizeof(double));
  std::ifstream(base + ".f64", std::ios::binary)
      .read(reinterpret_cast<char*>(all.values.data()),
            static_cast<std::streamsize>(all.values.size() * sizeof(double)));
  return all;
}

TEST(Numpy, ItsFilesAreReadAndOursByIt) {
  const std::string interpreter = python();
  if (interpreter.empty())
    GTEST_SKIP() << "python3 has no numpy (package python3-numpy): NumPy's own files of the "
                    "fixtures are read alone; GONEURON_PYTHON names another python";
  const Folder folder, ours;
  run_script(interpreter, "write", folder / "");
  i64 arrays = 0;
  for (int i = 0; i < 400; ++i) {
    const std::string base = folder / std::to_string(i);
    const Described wanted = described(base);
    std::vector<Tensor> found;
    if (fs::exists(base + ".npz")) {
      const auto all = data::npz(base + ".npz");
      ASSERT_EQ(all.names(), wanted.names);
      for (const auto& item : all) found.push_back(item.tensor);
    } else {
      found.push_back(data::npy(base + ".npy"));
    }
    ASSERT_EQ(found.size(), wanted.shapes.size());
    const double* value = wanted.values.data();
    for (size_t k = 0; k < found.size(); ++k, ++arrays) {
      ASSERT_EQ(found[k].shape(), wanted.shapes[k]) << base;
      for (i64 e = 0; e < found[k].size(); ++e) {
        double now = 0;
        load_values(found[k].raw(), found[k].dtype(), e, 1, &now);
        ASSERT_EQ(now, *value++) << base << " element " << e;
      }
      data::save_npy(ours / (std::to_string(i) + "_" + std::to_string(k) + ".npy"), found[k]);
    }
    ASSERT_EQ(value, wanted.values.data() + wanted.values.size());
  }
  EXPECT_GT(arrays, 500);
  run_script(interpreter, "read", ours / "");
  for (int i = 0; i < 400; ++i)
    for (int k = 0; fs::exists(ours / (std::to_string(i) + "_" + std::to_string(k) + ".npy"));
         ++k) {
      const std::string base = ours / (std::to_string(i) + "_" + std::to_string(k));
      const Tensor sent = data::npy(base + ".npy");
      const Described got = described(base);
      ASSERT_EQ(got.shapes[0], sent.shape());
      for (i64 e = 0; e < sent.size(); ++e) {
        double value = 0;
        load_values(sent.raw(), sent.dtype(), e, 1, &value);
        ASSERT_EQ(got.values[static_cast<size_t>(e)], value);
      }
    }
}

TEST(SaveNpy, ReadsBackAsItWas) {
  const Folder folder;
  for (const DType dtype :
       {DType::f32, DType::f64, DType::f16, DType::i32, DType::i16, DType::i8, DType::u8})
    for (const Shape& shape : {Shape{}, Shape{5}, Shape{2, 3, 4}, Shape{3, 0}}) {
      Tensor t(shape, DType::f32);
      for (i64 i = 0; i < t.size(); ++i) t.data()[i] = static_cast<float>(i);
      data::save_npy(folder / "t.npy", t.to(dtype));
      const Tensor again = data::npy(folder / "t.npy");
      EXPECT_EQ(again, t.to(dtype));
      EXPECT_EQ(again.dtype(), dtype);
    }
  EXPECT_THROW(data::save_npy(folder / "t.npy", Tensor(Shape{1}, DType::bf16)), TypeError);
  expect_contains(
      message_of<DataError>([&] { data::save_npy(folder / "none/t.npy", Tensor(Shape{1})); }),
      {"cannot be written: No such file", "none/t.npy", "hint"});
  expect_contains(message_of<DataError>([] { data::save_npy("/dev/full", Tensor(Shape{5000})); }),
                  {"cannot be written: No space left"});
  expect_contains(message_of<FormatError>([&] { data::npy(folder / "none.npy"); }),
                  {"data::npy (npy_test.cpp:", "cannot open", "none.npy", "hint"});
  EXPECT_THROW(data::npz(folder / "none.npz"), FormatError);
  EXPECT_THROW(data::npz(folder / ""), FormatError);
}

}  // namespace
}  // namespace goneuron
