// Callable: takes, copies, calls and refuses what a std::function does.
#include "goneuron/callable.h"

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>

#include "graph_value.h"

namespace goneuron {
namespace {

int twice(int x) { return 2 * x; }
using Number = Callable<int(int)>;

// Overloads are told apart by what a function takes and gives.
using OfText = std::string (*)(const std::string&);
static_assert(std::is_convertible_v<decltype(twice)*, Number>);
static_assert(std::is_convertible_v<double (*)(long), Number>, "numbers convert");
static_assert(!std::is_convertible_v<OfText, Number>);
static_assert(!std::is_convertible_v<int, Number>);
struct Point {
  int x;
};
static_assert(!std::is_convertible_v<int Point::*, Callable<int(const Point&)>>,
              "it is called as a function");
struct Nested {
  Callable<Nested(Nested)> of_itself;
};
static_assert(std::is_copy_constructible_v<Nested>);
static_assert(std::is_convertible_v<OfText, Callable<void(const char*)>>,
              "a result may be left alone");
static_assert(std::is_nothrow_move_constructible_v<Number>);

TEST(Callable, CallsFunctionsLambdasAndObjects) {
  const std::function<int(int)> function = [](int x) { return x + 1; };
  EXPECT_EQ(Number(twice)(4), 8);
  EXPECT_EQ(Number([factor = 3](int x) { return factor * x; })(4), 12);
  EXPECT_EQ(Number(function)(4), 5);
  EXPECT_EQ(Number([](double x) { return x / 2; })(5), 2) << "converted to the result";
  EXPECT_EQ(Number(+[](int x) noexcept { return x; })(4), 4);
  auto counter = [n = 0](int step) mutable { return n += step; };
  const Number by_reference = std::ref(counter);
  EXPECT_EQ(by_reference(2) + counter(2), 6);
  int called = 0;
  const Callable<void()> counts = [&] { return ++called; };
  counts();
  EXPECT_EQ(called, 1);
}

TEST(Callable, IsEmptyOfWhatIsEmpty) {
  int (*null)(int) = nullptr;
  for (const Number& f : {Number(), Number(nullptr), Number(null),
                          Number(std::function<int(int)>()), Number(Callable<long(long)>())}) {
    EXPECT_FALSE(f);
    EXPECT_TRUE(f == nullptr);
    EXPECT_NE(text_of<GraphError>([&] { f(1); }).find("an empty function"), std::string::npos);
  }
  EXPECT_TRUE(Number(twice));
}

TEST(Callable, ACopyHasStateOfItsOwn) {
  Number counter = [n = 0](int step) mutable { return n += step; };
  counter(5);
  const Number copy = counter;
  EXPECT_EQ(counter(1), 6);
  EXPECT_EQ(copy(1), 6);
  EXPECT_EQ(counter(1), 7);
  Number moved = std::move(counter);
  EXPECT_FALSE(counter);  // NOLINT: that is the test
  EXPECT_EQ(moved(1), 8);
  const Number& same = moved;
  moved = same;
  EXPECT_EQ(moved(0), 8) << "assigned to itself";
  moved = twice;
  EXPECT_EQ(moved(1), 2);
}

TEST(Callable, IsAsItWasWhenACopyThrows) {
  struct Throws {
    Throws() = default;
    Throws(const Throws&) { throw std::runtime_error("no copy"); }
    Throws(Throws&&) = default;
    int operator()(int x) const { return x; }
  };
  const Number thrower = Throws();
  Number kept = twice;
  EXPECT_THROW(kept = thrower, std::runtime_error);
  EXPECT_EQ(kept(3), 6);
}

TEST(Callable, PassesArgumentsOnAndDropsWhatItHeld) {
  const Callable<int*(std::unique_ptr<int>)> release = [](std::unique_ptr<int> p) {
    return p.release();
  };
  const std::unique_ptr<int> back(release(std::make_unique<int>(7)));
  EXPECT_EQ(*back, 7);
  const Callable<void(std::string&)> change = [](std::string& s) { s += "!"; };
  std::string text = "on";
  change(text);
  EXPECT_EQ(text, "on!");
  const auto held = std::make_shared<int>(1);
  {
    const Callable<int()> f = [held] { return *held; };
    const Callable<int()> g = f;
    EXPECT_EQ(held.use_count(), 3);
  }
  EXPECT_EQ(held.use_count(), 1);
}

}  // namespace
}  // namespace goneuron
