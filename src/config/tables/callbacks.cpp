// Callbacks. The progress is the program's own.
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr Option logger_options[] = {{"every", Type::integer, "1", "10",
                                      "epochs from one line to the next, in a file", at_least(1)}};

using CallbackRow = Row<Callback, const Options&>;
constexpr CallbackRow rows[] = {
    {{"Logger", "progress: a bar on a terminal, else a line an epoch; there without being asked",
      logger_options},
     [](const Options& o) { return Logger(o.integer("every"), o.site()); }},
};

}  // namespace

const Table& callback_table() {
  static const Table table = {"callback", "callbacks", kinds_of(rows)};
  return table;
}

Callback make_callback(const Value& value, const Context& context) {
  return make_from(rows, callback_table(), value, context);
}

}  // namespace goneuron::config
