#include <algorithm>

#include "core/message.h"
#include "goneuron/callback.h"

namespace goneuron {

bool Logs::has(const std::string& name) const {
  return std::find(names.begin(), names.end(), name) != names.end();
}

double Logs::operator[](const std::string& name) const {
  const auto at = static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
  if (at < names.size() && at < values.size()) return values[at];
  throw_graph({"Logs",
               "there is no value named \"" + name + "\"",
               {{"names", quoted_list(names)}},
               "use one of these names, or give the metric to compile()"});
}

}  // namespace goneuron
