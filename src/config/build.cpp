#include "config/build.h"

#include "config/tables.h"
#include "core/message.h"
#include "goneuron/images.h"
#include "io/json_text.h"

namespace goneuron::config {
namespace {

const Context no_context;

/// The layers of the list, those that are repeated as often as they are.
struct Item {
  const Value* value;
  Options options;
  bool first;  // of its repetitions
};
std::vector<Item> items_of(const Value& list) {
  std::vector<Item> items;
  for (const Value& value : list.items) {
    const Options options = options_of(layer_table(), value, no_context);
    for (i64 i = 0; i < options.integer("repeat"); ++i) items.push_back({&value, options, i == 0});
  }
  return items;
}

/// Symbols by name, for layers that say what they read.
class Graph {
 public:
  explicit Graph(const Symbol& input) : last_(input) { names_.emplace_back("input", input); }

  void add(const Item& item) {
    std::vector<Symbol> inputs;
    for (const std::string& name : item.options.texts("inputs"))
      inputs.push_back(find(name, item.options));
    const Layer layer = make_layer(*item.value, no_context);
    const Site site = item.options.site();
    if (inputs.empty() || !item.first)
      last_ = layer(last_, site);
    else
      last_ = inputs.size() == 1 ? layer(inputs[0], site) : layer(inputs, site);
    if (item.options.given("name")) names_.emplace_back(item.options.text("name"), last_);
  }
  const Symbol& last() const { return last_; }

 private:
  const Symbol& find(const std::string& name, const Options& options) const {
    std::vector<std::string> known;
    for (auto at = names_.rbegin(); at != names_.rend(); ++at) {
      if (at->first == name) return at->second;
      known.push_back(at->first);
    }
    const std::string near = nearest(name, known);
    fail_at(options.place(),
            "the inputs name " + shown(name) + "; expected a layer further up that has a name",
            {{"names", quoted_list(known)}},
            near.empty() ? "give the layer that is meant a name: {name: ..}"
                         : "did you mean \"" + near + "\"?");
  }

  Symbol last_;
  std::vector<std::pair<std::string, Symbol>> names_;
};

}  // namespace

void use_device(const Config& config) {
  const Options device = config.section("device");
  set_device(device.text("name"), device.site());
  set_threads(static_cast<int>(device.integer("threads")), device.site());
  set_memory_limit(device.integer("memory_limit"), device.site());
}

namespace {
/// The training data with what the section "augment" asks for; as it is, where that is nothing.
Dataset augmented(const Dataset& train, const Options& o) {
  const data::AugmentOptions options{.flip_horizontal = o.boolean("flip_horizontal"),
                                     .flip_vertical = o.boolean("flip_vertical"),
                                     .rotation = o.number("rotation"),
                                     .zoom = o.number("zoom"),
                                     .shift = o.number("shift"),
                                     .crop_pad = o.integer("crop_pad"),
                                     .noise = o.number("noise"),
                                     .brightness = o.number("brightness"),
                                     .contrast = o.number("contrast"),
                                     .cutout = o.integer("cutout")};
  const bool any = options.flip_horizontal || options.flip_vertical || options.rotation > 0 ||
                   options.zoom > 0 || options.shift > 0 || options.crop_pad > 0 ||
                   options.noise > 0 || options.brightness > 0 || options.contrast > 0 ||
                   options.cutout > 0;
  const UserCall place("augment", o.site(), true);
  return any ? data::augment(train, options, o.site()) : train;
}

/// What is left of all shares is trained on.
void check_shares(const Options& split) {
  const double validation = split.number("validation"), test = split.number("test");
  if (validation + test < 1 - 1e-9) return;  // as 0.7 + 0.3 may be
  fail_at(split.value(split.given("test") ? "test" : "validation"),
          "the shares of split, " + number_text(validation) + " and " + number_text(test) +
              ", are 1 or more together; expected less, since the rest is trained on",
          {}, "0.1 for each is usual");
}
}  // namespace

Loaded load_data(const Config& config, const std::string& preprocessing) {
  const Context context{.preprocessing = preprocessing};
  const Options top = config.top(context), split = top.section("split");
  check_shares(split);
  Loaded data = load(top.value("data"),
                     {.validation = split.number("validation"),
                      .test = split.number("test"),
                      .seed = static_cast<std::uint64_t>(top.integer("seed"))},
                     context);
  if (split.boolean("balanced"))
    data.train = data.train.balanced(static_cast<std::uint64_t>(top.integer("seed")), split.site());
  data.train = augmented(data.train, top.section("augment"));
  const Options fit = top.section("fit");
  if (const i64 threads = fit.integer("loader_threads"); threads > 0)
    data.train = data.train.prefetch(static_cast<int>(threads), fit.site());
  return data;
}

Model build_model(const Config& config, const Shape& input, DType dtype) {
  const Value list = config.top(no_context).value("model");
  if (list.items.empty())
    fail_at(list, "a model of no layers; expected at least one", {}, "for example: - Dense: 1");
  const std::vector<Item> items = items_of(list);
  bool chain = true;
  for (const Item& item : items) chain = chain && item.options.texts("inputs").empty();
  if (chain) {
    std::vector<Layer> layers;
    for (const Item& item : items) layers.push_back(make_layer(*item.value, no_context));
    Model model = Sequential(layers, list.site());
    model.build(input, list.site());
    return model;
  }
  const Symbol entry = Input(input, dtype == DType::i32 ? DType::i32 : DType::f32, list.site());
  Graph graph(entry);
  for (const Item& item : items) graph.add(item);
  return Model(entry, graph.last(), list.site());
}

void compile_model(const Config& config, Model& model, const Dataset& train) {
  const Options fit = config.section("fit");
  const i64 batches = (train.size() - 1) / fit.integer("batch_size") + 1;
  const i64 updates = (batches - 1) / fit.integer("accumulate") + 1;
  const Context context{.total_steps = updates * fit.integer("epochs")};
  const Options top = config.top(context), compile = top.section("compile");
  std::vector<Metric> metrics;
  const Value names = top.value("metrics");
  for (const Value& name : names.items) metrics.push_back(make_metric(name, context));
  model.compile(make_optimizer(top.value("optimizer"), context),
                make_loss(top.value("loss"), context), metrics,
                {.seed = static_cast<std::uint64_t>(top.integer("seed")),
                 .ema = compile.number("ema"),
                 .precision = compile.choice("precision") == 1 ? BF16 : F32,
                 .activation_budget = compile.integer("activation_budget")},
                compile.site());
}

FitOptions fit_options(const Config& config, const Loaded& data, const std::string& folder) {
  const Context context{.folder = folder};
  const Options top = config.top(no_context), fit = top.section("fit");
  FitOptions options{.epochs = fit.integer("epochs"),
                     .batch_size = fit.integer("batch_size"),
                     .validation = data.validation,
                     .shuffle = fit.boolean("shuffle"),
                     .seed = static_cast<std::uint64_t>(top.integer("seed")),
                     .accumulate = fit.integer("accumulate"),
                     .class_weight = fit.numbers("class_weight")};
  const Value callbacks = top.value("callbacks");
  for (const Value& callback : callbacks.items)
    options.callbacks.push_back(make_callback(callback, context));
  return options;
}

}  // namespace goneuron::config
