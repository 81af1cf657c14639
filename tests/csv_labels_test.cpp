// The labels of a column against a map: few and many, short and long, with any bytes in them.
#include "data/csv_labels.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <stdexcept>

namespace goneuron::data {
namespace {

TEST(CsvLabels, CountWhatAMapCounts) {
  std::mt19937 random(3);
  for (const unsigned different : {1U, 3U, 20U, 400U})
    for (const unsigned longest : {1U, 12U, 140U, 255U, 300U}) {
      std::vector<std::string> texts(different);
      for (std::string& text : texts) {
        text.resize(random() % (longest + 1));
        for (char& c : text) c = static_cast<char>(random());
      }
      Labels labels;
      std::map<std::string, i64> expected, found;
      for (int i = 0; i < 2000; ++i) {
        const std::string& text = texts[random() % different];
        const bool fresh = ++expected[text] == 1;
        bool asked = false;
        labels.add(text, [&] { asked = true; });
        ASSERT_EQ(asked, fresh) << "a new label, and no other, is checked";
      }
      EXPECT_EQ(labels.size(), static_cast<i64>(expected.size()));
      labels.each([&](std::string_view text, i64 count) { found[std::string(text)] += count; });
      EXPECT_EQ(found, expected) << different << " of at most " << longest << " bytes";
      auto taken = labels.take();
      std::sort(taken.begin(), taken.end());
      EXPECT_EQ(taken.size(), expected.size());
      EXPECT_TRUE(std::equal(taken.begin(), taken.end(), expected.begin(), expected.end(),
                             [](const auto& a, const auto& b) { return a == b.first; }));
      EXPECT_EQ(labels.size(), 0);
    }
}

TEST(CsvLabels, WhatIsRefusedIsNotKept) {
  Labels labels;
  EXPECT_THROW(labels.add("x", [] { throw std::runtime_error("no"); }), std::runtime_error);
  EXPECT_EQ(labels.size(), 0);
}

}  // namespace
}  // namespace goneuron::data
