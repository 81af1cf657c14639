// The frame of errors_test: a case is a program that must end in an error. Its lines and the text
// stand in tests/fixtures/errors.txt, with lines counted from the start of the program, so that a
// reader sees whether the text names the right one.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <regex>
#include <sstream>
#include <string>
#include <vector>

#include "goneuron/goneuron.h"

namespace goneuron::errors {

struct Case {
  std::string name, file;
  int line;  // of the name
  void (*program)();
};
inline void PrintTo(const Case& c, std::ostream* out) { *out << c.name; }
inline std::vector<Case>& cases() {
  static std::vector<Case> all;
  return all;
}
struct Registered {
  Registered(const char* name, const char* file, int line, void (*program)()) {
    // __FILE__ may be relative to where the compiler ran.
    const std::string base = std::filesystem::path(file).filename();
    cases().push_back({name, GONEURON_SOURCE_DIR "/tests/" + base, line, program});
  }
};

#define ERROR_CASE(name)                                                      \
  static void name();                                                         \
  static const Registered registered_##name{#name, __FILE__, __LINE__, name}; \
  static void name()

/// A folder for the files of a program; programs call it by its short name.
inline std::string folder() {
  static const std::string path = [] {
    std::string made = std::filesystem::temp_directory_path() / "goneuron_errors_XXXXXX";
    return std::string(mkdtemp(made.data()));
  }();
  return path;
}

inline std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

/// Writes `bytes` to a file of the folder; its path.
inline std::string file_with(const std::string& name, const std::string& bytes) {
  const std::string path = folder() + "/" + name;
  std::ofstream(path, std::ios::binary) << bytes;
  return path;
}

/// The program's lines and the number of the line before them.
struct Program {
  std::vector<std::string> lines;
  int before;
};
inline Program program_of(const Case& c) {
  std::ifstream in(c.file);
  std::string line;
  for (int number = 0; number < c.line; ++number) std::getline(in, line);
  const size_t open = line.find('{');
  if (line.back() == '}') return {{line.substr(open + 2, line.size() - open - 4)}, c.line - 1};
  Program program{{}, c.line};
  while (std::getline(in, line) && line != "}")
    program.lines.push_back(line.substr(std::min<size_t>(line.size(), 2)));
  if (!in) throw std::runtime_error("no end of " + c.name + " in " + c.file);
  return program;
}

inline const char* kind_of(const Error& error) {
  if (dynamic_cast<const ShapeError*>(&error)) return "ShapeError";
  if (dynamic_cast<const TypeError*>(&error)) return "TypeError";
  if (dynamic_cast<const GraphError*>(&error)) return "GraphError";
  if (dynamic_cast<const DeviceError*>(&error)) return "DeviceError";
  if (dynamic_cast<const OutOfMemory*>(&error)) return "OutOfMemory";
  if (dynamic_cast<const FormatError*>(&error)) return "FormatError";
  return dynamic_cast<const DataError*>(&error) ? "DataError" : "Error";
}

/// What the program throws; empty, with a failure, when that is no error of ours.
inline std::string thrown(const Case& c) {
  std::string text;
  try {
    c.program();
    ADD_FAILURE() << c.name << ": no error";
  } catch (const Error& error) {
    text = error.what();
    EXPECT_EQ(text.substr(0, text.find(':')), kind_of(error)) << "the text names another type";
  } catch (const std::exception& error) {
    ADD_FAILURE() << c.name << ": not one of the library's errors: " << error.what();
  }
  set_memory_limit(0);
  set_threads(0);
  set_device("cpu");
  return text;
}

/// "errors_layers.h:57" becomes "program:2" when it is the second line of the program; any other
/// place stays, and fails the test.
inline std::string from_start(const Case& c, const std::string& text) {
  const std::string file = std::filesystem::path(c.file).filename();
  const Program program = program_of(c);
  const auto count = static_cast<int>(program.lines.size());
  std::string out;
  size_t at = 0;
  while (true) {
    const size_t found = text.find(file + ":", at);
    out += text.substr(at, found - at);
    if (found == std::string::npos) return out;
    size_t used = 0;
    const int line = std::stoi(text.substr(found + file.size() + 1), &used) - program.before;
    if (line >= 1 && line <= count)
      out += "program:" + std::to_string(line);
    else
      out += text.substr(found, file.size() + 1 + used);
    at = found + file.size() + 1 + used;
  }
}

inline std::string replaced(std::string text, const std::string& from, const std::string& to) {
  for (size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size())
    text.replace(at, from.size(), to);
  return text;
}

/// The sizes of a step and what takes them are the plan's to choose: they are tested elsewhere.
inline std::string without_sizes(const std::string& text) {
  if (text.rfind("OutOfMemory", 0) != 0 || text.find(" samples needs ") == text.npos) return text;
  std::string out =
      std::regex_replace(text, std::regex("\n  largest[^\n]*(\n {6,}[^\n]*)*"), "\n  largest   ..");
  out = std::regex_replace(out, std::regex("[0-9.]+ (B|KiB|MiB|GiB)"), "# $1");
  return std::regex_replace(out, std::regex("batch size of [0-9]+"), "batch size of #");
}

/// A case as it stands in the snapshot: the numbered program, then the text.
inline std::string entry(const Case& c) {
  std::string out;
  int number = 0;
  for (const std::string& line : program_of(c).lines)
    out += "  " + std::to_string(++number) + "  " + line + "\n";
  return out + "\n" + replaced(without_sizes(from_start(c, thrown(c))), folder(), "/data") + "\n\n";
}

inline const char* snapshot_path() { return GONEURON_SOURCE_DIR "/tests/fixtures/errors.txt"; }

/// The snapshot's entries by name.
inline std::map<std::string, std::string> snapshot() {
  std::map<std::string, std::string> all;
  std::istringstream in(read_file(snapshot_path()));
  std::string line, name;
  while (std::getline(in, line)) {
    if (line.rfind("== ", 0) == 0)
      name = line.substr(3);
    else if (!name.empty())
      all[name] += line + "\n";
  }
  return all;
}

inline void write_snapshot(const std::string& head) {
  std::string text = head + "\n";
  for (const Case& c : cases()) text += "== " + c.name + "\n" + entry(c);
  text.pop_back();
  std::ofstream(snapshot_path(), std::ios::binary) << text;
}

}  // namespace goneuron::errors
