// The schema: a row for each key of a config, and for each layer, loss, callback, ... that it can
// name. It is the one source for reading, checking, the help, docs/config.md and the comments that
// `goneuron init` writes. The rows stand in root.cpp and in the files of tables/.
#pragma once

#include <cstdint>
#include <limits>
#include <span>
#include <string>
#include <vector>

namespace goneuron::config {

struct Kind;
struct Table;

enum class Type : std::uint8_t {
  boolean,
  integer,
  number,
  text,
  choice,    ///< one of `names`
  size,      ///< a whole number, or [height, width]
  padding,   ///< same, valid, or a whole number
  integers,  ///< a list of whole numbers
  numbers,   ///< a list of numbers
  texts,     ///< a list of texts
  object,    ///< a name of `table`, with its options
  objects,   ///< a list of those
  rate,      ///< a number, or a schedule of `table`
  section    ///< the options of `section`
};

/// The numbers that an option may have.
struct Bounds {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();
  bool open_low = false, open_high = false;  // the end itself is not in it
};
constexpr Bounds at_least(double low) { return {low}; }
constexpr Bounds above(double low) { return {low, Bounds().high, true, true}; }
constexpr Bounds from_to(double low, double high) { return {low, high}; }
/// [0, 1): rates of dropout and the like.
inline constexpr Bounds share{0, 1, false, true};

using Names = std::span<const char* const>;

struct Option {
  const char* key;
  Type type;
  const char* fallback;  ///< the default as it would be written; null: it must be given
  const char* example;   ///< a value that makes sense
  const char* meaning;
  Bounds bounds = {};
  Names names = {};
  const Table& (*table)() = nullptr;
  const Kind* section = nullptr;
};

/// A thing with a name and options: a layer, a loss, a section.
struct Kind {
  const char* name;
  const char* meaning;
  std::span<const Option> options = {};
};

/// The things of one sort.
struct Table {
  const char* what;    ///< "layer"
  const char* plural;  ///< "layers"
  std::vector<const Kind*> kinds;
  std::span<const Option> common = {};  ///< options that all of them have
};

inline constexpr const char* required = nullptr;

/// A row of a table: the kind, and what makes one of it.
template <class T, class... Arguments>
struct Row {
  Kind kind;
  T (*make)(Arguments...);
};

template <class R, size_t n>
std::vector<const Kind*> kinds_of(const R (&rows)[n]) {
  std::vector<const Kind*> kinds;
  for (const R& row : rows) kinds.push_back(&row.kind);
  return kinds;
}

/// The whole config.
const Kind& root();

/// Names are the same whatever their case and underscores: ReLU, relu; CrossEntropy, cross_entropy.
bool same_name(const std::string& a, const std::string& b);
/// Of `names` the one with the fewest letters to change; empty where none is near.
std::string nearest(const std::string& wanted, const std::vector<std::string>& names);

/// "a whole number of at least 1", "one of same, valid, ...".
std::string expected_text(const Option& option);
/// Null where there is none of that name.
const Kind* find_kind(const Table& table, const std::string& name);
const Option* find_option(std::span<const Option> options, const std::string& key);

}  // namespace goneuron::config
