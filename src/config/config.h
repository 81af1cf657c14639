// Config: a training run as a file says it, checked, with values set on the command line put in.
// Used by the commands of the program, its tests and the fuzzer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "config/options.h"

namespace goneuron::config {

class Config {
 public:
  /// Reads and checks. `overrides` are "fit.epochs=1". Throws FormatError.
  static Config read(const std::string& path, const std::vector<std::string>& overrides = {});
  static Config parse(std::string_view text, const std::string& name,
                      const std::vector<std::string>& overrides = {});
  explicit Config(Value root);

  const Value& root() const { return root_; }
  Options top(const Context& context) const;
  Options section(const char* key) const;
  bool names_callback(const char* name) const;
  /// As text, with what the schema says about each key.
  std::string text() const;

 private:
  Value root_;
};

/// Puts "path.to.key=value" in; a missing section is made. Throws FormatError.
void set_value(Value& root, const std::string& assignment);
/// The file's text. Throws FormatError when it cannot be read or is larger than a config may be.
std::string read_config_file(const std::string& path);

}  // namespace goneuron::config
