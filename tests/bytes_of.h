// Bytes written as hexadecimal digits, for small files that stand in a test.
#pragma once

#include <string>

namespace goneuron {

inline std::string bytes_of(const std::string& hex) {
  std::string bytes;
  for (size_t i = 0; i + 1 < hex.size(); i += 2)
    bytes += static_cast<char>(std::stoi(hex.substr(i, 2), nullptr, 16));
  return bytes;
}

}  // namespace goneuron
