#include <cstdio>

#include "cli/commands.h"
#include "goneuron/model.h"

namespace goneuron::cli {

void summary(const std::string& path) { std::puts(Model::load(path).summary().c_str()); }

}  // namespace goneuron::cli
