// The keys of a config, from the top.
#include "config/loaded.h"
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr const char* precisions[] = {"f32", "bf16"};
constexpr double most = 9007199254740992;  // 2^53: whole numbers up to it are exact as numbers

constexpr Option split_options[] = {
    {"validation", Type::number, "0", "0.1",
     "share of the training data that is kept to watch the training by", share},
    {"test", Type::number, "0", "0.1",
     "share of the data that is kept to judge the model by, where the source has no test data",
     share},
    {"balanced", Type::boolean, "false", "true",
     "in training every class comes as often as the largest"},
};
constexpr Option augment_options[] = {
    {"flip_horizontal", Type::boolean, "false", "true",
     "left and right exchanged in half of the samples"},
    {"flip_vertical", Type::boolean, "false", "true", "the same for top and bottom"},
    {"rotation", Type::number, "0", "15", "degrees at most, to either side", from_to(0, 180)},
    {"zoom", Type::number, "0", "0.2", "0.2: 0.8 to 1.2 times as large", share},
    {"shift", Type::number, "0", "0.1", "share of height and of width at most, to either side",
     share},
    {"crop_pad", Type::integer, "0", "4", "pixels put around, then cut to the old size anywhere",
     from_to(0, 4096)},
    {"noise", Type::number, "0", "0.05", "standard deviation of noise, white being 1",
     from_to(0, 1)},
    {"brightness", Type::number, "0", "0.2", "added at most, either sign, white being 1",
     from_to(0, 1)},
    {"contrast", Type::number, "0", "0.2", "0.2: 0.8 to 1.2 times the distance from the mean",
     share},
    {"cutout", Type::integer, "0", "8", "side of a square that is blackened, in pixels",
     from_to(0, 4096)},
};
constexpr Option fit_options[] = {
    {"epochs", Type::integer, "10", "10", "passes over the training data", from_to(1, 1e6)},
    {"batch_size", Type::integer, "32", "64", "samples of a step", from_to(1, 1e9)},
    {"shuffle", Type::boolean, "true", "false", "another order of the samples in each epoch"},
    {"class_weight", Type::numbers, "[]", "[1, 9]",
     "a number for each class: how often its samples count in training", at_least(0)},
    {"accumulate", Type::integer, "1", "4", "batches whose gradients make one update",
     from_to(1, 1e6)},
    {"loader_threads", Type::integer, "0", "2",
     "that read and change samples beside the training; 0: as the data source says",
     from_to(0, 64)},
};
constexpr Option compile_options[] = {
    {"ema", Type::number, "0", "0.999",
     "momentum of a moving average of the weights, kept beside them; 0: none", share},
    {"precision",
     Type::choice,
     "f32",
     "bf16",
     "what products multiply; sums are f32",
     {},
     precisions},
    {"activation_budget", Type::integer, "0", "200000000",
     "bytes that a step's activations may take, by computing some twice; 0: any", from_to(0, most)},
};
constexpr Option device_options[] = {
    {"name", Type::text, "cpu", "cpu", "where models run; goneuron info lists the devices"},
    {"threads", Type::integer, "0", "2", "workers; 0: one a core; results are the same for any",
     from_to(0, 1024)},
    {"memory_limit", Type::integer, "0", "2000000000",
     "bytes that the training may take; 0: what the system has", from_to(0, most)},
};
constexpr Option output_options[] = {
    {"folder", Type::text, required, "run/first",
     "where the run is kept: model, history, report, a copy of the config"},
    {"checkpoints", Type::boolean, "true", "false",
     "what goneuron resume goes on from, written beside the training"},
    {"checkpoint_steps", Type::integer, "0", "1000",
     "steps from one to the next; 0: after each epoch and every five minutes", from_to(0, most)},
    {"report", Type::boolean, "true", "false", "a page of curves and facts, report.html"},
};

constexpr Kind split = {"split", "which part of the data is kept from training", split_options};
constexpr Kind augment = {"augment", "random changes of the training images", augment_options};
constexpr Kind fit = {"fit", "the training", fit_options};
constexpr Kind compile = {"compile", "how steps compute", compile_options};
constexpr Kind device = {"device", "where they run", device_options};
constexpr Kind outputs = {"outputs", "what is kept", output_options};

constexpr Option root_options[] = {
    {"data",
     Type::object,
     required,
     "{fashion_mnist: {}}",
     "what to learn from",
     {},
     {},
     source_table},
    {"split", Type::section, "", "{validation: 0.1}", split.meaning, {}, {}, nullptr, &split},
    {"augment",
     Type::section,
     "",
     "{flip_horizontal: true}",
     augment.meaning,
     {},
     {},
     nullptr,
     &augment},
    {"model",
     Type::objects,
     required,
     "[{Dense: 64}, {Dense: 1}]",
     "the layers, from the input on",
     {},
     {},
     layer_table},
    {"loss", Type::object, required, "mse", "what training makes small", {}, {}, loss_table},
    {"metrics",
     Type::objects,
     "[]",
     "[accuracy]",
     "what is reported besides the loss",
     {},
     {},
     metric_table},
    {"optimizer",
     Type::object,
     "Adam",
     "{Adam: {learning_rate: 0.001}}",
     "how gradients change the weights",
     {},
     {},
     optimizer_table},
    {"fit", Type::section, "", "{epochs: 10}", fit.meaning, {}, {}, nullptr, &fit},
    {"compile", Type::section, "", "{ema: 0.999}", compile.meaning, {}, {}, nullptr, &compile},
    {"callbacks",
     Type::objects,
     "[]",
     "[EarlyStopping]",
     "what watches and steers the training",
     {},
     {},
     callback_table},
    {"seed", Type::integer, "0", "1", "of first weights, shuffling, dropout: same seed, same bits",
     from_to(0, most)},
    {"device", Type::section, "", "{threads: 2}", device.meaning, {}, {}, nullptr, &device},
    {"outputs", Type::section, required, "run/first", outputs.meaning, {}, {}, nullptr, &outputs},
};
constexpr Kind whole = {"config", "a training run", root_options};

}  // namespace

const Kind& root() { return whole; }

}  // namespace goneuron::config
