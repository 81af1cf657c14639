// Tensors: made from every source, read and written, sliced, converted, compared and printed.
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

#include "error_text.h"

namespace goneuron {
namespace {

TEST(Tensor, ZerosOfEveryDtype) {
  for (const DType dtype : {DType::f32, DType::f64, DType::bf16, DType::f16, DType::i32, DType::i8,
                            DType::u8, DType::i16}) {
    const Tensor t(Shape{3, 5}, dtype);
    EXPECT_EQ(t.size(), 15);
    EXPECT_EQ(t.bytes(), 15 * dtype_size(dtype));
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(t.raw()) % 64, 0U);
    for (i64 i = 0; i < t.bytes(); ++i) EXPECT_EQ(static_cast<const char*>(t.raw())[i], 0);
  }
}

TEST(Tensor, FromVectorsIsACopy) {
  std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const Tensor line(values), table(values, Shape{2, 3});
  values[5] = 0;
  EXPECT_EQ(line.shape(), Shape({6}));
  EXPECT_EQ(line.at({5}), 6);
  EXPECT_EQ(table.at({1, 0}), 4);
  EXPECT_EQ(table.at({1, 2}), 6);
  const Tensor labels(std::vector<std::int32_t>{7, -8});
  EXPECT_EQ(labels.dtype(), DType::i32);
  EXPECT_EQ(labels.at({1}), -8);
  EXPECT_EQ(Tensor(std::vector<std::int32_t>{1, 2}, Shape{2, 1}).shape(), Shape({2, 1}));
}

TEST(Tensor, FromSpanArrayAndPointer) {
  std::array<float, 6> values = {1, 2, 3, 4, 5, 6};
  const std::array<std::int32_t, 2> whole = {3, 4};
  const std::span<const float> middle = std::span<float>(values).subspan(1, 4);
  const Tensor a(middle, Shape{2, 2}), b(values, Shape{3, 2}), c(values.data() + 2, Shape{2});
  const Tensor d(whole, Shape{2, 1});
  values.fill(0);
  EXPECT_EQ(a, (Tensor{{2, 3}, {4, 5}}));
  EXPECT_EQ(b, (Tensor{{1, 2}, {3, 4}, {5, 6}}));
  EXPECT_EQ(c, Tensor(std::vector<float>{3, 4}));
  EXPECT_EQ(d, Tensor(std::vector<std::int32_t>{3, 4}, Shape{2, 1}));
}

TEST(Tensor, FromNestedLists) {
  const Tensor t{{0, 0}, {0, 1}, {1.5F, -2}};
  EXPECT_EQ(t.shape(), Shape({3, 2}));
  EXPECT_EQ(t.at({2, 0}), 1.5);
  const auto text = message_of<ShapeError>([] { Tensor{{1, 2}, {1, 2, 3}}; });
  expect_contains(text, {"row 1 has 3", "expected 2, as row 0 has", "hint"});
}

TEST(Tensor, CountsMustFit) {
  const auto text = message_of<ShapeError>([] {
    Tensor(std::vector<float>{1, 2, 3}, Shape{2, 2});
  });
  expect_contains(text, {"3 values for the shape; expected 4", "4", "[2, 2]", "hint"});
  EXPECT_THROW(Tensor(std::vector<std::int32_t>{1}, Shape{2}), ShapeError);
  EXPECT_THROW(Tensor(std::array<float, 3>{}, Shape{2}), ShapeError);
  EXPECT_THROW(Tensor(Shape{2, Any}), ShapeError);
  EXPECT_THROW(Tensor(static_cast<const float*>(nullptr), Shape{2}), DataError);
  EXPECT_NO_THROW(Tensor(static_cast<const float*>(nullptr), Shape{0}));
}

TEST(Tensor, ImpossibleSizesAreErrors) {
  const i64 large = i64{1} << 40;
  expect_contains(message_of<ShapeError>([&] { Tensor(Shape{large, large}); }), {"64 bits"});
  // As many elements as fit, too many bytes.
  EXPECT_THROW(Tensor(Shape{std::numeric_limits<i64>::max()}, DType::f64), ShapeError);
  expect_contains(
      message_of<OutOfMemory>([] { Tensor(Shape{std::numeric_limits<i64>::max()}, DType::u8); }),
      {"8.0 EiB", "u8", "hint"});
}

TEST(Tensor, ViewSharesTheCallersMemory) {
  float memory[6] = {0, 1, 2, 3, 4, 5};
  Tensor t = Tensor::view(memory, Shape{2, 3});
  EXPECT_EQ(t.raw(), memory);
  memory[4] = 9;
  EXPECT_EQ(t.at({1, 1}), 9);
  t.set({0, 2}, -1);
  EXPECT_EQ(memory[2], -1);
  std::uint8_t bytes[2] = {200, 255};
  EXPECT_EQ(Tensor::view(bytes, Shape{2}, DType::u8).at({1}), 255);
  EXPECT_THROW(Tensor::view(nullptr, Shape{1}), DataError);
}

TEST(Tensor, AdoptKeepsTheOwnerAlive) {
  auto owner = std::make_shared<std::vector<float>>(std::vector<float>{1, 2, 3, 4});
  const std::weak_ptr<std::vector<float>> watch = owner;
  {
    Tensor rest;
    {
      float* memory = owner->data();
      const Tensor t = Tensor::adopt(std::move(owner), memory, Shape{4}, DType::f32);
      EXPECT_EQ(t.raw(), memory);
      rest = t.slice(2, 4);
    }
    ASSERT_FALSE(watch.expired()) << "a slice keeps it";
    EXPECT_EQ(rest, Tensor(std::vector<float>{3, 4}));
  }
  EXPECT_TRUE(watch.expired());
}

TEST(Tensor, CopiesShareAndClonesDoNot) {
  Tensor a{{1, 2}};
  const Tensor copy = a, deep = a.clone();
  a.set({0, 0}, 7);
  EXPECT_EQ(copy.at({0, 0}), 7);
  EXPECT_EQ(copy.raw(), a.raw());
  EXPECT_EQ(deep.at({0, 0}), 1);
}

TEST(Tensor, DataIsTyped) {
  const Tensor t(Shape{2}, DType::u8);
  EXPECT_NO_THROW(t.data<std::uint8_t>());
  expect_contains(message_of<TypeError>([&] { t.data(); }), {"u8", "f32", "to(DType::f32)"});
  EXPECT_THROW(t.data<std::int8_t>(), TypeError);
  EXPECT_NO_THROW(Tensor(Shape{2}, DType::f64).data<double>());
  EXPECT_NO_THROW(Tensor(Shape{2}, DType::i16).data<std::int16_t>());
}

TEST(Tensor, ElementsOutOfBounds) {
  Tensor t{{1, 2, 3}, {4, 5, 6}};
  expect_contains(message_of<ShapeError>([&] {
                    t.at({0, 3});
                  }),
                  {"index 3", "axis 1", "[2, 3]", "Tensor::at"});
  expect_contains(message_of<ShapeError>([&] { t.set({2, 0}, 1); }), {"index 2", "axis 0"});
  EXPECT_THROW(t.at({-1, 0}), ShapeError);
  expect_contains(message_of<ShapeError>([&] { t.at({1}); }),
                  {"1 indices", "expected 2, one an axis"});
  EXPECT_THROW(t.at({0, 0, 0}), ShapeError);
  EXPECT_THROW(Tensor().at({}), ShapeError);
}

TEST(Tensor, Item) {
  EXPECT_EQ(Tensor(std::vector<float>{2.5F}, Shape{1, 1}).item(), 2.5);
  EXPECT_EQ(Tensor(std::vector<float>{2.5F}, Shape{}).item(), 2.5);
  EXPECT_EQ(Tensor(std::vector<float>{2.5F}, Shape{}).at({}), 2.5);
  EXPECT_THROW(Tensor(Shape{2}).item(), ShapeError);
  EXPECT_THROW(Tensor().item(), ShapeError);
}

TEST(Tensor, SlicesShareMemory) {
  Tensor t{{1, 2}, {3, 4}, {5, 6}};
  Tensor rows = t.slice(1, 3);
  EXPECT_EQ(rows.shape(), Shape({2, 2}));
  EXPECT_EQ(rows.raw(), t.data() + 2);
  rows.set({0, 0}, 30);
  EXPECT_EQ(t.at({1, 0}), 30);
  Tensor row = t[2];
  EXPECT_EQ(row.shape(), Shape({2}));
  row.set({1}, 60);
  EXPECT_EQ(t.at({2, 1}), 60);
  EXPECT_EQ(t[2][1].shape(), Shape({}));
  EXPECT_EQ(t[2][1].item(), 60);
  EXPECT_EQ(t.slice(3, 3).size(), 0);
  EXPECT_EQ(t.slice(3, 3).shape(), Shape({0, 2}));
}

TEST(Tensor, SlicesOutOfBounds) {
  const Tensor t(Shape{3, 2});
  expect_contains(message_of<ShapeError>([&] { t.slice(1, 4); }), {"[1, 4)", "3"});
  EXPECT_THROW(t.slice(-1, 2), ShapeError);
  EXPECT_THROW(t.slice(2, 1), ShapeError);
  EXPECT_THROW(t[3], ShapeError);
  EXPECT_THROW(t[-1], ShapeError);
  EXPECT_THROW(Tensor(Shape{})[0], ShapeError);
}

TEST(Tensor, ReshapeSharesMemory) {
  Tensor t{{1, 2, 3}, {4, 5, 6}};
  Tensor other = t.reshape({3, 2});
  EXPECT_EQ(other.raw(), t.raw());
  EXPECT_EQ(other.at({2, 0}), 5);
  other.set({0, 0}, 10);
  EXPECT_EQ(t.at({0, 0}), 10);
  expect_contains(message_of<ShapeError>([&] { t.reshape({4}); }), {"6", "4", "[2, 3]", "[4]"});
}

// ---- conversion ----

std::uint16_t bits16(const Tensor& t, i64 i) {
  return static_cast<const std::uint16_t*>(t.raw())[i];
}

TEST(TensorTo, WholeNumbersRoundToNearestEvenAndSaturate) {
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor t(std::vector<float>{0.5F, 1.5F, 2.5F, -0.5F, -1.5F, 2.4F, -2.6F, 300, -300, 40000,
                                    -40000, 3e9F, -3e9F, inf, -inf, std::nanf("")});
  const std::vector<double> nearest = {0, 2, 2, 0, -2, 2, -3, 300, -300, 40000, -40000};
  const std::pair<DType, std::pair<double, double>> types[] = {
      {DType::u8, {0, 255}},
      {DType::i8, {-128, 127}},
      {DType::i16, {-32768, 32767}},
      {DType::i32, {-2147483648.0, 2147483647.0}}};
  for (const auto& [dtype, range] : types) {
    SCOPED_TRACE(dtype_name(dtype));
    const Tensor whole = t.to(dtype);
    EXPECT_EQ(whole.dtype(), dtype);
    const auto clamped = [&, limits = range](double v) {
      return v < limits.first ? limits.first : v > limits.second ? limits.second : v;
    };
    for (size_t i = 0; i < nearest.size(); ++i)
      EXPECT_EQ(whole.at({static_cast<i64>(i)}), clamped(nearest[i])) << i;
    EXPECT_EQ(whole.at({11}), clamped(3e9));
    EXPECT_EQ(whole.at({12}), clamped(-3e9));
    EXPECT_EQ(whole.at({13}), range.second);
    EXPECT_EQ(whole.at({14}), range.first);
    EXPECT_EQ(whole.at({15}), 0);
  }
}

TEST(TensorTo, HalfRoundsToNearestEven) {
  // 11 bits: 2048 is the first whole number whose successor f16 cannot hold.
  const Tensor t(std::vector<float>{1, -2, 2049, 2051, 65504, 65519.996F, 65520, -65520, 0x1p-24F,
                                    0x1p-25F, 0x1.8p-25F, 0x1p-14F, -0.0F,
                                    std::numeric_limits<float>::infinity()});
  const Tensor h = t.to(DType::f16);
  const std::uint16_t expected[] = {0x3C00, 0xC000, 0x6800, 0x6802, 0x7BFF, 0x7BFF, 0x7C00,
                                    0xFC00, 0x0001, 0x0000, 0x0001, 0x0400, 0x8000, 0x7C00};
  for (i64 i = 0; i < t.size(); ++i) EXPECT_EQ(bits16(h, i), expected[i]) << t.at({i});
  EXPECT_TRUE(std::isnan(Tensor(std::vector<float>{std::nanf("")}).to(DType::f16).item()));
}

TEST(TensorTo, EveryHalfSurvivesTheWayThroughFloatAndBack) {
  std::vector<std::uint16_t> all(65536);
  for (size_t i = 0; i < all.size(); ++i) all[i] = static_cast<std::uint16_t>(i);
  for (const DType dtype : {DType::f16, DType::bf16}) {
    const Tensor halves = Tensor::view(all.data(), Shape{65536}, dtype);
    const Tensor back = halves.to(DType::f32).to(dtype);
    for (i64 i = 0; i < 65536; ++i) {
      if (std::isnan(halves.at({i})))
        ASSERT_TRUE(std::isnan(back.at({i}))) << i;
      else
        ASSERT_EQ(bits16(back, i), i) << dtype_name(dtype);
    }
  }
  // bf16 is the upper half of an f32.
  const Tensor values = Tensor::view(all.data(), Shape{65536}, DType::bf16).to(DType::f32);
  for (i64 i = 0; i < 65536; ++i) {
    if (std::isnan(values.data()[i])) continue;
    ASSERT_EQ(std::bit_cast<std::uint32_t>(values.data()[i]), static_cast<std::uint32_t>(i) << 16);
  }
}

TEST(TensorTo, Bf16RoundsToNearestEven) {
  const Tensor t(std::vector<float>{0x1.01p0F, 0x1.03p0F, 0x1.010002p0F,
                                    std::numeric_limits<float>::max(), 0x1p-133F, 0x1p-134F});
  const Tensor b = t.to(DType::bf16);
  const std::uint16_t expected[] = {0x3F80, 0x3F82, 0x3F81, 0x7F80, 0x0001, 0x0000};
  for (i64 i = 0; i < t.size(); ++i) EXPECT_EQ(bits16(b, i), expected[i]) << t.at({i});
}

TEST(TensorTo, DoubleToFloatRoundsOnce) {
  Tensor t(Shape{3}, DType::f64);
  t.set({0}, 1 + 0x1p-24);            // a tie: to even
  t.set({1}, 1 + 0x1p-24 + 0x1p-50);  // above it
  t.set({2}, 1 + 0x1p-11 + 0x1p-40);  // above f16's tie, and on it after a rounding to f32
  EXPECT_EQ(t.to(DType::f32).at({0}), 1);
  EXPECT_EQ(t.to(DType::f32).at({1}), 1 + 0x1p-23);
  EXPECT_EQ(bits16(t.to(DType::f16), 2), 0x3C01);
  EXPECT_EQ(t.to(DType::f64), t);
  EXPECT_NE(t.to(DType::f64).raw(), t.raw());
}

TEST(TensorTo, WholeNumbersToFloating) {
  Tensor t(
      std::vector<std::int32_t>{16777217, -16777219, std::numeric_limits<std::int32_t>::min()});
  EXPECT_EQ(t.to(DType::f32), Tensor(std::vector<float>{16777216, -16777220, -0x1p31F}));
  EXPECT_EQ(t.to(DType::f64).at({0}), 16777217);
  EXPECT_EQ(t.to(DType::f64).to(DType::i32), t);
  // More elements than one run of the conversion.
  Tensor long_one(Shape{1000}, DType::i16);
  for (i64 i = 0; i < 1000; ++i)
    long_one.data<std::int16_t>()[i] = static_cast<std::int16_t>(i - 500);
  EXPECT_EQ(long_one.to(DType::f16).to(DType::i16), long_one);
}

// ---- argmax, equality, printing ----

TEST(Tensor, ArgmaxTakesTheFirstLargest) {
  const Tensor t{{1, 3, 2}, {-1, -3, -1}, {5, 5, 5}};
  const Tensor best = t.argmax();
  EXPECT_EQ(best, Tensor(std::vector<std::int32_t>{1, 0, 0}));
  const float inf = std::numeric_limits<float>::infinity(), nan = std::nanf("");
  EXPECT_EQ((Tensor{{-inf, -inf}, {1, nan}, {nan, inf}}).argmax(),
            Tensor(std::vector<std::int32_t>{0, 1, 0}));
  EXPECT_EQ(t.reshape({3, 1, 3}).argmax().shape(), Shape({3, 1}));
  EXPECT_EQ(t[0].argmax().item(), 1);
  EXPECT_THROW(Tensor(Shape{2, 0}).argmax(), ShapeError);
  EXPECT_THROW(Tensor(Shape{}).argmax(), ShapeError);
  Tensor wide(Shape{2, 1000}, DType::u8);
  wide.set({0, 999}, 3);
  wide.set({1, 256}, 9);
  wide.set({1, 700}, 9);
  EXPECT_EQ(wide.argmax(), Tensor(std::vector<std::int32_t>{999, 256}));
}

TEST(Tensor, Equality) {
  const float nan = std::nanf("");
  EXPECT_EQ(Tensor(std::vector<float>{0}), Tensor(std::vector<float>{-0.0F}));
  EXPECT_FALSE(Tensor(std::vector<float>{nan}) == Tensor(std::vector<float>{nan}));
  EXPECT_FALSE(Tensor(std::vector<float>{1}) == Tensor(std::vector<std::int32_t>{1}));
  EXPECT_FALSE(Tensor(Shape{2, 3}) == Tensor(Shape{3, 2}));
  EXPECT_FALSE(Tensor(Shape{0, 3}) == Tensor(Shape{3, 0}));
  EXPECT_EQ(Tensor(Shape{0, 3}), Tensor(Shape{0, 3}));
  EXPECT_EQ(Tensor(), Tensor());
  EXPECT_FALSE(Tensor() == Tensor(Shape{}));
  Tensor a(Shape{600}), b(Shape{600});
  EXPECT_EQ(a, b);
  b.set({599}, std::numeric_limits<float>::denorm_min());
  EXPECT_FALSE(a == b);
}

TEST(Tensor, Printing) {
  EXPECT_EQ((Tensor{{1, 2.5F}, {-3, 0}}).str(), "[[1, 2.5],\n [-3, 0]]");
  EXPECT_EQ(Tensor(std::vector<float>{0.1F, 1e-7F, 1e10F}).str(), "[0.1, 1e-07, 1e+10]");
  EXPECT_EQ(Tensor(std::vector<std::int32_t>{12345678, -2147483647 - 1}).str(),
            "[12345678, -2147483648]");
  EXPECT_EQ(Tensor().str(), "[]");
  EXPECT_EQ(Tensor(Shape{0}).str(), "[]");
  EXPECT_EQ(Tensor(std::vector<float>{4}, Shape{}).str(), "4");
  std::vector<float> values(9);
  for (int i = 0; i < 9; ++i) values[static_cast<size_t>(i)] = static_cast<float>(i);
  EXPECT_EQ(Tensor(values).slice(0, 8).str(), "[0, 1, 2, 3, 4, 5, 6, 7]");
  EXPECT_EQ(Tensor(values).str(), "[0, 1, 2, 3, ..., 5, 6, 7, 8]");
  EXPECT_EQ(Tensor(Shape{2, 1, 2}).str(), "[[[0, 0]],\n [[0, 0]]]");
  EXPECT_EQ(Tensor(values, Shape{9, 1}).str(),
            "[[0],\n [1],\n [2],\n [3],\n ...,\n [5],\n [6],\n [7],\n [8]]");
}

}  // namespace
}  // namespace goneuron
