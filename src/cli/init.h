// What `goneuron init` writes for each sort of data. Used by init.cpp.
#pragma once

#include <string>

#include "cli/commands.h"
#include "config/value.h"
#include "goneuron/shape.h"

namespace goneuron::cli {

/// A config to begin with, and what to tell about the data.
struct Draft {
  config::Value root;
  std::string name;   // of the file and the run: "price"
  std::string about;  // lines for people, which go to the file's head as comments
};

Draft draft_for_table(const std::string& path, const InitOptions& options);
Draft draft_for_images(const std::string& folder);
Draft draft_for_text(const std::string& path);
Draft draft_for_idx(const std::string& path);

/// Helpers for drafts: `key: {options}` and such.
config::Value object(const std::string& name, std::vector<config::Value> options);
config::Value option(const std::string& key, const std::string& text);
/// data, split, model, loss, metrics, optimizer, fit, callbacks, seed, outputs: in the order of the
/// schema.
config::Value draft_root(config::Value data, config::Value split, std::vector<config::Value> layers,
                         config::Value loss, std::vector<config::Value> metrics,
                         config::Value optimizer, i64 epochs, i64 batch,
                         std::vector<config::Value> callbacks, const std::string& name);

}  // namespace goneuron::cli
