// CSV files for tests, in a folder that goes with the process. Used by the tests of tables.
#pragma once

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace goneuron {

/// A folder of this process alone: tests run beside each other.
struct Folder {
  Folder() { path = mkdtemp(path.data()); }
  ~Folder() { std::filesystem::remove_all(path); }
  std::string path = std::filesystem::temp_directory_path() / "goneuron_csv_XXXXXX";
};

inline std::string temporary(const std::string& name, const std::string& text) {
  static const Folder folder;
  const std::string path = folder.path + "/" + name;
  std::ofstream(path, std::ios::binary) << text;
  return path;
}

}  // namespace goneuron
