// LineFile: a text file that grows at its end, a write at a time. Used by loggers.
#pragma once

#include <string>
#include <string_view>

#include "goneuron/shape.h"

namespace goneuron {

class LineFile {
 public:
  LineFile() = default;
  ~LineFile();
  LineFile(const LineFile&) = delete;
  LineFile& operator=(const LineFile&) = delete;

  /// `keep`: goes on behind what is there; else the file is emptied. Makes the folders of the path.
  /// Throws FormatError, with `where` in front, when it cannot be opened; so do the others.
  void open(const std::string& where, const std::string& path, bool keep);
  bool is_open() const { return file_ >= 0; }
  void write(std::string_view text);
  i64 size() const { return size_; }
  /// What comes after `size` goes. A file that is shorter stays.
  void cut(i64 size);
  /// The first line, without its end; "" of an empty file.
  std::string first_line() const;

 private:
  [[noreturn]] void fail(const char* what) const;
  std::string where_, path_;
  int file_ = -1;
  i64 size_ = 0;
};

/// Makes the folders that the path of a file needs. Throws FormatError.
void make_folders_for(const std::string& where, const std::string& path);

}  // namespace goneuron
