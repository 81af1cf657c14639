#include <cstdio>
#include <filesystem>

#include "cli/commands.h"
#include "cli/run.h"
#include "config/build.h"

namespace goneuron::cli {

void summary(const std::string& path) {
  std::error_code ignored;  // what is no folder is a file
  if (std::filesystem::is_directory(path, ignored))
    std::puts(open_run(path).model.summary(32, {}).c_str());
  else if (path.ends_with(".yaml") || path.ends_with(".yml"))
    show_config(path);
  else
    std::puts(Model::load(path, {}).summary(32, {}).c_str());
}

}  // namespace goneuron::cli
