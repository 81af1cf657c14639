// Programs that read images whose decoding finds no room.
#pragma once

#include <cstdlib>

#include "errors_files.h"

namespace goneuron::errors {

/// A gray progressive JPEG, of which only the mean of each block is there: 0 in all of them.
inline std::string progressive_jpeg(i64 height, i64 width) {
  const auto word = [](i64 value) {
    return std::string{static_cast<char>(value >> 8), static_cast<char>(value & 255)};
  };
  const auto segment = [&word](char code, const std::string& content) {
    return std::string{'\xFF', code} + word(static_cast<i64>(content.size()) + 2) + content;
  };
  const auto bytes = [](std::initializer_list<int> values) {
    std::string out;
    for (const int value : values) out += static_cast<char>(value);
    return out;
  };
  const i64 blocks = (height + 7) / 8 * ((width + 7) / 8);
  return "\xFF\xD8" + segment('\xDB', std::string(1, '\0') + std::string(64, '\1')) +
         segment('\xC2', bytes({8}) + word(height) + word(width) + bytes({1, 1, 0x11, 0})) +
         // One code, of one bit: no difference to the block before.
         segment('\xC4', bytes({0, 1}) + std::string(16, '\0')) +
         segment('\xDA', bytes({1, 1, 0, 0, 0, 0})) +
         std::string(static_cast<size_t>(blocks + 7) / 8, '\0') + "\xFF\xD9";
}

/// TMPDIR for as long as it lives.
class TemporaryFolder {
 public:
  explicit TemporaryFolder(const char* path) {
    if (const char* now = std::getenv("TMPDIR")) before_ = now;
    setenv("TMPDIR", path, 1);
  }
  ~TemporaryFolder() {
    before_.empty() ? unsetenv("TMPDIR") : setenv("TMPDIR", before_.c_str(), 1);
  }

 private:
  std::string before_;
};

ERROR_CASE(jpeg_without_a_temporary_folder) {
  std::string path = file_with("large.jpg", progressive_jpeg(1200, 1200));
  TemporaryFolder nowhere("/nowhere");
  Tensor x = data::image(path);
}

ERROR_CASE(jpeg_of_few_wide_rows) {
  std::string path = file_with("flat.jpg", progressive_jpeg(1, 65'000));
  Tensor x = data::image(path);
}

}  // namespace goneuron::errors
