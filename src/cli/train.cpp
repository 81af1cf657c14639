// `goneuron train` and `goneuron resume`.
#include <fmt/format.h>

#include <chrono>
#include <cstdio>

#include "cli/commands.h"
#include "cli/interrupt.h"
#include "cli/results.h"
#include "config/build.h"
#include "config/write.h"
#include "core/message.h"
#include "goneuron/callbacks.h"
#include "goneuron/csv.h"
#include "train/fit_loop.h"

namespace goneuron::cli {
namespace {

using config::Config;
using config::Loaded;

void say(const std::string& line) {
  fmt::print("{}\n", line);
  std::fflush(stdout);
}

void describe(const Loaded& data, const Model& model) {
  std::string text =
      fmt::format("data   {} samples of {}", grouped(data.train.size()), sample_text(data.train));
  if (data.validation) text += fmt::format(", {} to watch it by", grouped(data.validation.size()));
  if (data.test && data.test.impl() != data.validation.impl())
    text += fmt::format(", {} to judge it by", grouped(data.test.size()));
  say(text);
  say(fmt::format("model  {} layers, {} weights", model.layers().size(),
                  grouped(model.parameters())));
}

void keep_inputs(const RunFolder& run, const Config& config, const Loaded& data) {
  write_text(run.config(), config.text());
  std::string classes;
  for (const std::string& name : data.classes) classes += name + "\n";
  if (!classes.empty()) write_text(run.classes(), classes);
  if (!data.preprocessing.empty()) write_text(run.preprocessing(), data.preprocessing);
}

void keep_results(const RunFolder& run, const Model& model, const RunResult& result) {
  model.save(run.model(), {});
  result.history.save_csv(run.history_csv(), {});
  result.history.save_json(run.history_json(), {});
}

/// How to use the model, with what its data source takes.
std::string predict_line(const RunFolder& run, const Config& config) {
  const std::string source = config::named(*config.root().find("data")).text;
  const auto is = [&](const char* name) { return config::same_name(source, name); };
  const char* input = is("csv")      ? " NEW.csv"
                      : is("images") ? " IMAGE.png"
                      : is("text")   ? " \"BEGINNING\""
                                     : " INPUT";
  return "goneuron predict " + run.path + input;
}

void finish(const RunFolder& run, const Config& config, const Model& model, const Loaded& data,
            RunResult& result) {
  keep_results(run, model, result);  // whatever the other data is like
  const Dataset& judged = data.test ? data.test : data.validation;
  if (judged) {
    result.test = model.evaluate(judged, config.section("fit").integer("batch_size"), {});
    keep_results(run, model, result);
  }
  const bool report = config.section("outputs").boolean("report");
  say(fmt::format("done   {} in {}{}{}",
                  result.history.epochs.empty()
                      ? std::string("nothing")
                      : fmt::format("{} epoch{}", result.history.epochs.size(),
                                    result.history.epochs.size() == 1 ? "" : "s"),
                  time_text(result.seconds),
                  judged ? data.test ? "; on test data: " : "; on validation data: " : "",
                  numbers_text(result.test) + own_unit_text(data.preprocessing, result.test)));
  say(fmt::format("kept   {}: model.safetensors, config.yaml, history.csv, history.json{}",
                  run.path, report ? ", report.html" : ""));
  say("next   " + predict_line(run, config));
}

FitOptions with_callbacks(const Config& config, const RunFolder& run, const Loaded& data,
                          bool quiet) {
  FitOptions fit = config::fit_options(config, data, run.path);
  if (!quiet && !config.names_callback("Logger"))
    fit.callbacks.insert(fit.callbacks.begin(), Logger(1));
  fit.callbacks.push_back(InterruptGuard::callback());
  const config::Options outputs = config.section("outputs");
  if (outputs.boolean("report"))
    fit.callbacks.push_back(
        HTMLReport(run.report(), {.title = run.path, .class_names = data.classes}, outputs.site()));
  if (outputs.boolean("checkpoints"))
    fit.callbacks.push_back(BackupAndRestore(
        run.checkpoints(), {.every_steps = outputs.integer("checkpoint_steps")}, outputs.site()));
  return fit;
}

struct Ready {
  Loaded data;
  Model model;
  FitOptions fit;
};

/// Everything that can be wrong with the config or its data is found here, before a run is made.
Ready prepare(const Config& config, const RunFolder& run, bool quiet) {
  config::use_device(config);
  Ready ready{config::load_data(config), {}, {}};
  const Dataset& train = ready.data.train;
  ready.model = config::build_model(config, train.x_shape(), train.x_dtype());
  config::compile_model(config, ready.model, train);
  if (ready.data.preprocessing.rfind('{', 0) == 0)
    ready.model.set_preprocessing(data::Preprocessing::from_json(ready.data.preprocessing, {}), {});
  ready.fit = with_callbacks(config, run, ready.data, quiet);
  const Site site = config.section("fit").site();
  check_fit(ready.model, train, ready.fit, site);
  ready.model.evaluate(train.take(1), 1, site);  // whether its samples can be read at all
  return ready;
}

void show(const Ready& ready, const Config& config) {
  describe(ready.data, ready.model);
  say(ready.model.summary(config.section("fit").integer("batch_size"), {}));
}

/// 0, or 3 when it was interrupted.
int run_training(const Config& config, const RunFolder& run, Ready& ready, bool quiet) {
  auto& [data, model, fit] = ready;
  if (!quiet) describe(data, model);
  // Once the training is under way: what cannot go on leaves the run as it is.
  bool kept = false;
  const auto keep = [&](TrainingState&) {
    if (!kept) keep_inputs(run, config, ready.data);
    kept = true;
  };
  fit.callbacks.insert(fit.callbacks.begin(),
                       LambdaCallback({.on_train_end = keep, .on_step_end = keep}));
  const InterruptGuard guard;
  const auto start = std::chrono::steady_clock::now();
  RunResult result{.history = model.fit(data.train, fit, config.section("fit").site())};
  result.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  if (InterruptGuard::interrupted()) {
    keep_results(run, model, result);
    const bool goes_on = config.section("outputs").boolean("checkpoints");
    fmt::print(stderr, "goneuron: interrupted; {} holds what is learnt so far{}\n", run.path,
               goes_on ? "; goneuron resume " + run.path + " goes on" : "");
    return exit_interrupted;
  }
  finish(run, config, model, data, result);
  return 0;
}

}  // namespace

void help_config() { fmt::print("{}", config::schema_page()); }

void show_config(const std::string& path) {
  const Config config = Config::read(path);
  show(prepare(config, run_of(config), true), config);
}

int train(const std::string& path, const TrainOptions& options) {
  const Config config = Config::read(path, options.overrides);
  NewRun run(config, path, options.overwrite);
  Ready ready = prepare(config, run.folder(), options.quiet);
  if (options.check) return show(ready, config), 0;
  run.begin();
  return run_training(config, run.folder(), ready, options.quiet);
}

int resume(const std::string& path, const TrainOptions& options) {
  const RunFolder run = find_run(path);
  if (!exists(run.checkpoints()))
    throw_format({.where = run.path,
                  .what = "the run has no checkpoints; expected some to go on from",
                  .hint = "a run without outputs.checkpoints cannot be resumed; train it again"});
  const Config config = Config::read(run.config(), options.overrides);
  Ready ready = prepare(config, run, options.quiet);
  return run_training(config, run, ready, options.quiet);
}

}  // namespace goneuron::cli
