// Writes configs with comments from the schema, and the schema itself as a page. Used by
// `goneuron init`, for the copy in a run folder, and for docs/config.md.
#pragma once

#include <string>

#include "config/schema.h"
#include "config/value.h"

namespace goneuron::config {

/// A config as YAML, a comment at each key: its meaning, from the schema.
std::string config_text(const Value& root);
/// Every key and everything that can be named, with types, defaults and meanings: Markdown.
std::string schema_page();
/// One line: {filters: 32, kernel: 3}
std::string flow_text(const Value& value);

}  // namespace goneuron::config
