// Options: what a config says about one thing, with the schema's defaults for what it does not say.
// Values have been checked (check.h), so that reading them cannot fail. Taken by every row's
// maker.
#pragma once

#include "config/schema.h"
#include "config/value.h"
#include "goneuron/shape.h"

namespace goneuron::config {

/// What makers need to know besides their options.
struct Context {
  i64 total_steps = 0;        ///< updates of the whole training
  std::string folder;         ///< of the run, where callbacks write
  std::string preprocessing;  ///< kept by the run: data is read as its training data was
};

/// `Conv2D`, `Dropout: 0.5`, `Conv2D: {filters: 32, kernel: 3}`: a name and what stands behind it.
struct Named {
  const Value* name = nullptr;      // where the name is
  std::string text;                 // the name
  const Value* argument = nullptr;  // null, or what follows the colon
};
/// Empty name where `value` is neither a scalar nor a map of one key.
Named named(const Value& value);

class Options {
 public:
  Options(const Kind& kind, std::span<const Option> common, const Value* argument,
          const Value& place, const Context& context)
      : kind_(&kind), common_(common), argument_(argument), place_(&place), context_(&context) {}

  bool given(const char* key) const { return find(key) != nullptr; }
  bool boolean(const char* key) const;
  i64 integer(const char* key) const;
  double number(const char* key) const;
  std::string text(const char* key) const;
  /// The place of a choice's name in its list.
  int choice(const char* key) const;
  std::vector<i64> integers(const char* key) const;
  std::vector<double> numbers(const char* key) const;
  std::vector<std::string> texts(const char* key) const;
  /// As it is written, or the default.
  Value value(const char* key) const;
  /// Of a section.
  Options section(const char* key) const;
  /// True for an object whose default is none and that is not given, or given as none.
  bool none(const char* key) const;

  const Kind& kind() const { return *kind_; }
  const Context& context() const { return *context_; }
  const Value& place() const { return *place_; }
  Site site() const { return place_->site(); }

 private:
  const Option& option(const char* key) const;
  const Value* find(const char* key) const;

  const Kind* kind_;
  std::span<const Option> common_;
  const Value* argument_;
  const Value* place_;
  const Context* context_;
};

/// False unless the whole text is one.
bool read_integer(const std::string& text, i64& out);
bool read_number(const std::string& text, double& out);

/// The options of `value`, an object of `table`, or a throw when it names none.
Options options_of(const Table& table, const Value& value, const Context& context);

/// What the row of that name makes of `value`.
template <class T, size_t n, class... Rest>
T make_from(const Row<T, const Options&, Rest...> (&rows)[n], const Table& table,
            const Value& value, const Context& context, Rest... rest) {
  const Options options = options_of(table, value, context);
  for (const auto& row : rows)
    if (&row.kind == &options.kind()) return row.make(options, rest...);
  return T();  // not reached: options_of() has found it
}

}  // namespace goneuron::config
