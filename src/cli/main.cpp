// The `goneuron` program: reads the command line and calls a command.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <exception>
#include <memory>

#include "cli/commands.h"
#include "config/schema.h"
#include "config/words.h"
#include "core/message.h"
#include "goneuron/error.h"

namespace {
using namespace goneuron::cli;

constexpr const char* codes =
    "Exit codes: 0 done; 1 it failed, standard error says why (a config, data or a file that is "
    "not "
    "as it should be); 2 wrong usage; 3 interrupted, what was learnt is kept; 4 the machine: not "
    "enough memory, or a device that is not there.";

/// What the commands return, once one has run.
struct Outcome {
  int code = 0;
};

CLI::App* command(CLI::App& app, const char* name, const char* about) {
  auto* made = app.add_subcommand(name, about);
  made->footer(codes);
  return made;
}

void add_set(CLI::App* made, std::vector<std::string>& overrides) {
  made->add_option("--set", overrides, "a value in the place of the config's: fit.epochs=1")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
}

void add_train(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<TrainOptions>();
  auto path = std::make_shared<std::string>();
  auto* made = command(app, "train", "trains as a config file says");
  auto* file = made->add_option("CONFIG", *path, "a YAML file; goneuron init writes one");
  add_set(made, options->overrides);
  made->add_flag("--check", options->check, "reads, builds and sums up, but does not train");
  made->add_flag("--overwrite", options->overwrite, "in the place of a run of the same folder");
  made->add_flag("--quiet", options->quiet, "no progress");
  made->add_flag("--help-config", options->help_config,
                 "prints every key of a config and what it can name");
  made->callback([=, &outcome] {
    if (options->help_config) return help_config();
    if (file->count() == 0) throw CLI::RequiredError("CONFIG");
    outcome.code = train(*path, *options);
  });
}

void add_resume(CLI::App& app, Outcome& outcome) {
  auto options = std::make_shared<TrainOptions>();
  auto path = std::make_shared<std::string>();
  auto* made =
      command(app, "resume", "goes on with a run that was interrupted, or for more epochs");
  made->add_option("RUN", *path, "the folder of the run")->required();
  add_set(made, options->overrides);
  made->add_flag("--quiet", options->quiet, "no progress");
  made->callback([=, &outcome] { outcome.code = resume(*path, *options); });
}

void add_evaluate(CLI::App& app) {
  auto options = std::make_shared<EvaluateOptions>();
  auto path = std::make_shared<std::string>();
  auto* made =
      command(app, "evaluate", "loss and metrics of a run's model on its data, or on other");
  made->add_option("RUN", *path, "the folder of the run")->required();
  made->add_option("DATA", options->data,
                   "all of another file or folder of the same form; default: the config's data");
  made->add_option("--part", options->part, "of the data; default: test, else validation")
      ->check(CLI::IsMember({"train", "validation", "test"}));
  add_set(made, options->overrides);
  made->add_flag("--json", options->json, "one JSON object");
  made->callback([=] { evaluate(*path, *options); });
}

void add_predict(CLI::App& app) {
  auto options = std::make_shared<PredictOptions>();
  auto path = std::make_shared<std::string>();
  auto format = std::make_shared<std::string>("csv");
  auto* made = command(app, "predict", "what a run's model makes of new inputs");
  made->add_option("RUN", *path, "the folder of the run")->required();
  made->add_option("INPUT", options->inputs,
                   "files: CSV rows as the training data's, images, arrays, numbers; of a model of "
                   "text its beginning, in files or as it is; - is standard input")
      ->required();
  made->add_option("--format", *format, "of the predictions")
      ->check(CLI::IsMember({"csv", "json"}));
  made->add_option("--output", options->output, "a file; default: standard output");
  made->add_flag("--all", options->all, "the probability of every class");
  made->add_option("--length", options->length, "of a text: characters to write")
      ->check(CLI::Range(1, 1000000));
  made->add_option("--temperature", options->temperature,
                   "of a text: 0 takes the likeliest, 1 as the model says")
      ->check(CLI::Range(0.0, 100.0));
  made->add_option("--seed", options->seed, "of a text's choices");
  made->callback([=] {
    options->json = *format == "json";
    predict(*path, *options);
  });
}

void add_init(CLI::App& app) {
  auto options = std::make_shared<InitOptions>();
  auto path = std::make_shared<std::string>();
  auto* made = command(app, "init", "writes a config for data, with comments; asks nothing");
  made->add_option("DATA", *path, "a CSV file, a folder of images by class, a text, or IDX images")
      ->required();
  made->add_option("--target", options->target,
                   "of a table: the column to predict; default: the last");
  made->add_option("--output", options->output, "the config; default: named after the target");
  made->add_flag("--overwrite", options->overwrite, "a file that is there already");
  made->callback([=] { init(*path, *options); });
}

void add_files(CLI::App& app) {
  auto path = std::make_shared<std::string>();
  auto* sum =
      command(app, "summary", "layers, shapes and parameters of a model, a run or a config");
  sum->add_option("FILE", *path, "a model file, a run's folder or a config")->required();
  sum->callback([=] { summary(*path); });
  auto* look = command(app, "inspect", "what a file is and what is in it");
  look->add_option("FILE", *path, "a model, a checkpoint, data, a config, a run")->required();
  look->callback([=] { inspect(*path); });
  auto* page = command(app, "report", "writes a run's report.html again, with its test data");
  page->add_option("RUN", *path, "the folder of the run")->required();
  page->callback([=] { report(*path); });
}

void add_bench(CLI::App& app) {
  auto workload = std::make_shared<std::string>();
  auto options = std::make_shared<BenchOptions>();
  auto names = workload_names();
  names.push_back("all");
  names.push_back("csv");
  auto* made =
      command(app, "bench", "ms per training step, or MB/s of csv; the last line is a JSON object");
  made->add_option("WORKLOAD", *workload, "what to time; \"all\" prints a JSON line for each")
      ->required()
      ->check(CLI::IsMember(names));
  made->add_option("--threads", options->threads, "workers; 0: one a core")
      ->check(CLI::Range(0, 1024));
  made->add_option("--seconds", options->seconds, "of timing, a workload")
      ->check(CLI::Range(0.01, 3600.0));
  made->add_flag("--infer", options->infer, "predictions of one sample instead of training steps");
  made->add_flag("--bf16", options->bf16,
                 "products of bf16; the peak that is told stays that of f32");
  made->add_flag("--profile", options->profile,
                 "first a table of where the training step spends its time");
  made->add_flag("--json", options->json_only, "the JSON line alone");
  made->callback([=] {
    if (*workload == "csv")
      bench_csv(*options);
    else
      bench(*workload, *options);
  });
}

/// What is wrong with the name of a command; empty where it is one, or an option.
std::string wrong_name(const CLI::App& app, const std::string& given) {
  std::vector<std::string> names;
  for (const CLI::App* known : app.get_subcommands({})) names.push_back(known->get_name());
  if (given.rfind('-', 0) == 0 || std::find(names.begin(), names.end(), given) != names.end())
    return "";
  const std::string near = goneuron::config::nearest(given, names);
  return "no command \"" + given + "\"; " +
         (near.empty() ? "expected one of " + goneuron::quoted_list(names)
                       : "did you mean \"" + near + "\"?");
}

int run(int argc, char** argv) {
  CLI::App app("GoNeuron: deep learning in C++20");
  app.footer(codes);
  app.set_version_flag("--version", GONEURON_VERSION);
  app.require_subcommand(1);
  Outcome outcome;
  add_train(app, outcome);
  add_resume(app, outcome);
  add_evaluate(app);
  add_predict(app);
  add_files(app);
  add_init(app);
  add_bench(app);
  command(app, "info", "version, CPU, threads, libraries and devices")->callback(info);
  if (const std::string wrong = argc > 1 ? wrong_name(app, argv[1]) : ""; !wrong.empty()) {
    std::fprintf(stderr, "goneuron: %s\n", wrong.c_str());
    return exit_usage;
  }
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : exit_usage;
  }
  return outcome.code;
}

int fail(const std::exception& error, int code) {
  std::fprintf(stderr, "goneuron: %s\n",
               goneuron::config::in_words_of_config(error.what()).c_str());
  return code;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const goneuron::OutOfMemory& error) {
    return fail(error, exit_machine);
  } catch (const goneuron::DeviceError& error) {
    return fail(error, exit_machine);
  } catch (const std::exception& error) {
    return fail(error, exit_failed);
  }
}
