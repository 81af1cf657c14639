// Callbacks. Those that take a function are for programs; Logger, checkpoints and the report are
// there without being asked.
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr const char* modes[] = {"auto", "min", "max"};

constexpr Option monitor = {"monitor", Type::text, "val_loss", "val_accuracy",
                            "the number that is watched, a name of the logs"};
constexpr Option mode = {
    "mode", Type::choice, "auto", "max", "which way is better; auto: by the name", {}, modes};
constexpr Option verbose = {"verbose", Type::boolean, "false", "true", "a line when it acts"};

constexpr Option logger_options[] = {{"every", Type::integer, "1", "10",
                                      "epochs from one line to the next, in a file", at_least(1)}};
constexpr Option early_options[] = {
    monitor,
    {"min_delta", Type::number, "0", "0.001", "a smaller change is no improvement", at_least(0)},
    {"patience", Type::integer, "0", "3", "epochs without improvement until training stops",
     at_least(0)},
    mode,
    {"baseline", Type::number, "none", "0.5", "to be beaten within the patience"},
    {"restore_best_weights", Type::boolean, "false", "true",
     "at the end, the weights of the best epoch, not the last"},
    {"start_from_epoch", Type::integer, "0", "5", "epochs before it do not count", at_least(0)},
    verbose};
constexpr Option checkpoint_options[] = {
    {"path", Type::text, "best.safetensors", "'model-{epoch:02}-{val_loss:.3f}.safetensors'",
     "a file in the run's folder; {epoch}, {step} and names of the logs stand for their values"},
    monitor,
    {"save_best_only", Type::boolean, "false", "true", "only where the number has improved"},
    {"save_weights_only", Type::boolean, "false", "true", "without the optimizer and the graph"},
    mode,
    {"save_freq", Type::integer, "0", "1000", "steps from one to the next; 0: each epoch",
     at_least(0)},
    {"keep_last", Type::integer, "0", "3", "files to keep; 0: all", at_least(0)},
    {"initial_value_threshold", Type::number, "none", "0.5", "what counts as the best so far"},
    verbose};
constexpr Option csv_options[] = {
    {"path", Type::text, "log.csv", "log.csv", "a file in the run's folder"},
    {"separator", Type::text, ",", "';'", "between numbers"},
    {"append", Type::boolean, "false", "true", "go on in a file that is there"}};
constexpr Option json_options[] = {
    {"path", Type::text, "log.jsonl", "log.json", "a file in the run's folder"},
    {"lines", Type::boolean, "true", "false", "an object a line; else one array"},
    {"append", Type::boolean, "false", "true", "go on in a file that is there"}};
constexpr Option board_options[] = {
    {"folder", Type::text, "tensorboard", "tensorboard", "a folder in the run's"},
    {"histogram_freq", Type::integer, "0", "1", "epochs between histograms of weights; 0: none",
     at_least(0)},
    {"write_gradients", Type::boolean, "false", "true", "histograms of gradients beside them"},
    {"update_freq", Type::integer, "0", "100", "steps between scalars of batches; 0: none",
     at_least(0)}};
constexpr Option profile_options[] = {
    {"steps", Type::integer, "20", "50", "steps that are timed", at_least(1)},
    {"first_step", Type::integer, "3", "10", "the first of them", at_least(0)},
    {"path", Type::text, "", "profile.txt", "a file in the run's folder; empty: standard output"}};
constexpr Option plateau_options[] = {
    monitor,
    {"factor", Type::number, "0.1", "0.5", "what the rate is multiplied by",
     Bounds{0, 1, true, true}},
    {"patience", Type::integer, "10", "3", "epochs without improvement until it is", at_least(0)},
    mode,
    {"min_delta", Type::number, "0.0001", "0.001", "a smaller change is no improvement",
     at_least(0)},
    {"cooldown", Type::integer, "0", "2", "epochs after a reduction that do not count",
     at_least(0)},
    {"min_lr", Type::number, "0", "0.00001", "the rate falls no lower", at_least(0)},
    verbose};

