#include <algorithm>

#include "core/message.h"
#include "goneuron/callback.h"

namespace goneuron {

bool Logs::has(const std::string& name) const {
  return std::find(names.begin(), names.end(), name) != names.end();
}

double Logs::operator[](const LogName& name) const {
  const auto at =
      static_cast<size_t>(std::find(names.begin(), names.end(), name.text) - names.begin());
  if (at < names.size() && at < values.size()) return values[at];
  throw_graph({user_place("Logs", name.site),
               "there is no value \"" + name.text + "\"; expected one of the names below",
               {{"names", quoted_list(names)}},
               name.text.starts_with("val_")
                   ? "val_ names need {.validation = data} or a validation_split in fit()"
                   : "use one of these, or give the metric to compile()"});
}

}  // namespace goneuron
