// The `goneuron` program: reads the command line and calls a command.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <exception>

#include "cli/commands.h"

namespace {

constexpr int failed = 1, wrong_usage = 2;

int run(int argc, char** argv) {
  using namespace goneuron::cli;
  CLI::App app("GoNeuron: deep learning in C++20");
  app.footer("Exit codes: 0 done; 1 it failed, standard error says why; 2 wrong usage.");
  app.set_version_flag("--version", GONEURON_VERSION);
  app.require_subcommand(1);
  app.add_subcommand("info", "version, CPU, threads, libraries and devices")->callback(info);

  std::string file;
  auto* summary_command =
      app.add_subcommand("summary", "layers, shapes and parameters of a saved model");
  summary_command->add_option("FILE", file, "a file written by Model::save")->required();
  summary_command->callback([&] { summary(file); });

  std::string workload;
  BenchOptions options;
  auto names = workload_names();
  names.push_back("all");
  auto* bench_command =
      app.add_subcommand("bench", "ms per training step; the last line is a JSON object");
  bench_command
      ->add_option("WORKLOAD", workload, "what to time; \"all\" prints a JSON line for each")
      ->required()
      ->check(CLI::IsMember(names));
  bench_command->add_option("--threads", options.threads, "workers; 0: one a core")
      ->check(CLI::Range(0, 1024));
  bench_command->add_option("--seconds", options.seconds, "of timing, a workload")
      ->check(CLI::Range(0.01, 3600.0));
  bench_command->add_flag("--infer", options.infer,
                          "predictions of one sample instead of training steps");
  bench_command->add_flag("--bf16", options.bf16,
                          "products of bf16; the peak that is told stays that of f32");
  bench_command->add_flag("--profile", options.profile,
                          "first a table of where the training step spends its time");
  bench_command->add_flag("--json", options.json_only, "the JSON line alone");
  bench_command->callback([&] { bench(workload, options); });

  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : wrong_usage;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  try {
    return run(argc, argv);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "goneuron: %s\n", error.what());
    return failed;
  }
}