/// Files of callbacks are the run's.
std::string in_run(const Options& o, const char* key) {
  const std::string path = o.text(key), folder = o.context().folder;
  return path.empty() || path[0] == '/' || folder.empty() ? path : folder + "/" + path;
}
std::string mode_of(const Options& o) { return modes[o.choice("mode")]; }
std::optional<double> optional(const Options& o, const char* key) {
  return o.given(key) ? std::optional<double>(o.number(key)) : std::nullopt;
}

using CallbackRow = Row<Callback, const Options&>;
constexpr CallbackRow callback_rows[] = {
    {{"Logger", "progress: a bar on a terminal, else a line an epoch; there without being asked",
      logger_options},
     [](const Options& o) { return Logger(o.integer("every"), o.site()); }},
    {{"EarlyStopping", "ends training once a number has stopped improving", early_options},
     [](const Options& o) {
       return EarlyStopping({.monitor = o.text("monitor"),
                             .min_delta = o.number("min_delta"),
                             .patience = o.integer("patience"),
                             .verbose = o.boolean("verbose"),
                             .mode = mode_of(o),
                             .baseline = optional(o, "baseline"),
                             .restore_best_weights = o.boolean("restore_best_weights"),
                             .start_from_epoch = o.integer("start_from_epoch")},
                            o.site());
     }},
    {{"ReduceLROnPlateau", "lowers the learning rate once a number has stopped improving",
      plateau_options},
     [](const Options& o) {
       return ReduceLROnPlateau({.monitor = o.text("monitor"),
                                 .factor = o.number("factor"),
                                 .patience = o.integer("patience"),
                                 .verbose = o.boolean("verbose"),
                                 .mode = mode_of(o),
                                 .min_delta = o.number("min_delta"),
                                 .cooldown = o.integer("cooldown"),
                                 .min_lr = o.number("min_lr")},
                                o.site());
     }},
    {{"ModelCheckpoint", "saves the model each epoch, or the best one", checkpoint_options},
     [](const Options& o) {
       return ModelCheckpoint(in_run(o, "path"),
                              {.monitor = o.text("monitor"),
                               .save_best_only = o.boolean("save_best_only"),
                               .save_weights_only = o.boolean("save_weights_only"),
                               .mode = mode_of(o),
                               .save_freq = o.integer("save_freq"),
                               .keep_last = o.integer("keep_last"),
                               .initial_value_threshold = optional(o, "initial_value_threshold"),
                               .verbose = o.boolean("verbose")},
                              o.site());
     }},
    {{"CSVLogger", "a line of numbers for each epoch, as it ends", csv_options},
     [](const Options& o) {
       return CSVLogger(in_run(o, "path"),
                        {.separator = o.text("separator"), .append = o.boolean("append")},
                        o.site());
     }},
    {{"JSONLogger", "the same as JSON", json_options},
     [](const Options& o) {
       return JSONLogger(in_run(o, "path"),
                         {.lines = o.boolean("lines"), .append = o.boolean("append")}, o.site());
     }},
    {{"TensorBoard", "event files for TensorBoard", board_options},
     [](const Options& o) {
       return TensorBoard(in_run(o, "folder"),
                          {.histogram_freq = o.integer("histogram_freq"),
                           .write_gradients = o.boolean("write_gradients"),
                           .update_freq = o.integer("update_freq")},
                          o.site());
     }},
    {{"Profile", "times the training layer by layer and writes a table", profile_options},
     [](const Options& o) {
       return Profile({.first_step = o.integer("first_step"),
                       .steps = o.integer("steps"),
                       .path = in_run(o, "path")},
                      o.site());
     }},
    {{"TerminateOnNaN", "ends training at the first loss that is not finite, and says which layer"},
     [](const Options& o) { return TerminateOnNaN(o.site()); }},
    {{"MovingAverage", "validation is of the moving averages that compile.ema asks for"},
     [](const Options& o) { return MovingAverage(o.site()); }},
};

}  // namespace

const Table& callback_table() {
  static const Table table = {"callback", "callbacks", kinds_of(callback_rows)};
  return table;
}

Callback make_callback(const Value& value, const Context& context) {
  return make_from(callback_rows, callback_table(), value, context);
}

}  // namespace goneuron::config
