// Shared and KeepAlive: they keep and drop what they were made of exactly as the std::shared_ptr
// they stand for, whoever made it.
#include "goneuron/shared.h"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "core/ownership.h"
#include "goneuron/tensor.h"

namespace goneuron {
namespace {

struct Base {
  virtual ~Base() = default;
  virtual int number() const { return 1; }
};
struct Derived : Base {
  explicit Derived(int& dropped) : dropped(dropped) {}
  ~Derived() override { ++dropped; }
  int number() const override { return 2; }
  int& dropped;
};
struct Plain {};

// Of a class that nobody derives from, only share() makes one: it keeps the pointer's own count.
static_assert(std::is_convertible_v<std::shared_ptr<Derived>, Shared<Base>>);
static_assert(std::is_convertible_v<std::unique_ptr<Derived>, Shared<Base>>);
static_assert(!std::is_constructible_v<Shared<Plain>, std::shared_ptr<Plain>>);
static_assert(!std::is_constructible_v<Shared<Derived>, std::shared_ptr<Base>>);
static_assert(!std::is_constructible_v<Shared<Base>, Derived*>);
static_assert(!std::is_constructible_v<Shared<Base>, Derived>);
static_assert(std::is_convertible_v<Shared<Plain>, Shared<const Plain>>);
static_assert(!std::is_convertible_v<Shared<const Plain>, Shared<Plain>>);
static_assert(std::is_nothrow_move_constructible_v<Shared<Base>>);

TEST(Shared, IsDroppedWithItsLastCopy) {
  int dropped = 0;
  {
    Shared<Base> first = std::make_shared<Derived>(dropped);
    std::vector<Shared<Base>> copies(5, first);
    EXPECT_EQ(copies[3]->number(), 2);
    EXPECT_EQ((*copies[4]).number(), 2);
    first = nullptr;
    EXPECT_FALSE(first);
    copies.resize(1);
    EXPECT_EQ(dropped, 0);
    const Shared<Base>& same = copies[0];
    copies[0] = same;
    EXPECT_EQ(dropped, 0) << "assigned to itself";
    copies[0] = std::make_unique<Derived>(dropped);
    EXPECT_EQ(dropped, 1);
  }
  EXPECT_EQ(dropped, 2);
}

TEST(Shared, AnEmptyOneIsNull) {
  const Shared<Base> none, null = nullptr, empty = std::shared_ptr<Derived>();
  for (const Shared<Base>& shared : {none, null, empty}) {
    EXPECT_FALSE(shared);
    EXPECT_TRUE(shared == nullptr);
    EXPECT_EQ(shared.get(), nullptr);
  }
  EXPECT_TRUE(none == null);
}

TEST(Shared, WhatWasMovedFromIsNull) {
  int dropped = 0;
  Shared<Base> from = std::make_shared<Derived>(dropped);
  Base* object = from.get();
  Shared<Base> to = std::move(from);
  EXPECT_TRUE(from == nullptr);  // NOLINT: that is the test
  EXPECT_EQ(to.get(), object);
  from = std::move(to);
  EXPECT_TRUE(to == nullptr);  // NOLINT: that is the test
  EXPECT_EQ(from.get(), object);
  EXPECT_EQ(dropped, 0);
}

TEST(Shared, CountsWithThePointerItWasSharedFrom) {
  auto text = std::make_shared<std::string>("kept");
  Shared<const std::string> shared = share(text);
  EXPECT_EQ(text.use_count(), 2);
  {
    const Shared<const std::string> copy = shared;
    const std::shared_ptr<const std::string> back = pointer_of(copy);
    EXPECT_EQ(text.use_count(), 4);
    EXPECT_EQ(back, text);
    EXPECT_FALSE(back.owner_before(text) || text.owner_before(back)) << "the same count";
  }
  const std::weak_ptr<const std::string> weak = pointer_of(shared);
  text.reset();
  EXPECT_FALSE(weak.expired());
  EXPECT_EQ(*shared, "kept");
  shared = {};
  EXPECT_TRUE(weak.expired());
}

TEST(Shared, FindsABaseWhereverItLies) {
  struct Other {
    virtual ~Other() = default;
    int number = 3;
  };
  struct Second : Other, Base {
    int number() const override { return 4; }
  };
  struct Virtual : virtual Other, virtual Base {
    int number() const override { return 5; }
  };
  const auto second = std::make_shared<Second>();
  const Shared<Base> one = second, two = std::make_unique<Virtual>();
  EXPECT_EQ(one.get(), static_cast<Base*>(second.get()));
  EXPECT_NE(static_cast<void*>(one.get()), static_cast<void*>(second.get()));
  EXPECT_EQ(one->number(), 4);
  EXPECT_EQ(two->number(), 5);
  EXPECT_EQ(second.use_count(), 2);
}

TEST(KeepAlive, IsEmptyOfNothing) {
  const float values[] = {1, 2};
  const Tensor view = Tensor::adopt(nullptr, const_cast<float*>(values), Shape{2}, DType::f32);
  EXPECT_EQ(view.raw(), values);
}

TEST(KeepAlive, KeepsWhatItWasMadeOf) {
  int dropped = 0;
  auto object = std::make_unique<Derived>(dropped);
  Derived* address = object.get();
  {
    Shared<Derived> part;
    {
      KeepAlive owner = std::move(object);
      KeepAlive other;
      other = owner;
      owner = KeepAlive();
      part = {address, std::move(other)};
    }
    EXPECT_EQ(part->number(), 2);
    EXPECT_EQ(dropped, 0);
  }
  EXPECT_EQ(dropped, 1);
}

}  // namespace
}  // namespace goneuron
