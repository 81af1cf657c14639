// Text and series: vocabularies, UTF-8 (against iconv's judgement), windows and lines.
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>
#include <iconv.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "data/loader.h"
#include "data/utf8.h"
#include "error_text.h"

namespace goneuron {
namespace {

using data::Vocabulary;

std::vector<std::int32_t> numbers(const Tensor& t) {
  return {t.data<std::int32_t>(), t.data<std::int32_t>() + t.size()};
}

TEST(Vocabulary, NumbersCharactersByCodePoint) {
  const Vocabulary v = Vocabulary::characters("bação ab€😀");
  EXPECT_EQ(v.tokens(), (std::vector<std::string>{" ", "a", "b", "o", "ã", "ç", "€", "😀"}));
  EXPECT_EQ(v.size(), 8);
  EXPECT_EQ(v[4], "ã");
  const Tensor codes = v.encode("ço😀");
  EXPECT_EQ(numbers(codes), (std::vector<std::int32_t>{5, 3, 7}));
  EXPECT_EQ(v.decode(codes), "ço😀");
  EXPECT_EQ(v.decode(codes.to(DType::f32).reshape({3, 1})), "ço😀") << "any shape and dtype";
  EXPECT_EQ(v.encode("").size(), 0);
  EXPECT_EQ(Vocabulary(v.tokens()).encode("€ab").at({0}), 6) << "made again of its tokens";
  EXPECT_EQ(Vocabulary::characters(std::string("a\0b", 3)).size(), 3) << "NUL is a character too";
}

TEST(Vocabulary, UnknownCharacters) {
  const Vocabulary strict = Vocabulary::characters("abc\n");
  expect_contains(message_of<DataError>([&] { strict.encode("ab\ncab ç"); }),
                  {"\" \"", "U+0020", "line 2, column 4", "vocabulary of 4", "hint"});
  expect_contains(message_of<DataError>([&] { Vocabulary::characters("a").encode("a\n"); }),
                  {"U+000A in line 1, column 2"});
  const Vocabulary open = Vocabulary::characters("abca", {.unknown = true});
  EXPECT_EQ(open.tokens(), (std::vector<std::string>{"\uFFFD", "a", "b", "c"}));
  EXPECT_EQ(numbers(open.encode("azb\uFFFD")), (std::vector<std::int32_t>{1, 0, 2, 0}));
  EXPECT_EQ(open.decode(open.encode("azb")), "a\uFFFDb");
  EXPECT_EQ(numbers(Vocabulary(open.tokens()).encode("z")), (std::vector<std::int32_t>{0}));
  const Vocabulary often = Vocabulary::characters("abca", {.unknown = true, .min_count = 2});
  EXPECT_EQ(often.tokens(), (std::vector<std::string>{"\uFFFD", "a"}));
  EXPECT_EQ(Vocabulary::characters("a\uFFFD", {.unknown = true}).size(), 2);
}

TEST(Vocabulary, Bytes) {
  const Vocabulary v = Vocabulary::bytes();
  EXPECT_EQ(v.size(), 256);
  EXPECT_EQ(numbers(v.encode("\xFFz")), (std::vector<std::int32_t>{255, 122}));
  EXPECT_EQ(v.decode(v.encode("\xC3\x28\n")), "\xC3\x28\n");
}

TEST(Vocabulary, Misuse) {
  EXPECT_THROW(Vocabulary::characters(""), DataError);
  EXPECT_THROW(Vocabulary::characters("a", {.min_count = 2}), DataError);
  EXPECT_THROW(Vocabulary::characters("a", {.unknown = true, .min_count = 0}), DataError);
  for (const auto& bad : std::vector<std::vector<std::string>>{
           {}, {"a", "a"}, {"ab"}, {""}, {"\xFF"}, {"\xC3"}, {"a", "b", "a"}})
    EXPECT_THROW(Vocabulary{bad}, DataError);
  const Vocabulary none, v = Vocabulary::characters("ab");
  EXPECT_FALSE(none);
  EXPECT_EQ(none.size(), 0);
  EXPECT_TRUE(none.tokens().empty());
  EXPECT_THROW(none.encode("a"), DataError);
  EXPECT_THROW(none.decode(Tensor(Shape{1})), DataError);
  EXPECT_THROW(v[2], DataError);
  EXPECT_THROW(v[-1], DataError);
  for (const float number : {-1.0F, 2.0F, 0.5F, std::nanf("")})
    EXPECT_THROW(v.decode(Tensor(std::vector<float>{0, number})), DataError);
  expect_contains(message_of<DataError>([] { Vocabulary::characters("ok\nn\xE3o"); }),
                  {"0xE3", "line 2, column 2", "iconv", "hint"});
}

/// Every sequence of up to three bytes that can tell one rule from another, and random longer
/// ones: valid where iconv says so.
TEST(Utf8, AgreesWithIconv) {
  iconv_t converter = iconv_open("UTF-32LE", "UTF-8");
  ASSERT_NE(converter, reinterpret_cast<iconv_t>(-1));
  i64 valid = 0;
  const auto check = [&](std::string text) {
    std::uint32_t out[16];
    char* from = text.data();
    char* to = reinterpret_cast<char*>(out);
    size_t in_left = text.size(), out_left = sizeof out;
    iconv(converter, nullptr, nullptr, nullptr, nullptr);
    const bool wanted =
        iconv(converter, &from, &in_left, &to, &out_left) != static_cast<size_t>(-1);
    size_t at = 0, count = 0;
    std::int32_t code = 0;
    while (at < text.size() && (code = data::next_code(text, at)) >= 0) {
      ASSERT_TRUE(!wanted || static_cast<std::uint32_t>(code) == out[count]);
      ++count;
    }
    ASSERT_EQ(code >= 0, wanted) << testing::PrintToString(text);
    if (!wanted) return;
    ++valid;
    std::string again;
    for (size_t i = 0; i < count; ++i) again += data::utf8_of(static_cast<std::int32_t>(out[i]));
    ASSERT_EQ(again, text);
  };
  for (int a = 0; a < 256; ++a) {
    check({static_cast<char>(a)});
    for (int b = 0; b < 256; ++b) check({static_cast<char>(a), static_cast<char>(b)});
  }
  for (int a = 0xE0; a < 256; ++a)
    for (int b = 0x70; b < 256; ++b)
      for (int c = 0x78; c < 0xC8; c += 8)
        check({static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)});
  std::mt19937 random(1);
  const unsigned char bytes[] = {0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xDF,
                                 0xE0, 0xE1, 0xED, 0xEF, 0xF0, 0xF1, 0xF3, 0xF4, 0xF5, 0xFF};
  for (int i = 0; i < 400000; ++i) {
    std::string text;
    for (int k = 0; k < 4; ++k) text += static_cast<char>(bytes[random() % sizeof bytes]);
    check(text);
  }
  EXPECT_GT(valid, 5000);
  iconv_close(converter);
}

TEST(Text, WindowsOfCharacters) {
  const auto [data, vocabulary] = data::characters("abcdefghij", {.context = 3, .stride = 2});
  EXPECT_EQ(data.size(), 4);  // 0, 2, 4, 6; from 7 on the last target is missing
  EXPECT_EQ(data.x_shape(), Shape({3}));
  EXPECT_EQ(data.x_dtype(), DType::i32);
  const Sample all = data.arrays();
  const char* wanted[] = {"abcbcd", "cdedef", "efgfgh", "ghihij"};
  for (i64 i = 0; i < 4; ++i)
    EXPECT_EQ(vocabulary.decode(all.x[i]) + vocabulary.decode(all.y[i]), wanted[i]);
  EXPECT_EQ(data::characters("abcdefg", {.context = 3}).data.size(), 2) << "stride 3";
  EXPECT_EQ(data::characters("abcdef", {.context = 3}).data.size(), 1);
  EXPECT_EQ(data::characters("çãçã", {.context = 3}).data.size(), 1) << "characters, not bytes";
  EXPECT_EQ(data::bytes("çãçã", {.context = 3}).data.size(), 2);
  const Tensor other =
      data::characters("ba b", {.context = 3, .vocabulary = Vocabulary::characters("ab ")})
          .data.arrays()
          .x;
  EXPECT_EQ(numbers(other), (std::vector<std::int32_t>{2, 1, 0}));
}

TEST(Text, WindowsAreNoCopies) {
  const Tensor tokens(std::vector<std::int32_t>(1000, 7));
  const Dataset data = data::token_windows(tokens, {.context = 100, .stride = 1});
  EXPECT_EQ(data.size(), 900);
  EXPECT_FALSE(data.impl()->prefetched()) << "no thread for what is in memory";
  const_cast<Tensor&>(tokens).set({500}, 3);
  EXPECT_EQ(data.split(0.5).test.arrays().x.at({0, 50}), 3);
}

TEST(Text, Lines) {
  const auto [data, v] = data::lines("ab\n\nabcdef\nc", {.context = 4});
  EXPECT_EQ(data.size(), 3);
  const Sample all = data.arrays();
  EXPECT_EQ(v.decode(all.x), "\nab\n\nabc\nc\n\n");
  EXPECT_EQ(numbers(all.y), (std::vector<std::int32_t>{1, 2, 0, -1, 1, 2, 3, 4, 3, 0, -1, -1}));
  EXPECT_EQ(data::lines("abcd", {.context = 4}).data.arrays().y,
            Tensor(std::vector<std::int32_t>{1, 2, 3, 4}, {1, 4}));
  EXPECT_THROW(data::lines("\n\n"), DataError);
  EXPECT_THROW(data::lines("ab", {.context = 0}), DataError);
  EXPECT_THROW(data::lines("ab", {.stride = 1}), DataError);
}

TEST(Text, Misuse) {
  expect_contains(message_of<DataError>([] { data::characters("abc", {.context = 3}); }),
                  {"data::characters() (text_test.cpp:", "3 tokens", "context of 3", "hint"});
  EXPECT_THROW(data::characters("abc", {.context = 0}), DataError);
  EXPECT_THROW(data::characters("abc", {.context = 1, .stride = -1}), DataError);
  EXPECT_THROW(data::token_windows(Tensor(Shape{10})), DataError);
  EXPECT_THROW(data::token_windows(Tensor(Shape{10, 2}, DType::i32)), DataError);
}

TEST(TextFile, IsCheckedAndUnpacked) {
  const std::string path =
      std::filesystem::temp_directory_path() / ("goneuron_text_" + std::to_string(getpid()));
  std::ofstream(path, std::ios::binary) << "ação\n€";
  EXPECT_EQ(data::text_file(path), "ação\n€");
  std::ofstream(path, std::ios::binary) << "ol\xE1\n";
  expect_contains(message_of<FormatError>([&] { data::text_file(path); }),
                  {"no UTF-8 in line 1, column 3", path, "byte", "2", "hint"});
  std::ofstream(path, std::ios::binary) << "";
  EXPECT_EQ(data::text_file(path), "");
  std::filesystem::remove(path);
  expect_contains(message_of<FormatError>([&] { data::text_file(path); }), {"cannot open", path});
}

TEST(Windows, OfASeries) {
  Tensor series(Shape{10, 2});
  for (i64 t = 0; t < 10; ++t) {
    series.set({t, 0}, static_cast<double>(t));
    series.set({t, 1}, static_cast<double>(100 + t));
  }
  const Dataset data = data::windows(series, {.length = 4, .stride = 3, .targets = {1}});
  EXPECT_EQ(data.size(), 2);
  EXPECT_EQ(data.x_shape(), Shape({4, 2}));
  EXPECT_EQ(data.y_shape(), Shape({1}));
  const Sample all = data.arrays();
  for (i64 i = 0; i < 2; ++i) {
    for (i64 t = 0; t < 4; ++t) {
      EXPECT_EQ(all.x.at({i, t, 0}), static_cast<double>(3 * i + t));
      EXPECT_EQ(all.x.at({i, t, 1}), static_cast<double>(100 + 3 * i + t));
    }
    EXPECT_EQ(all.y.at({i, 0}), static_cast<double>(100 + 3 * i + 4));
  }
  const Dataset far = data::windows(series, {.length = 4, .horizon = 3});
  EXPECT_EQ(far.size(), 4);
  EXPECT_EQ(far.y_shape(), Shape({3, 2}));
  const Tensor y = far.arrays().y;
  for (i64 i = 0; i < 4; ++i)
    for (i64 h = 0; h < 3; ++h)
      for (i64 f = 0; f < 2; ++f)
        EXPECT_EQ(y.at({i, h, f}), static_cast<double>(100 * f + i + 4 + h));
  const Dataset line = data::windows(Tensor(std::vector<float>{1, 2, 3, 4, 5}), {.length = 2});
  EXPECT_EQ(line.x_shape(), Shape({2, 1}));
  EXPECT_EQ(line.arrays().y, Tensor(std::vector<float>{3, 4, 5}, {3, 1}));
  EXPECT_EQ(data::windows(series.to(DType::f64), {.length = 2}).x_dtype(), DType::f64);
}

TEST(Windows, Misuse) {
  const Tensor series(Shape{10, 2});
  EXPECT_EQ(data::windows(series, {.length = 9}).size(), 1);
  expect_contains(
      message_of<DataError>([&] { data::windows(series, {.length = 9, .horizon = 2}); }),
      {"[10, 2] f32", "11 steps", "hint"});
  EXPECT_THROW(data::windows(series, {.length = 0}), DataError);
  EXPECT_THROW(data::windows(series, {.length = 2, .stride = 0}), DataError);
  EXPECT_THROW(data::windows(series, {.length = 2, .horizon = 0}), DataError);
  EXPECT_THROW(data::windows(series, {.length = 2, .targets = {2}}), DataError);
  EXPECT_THROW(data::windows(series, {.length = 2, .targets = {-1}}), DataError);
  EXPECT_THROW(data::windows(Tensor(Shape{4, 2, 2}), {.length = 2}), DataError);
  EXPECT_THROW(data::windows(Tensor(Shape{4, 0}), {.length = 2}), DataError);
}

}  // namespace
}  // namespace goneuron
