#include "cli/run.h"

#include "config/build.h"
#include "core/message.h"

namespace goneuron::cli {

Run open_run(const std::string& path, const std::vector<std::string>& overrides) {
  const RunFolder folder = find_run(path);
  if (!exists(folder.model()))
    throw_format({.where = folder.path,
                  .what = "there is no model.safetensors yet; expected a run that is done",
                  .hint = exists(folder.checkpoints())
                              ? "goneuron resume " + folder.path + " goes on with it"
                              : "train it: goneuron train CONFIG.yaml"});
  Run run{folder, config::Config::read(folder.config(), overrides), {}, {}, {}};
  config::use_device(run.config);
  run.model = Model::load(folder.model(), {});
  run.classes = lines_of(folder.classes());
  if (exists(folder.preprocessing())) run.preprocessing = read_text(folder.preprocessing());
  return run;
}

Answer answer_of(const Run& run) {
  const config::Value& loss = *run.config.root().find("loss");
  const std::string name = config::named(loss).text;
  const Shape& out = run.model.output().shape();
  if (config::same_name(name, "binary_cross_entropy") && out[-1] == 1) return Answer::yes_or_no;
  if (!config::same_name(name, "cross_entropy")) return Answer::numbers;
  return out.rank() == 2 ? Answer::one_class : Answer::tokens;
}

}  // namespace goneuron::cli
