// The message of an expected exception, and what must stand in it. Used by the tests that look at a
// few words of an error; the full texts are those of errors_test.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace goneuron {

/// The message that `action` throws as an `E`; empty, and a failure, when it throws nothing.
template <class E, class Action>
std::string message_of(Action action) {
  try {
    action();
  } catch (const E& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing was thrown";
  return "";
}

inline void expect_contains(const std::string& text, const std::vector<std::string>& parts) {
  for (const auto& part : parts)
    EXPECT_NE(text.find(part), std::string::npos) << "\"" << part << "\" is missing in\n" << text;
}

}  // namespace goneuron
