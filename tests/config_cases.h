// Configs that must be refused, with a name each; config_test compares what is said of them with
// tests/fixtures/config_errors.txt, which is read by people.
#pragma once

#include <string>
#include <vector>

namespace goneuron {

struct RefusedConfig {
  const char* name;
  std::string text;
  std::vector<std::string> overrides = {};
};

/// A whole config in which one line differs: `key` is replaced by `line`, or `line` is added.
inline std::string changed(const std::string& key, const std::string& line) {
  const std::vector<std::pair<std::string, std::string>> lines = {
      {"data", "data: fashion_mnist"},
      {"model", "model: [Flatten, {Dense: {units: 10, activation: softmax}}]"},
      {"loss", "loss: cross_entropy"},
      {"outputs", "outputs: run/first"}};
  std::string text;
  bool found = false;
  for (const auto& [name, usual] : lines) {
    found = found || name == key;
    const std::string& now = name == key ? line : usual;
    if (!now.empty()) text += now + "\n";
  }
  return found ? text : text + line + "\n";
}

inline std::vector<RefusedConfig> refused_configs() {
  std::string deep = "data: ", wide = "data: [";
  for (int i = 0; i < 13; ++i) deep += "[";
  for (int i = 0; i < 3200; ++i) wide += "1, ";
  return {
      // What is no config at all.
      {"Empty", ""},
      {"NoMap", "just a text\n"},
      {"List", "- a\n- b\n"},
      {"UnclosedQuote", "data: \"fashion_mnist\nloss: mse\n"},
      {"BadIndent", "data: fashion_mnist\n  loss: mse\n"},
      {"Tab", "fit:\n\tepochs: 1\n"},
      {"NoUtf8", "data: \xFF\n"},
      {"ControlCharacter", std::string("data: a\x01") + "\n"},
      {"TooLarge", std::string(70000, '#')},
      {"TooDeep", deep},
      {"TooManyMarks", wide},
      {"Anchor", "data: &a fashion_mnist\n"},
      {"Alias", "data: *a\n"},
      {"KnownAlias", "data: fashion_mnist\nloss: {mse: &a {}}\nmodel: *a\n"},
      {"Tag", "data: !!str fashion_mnist\n"},
      {"TwoDocuments", "data: fashion_mnist\n---\nloss: mse\n"},
      {"SameKeyTwice", "data: fashion_mnist\nloss: mse\ndata: mnist\n"},
      {"KeyThatIsAList", "[a, b]: c\n"},
      // Keys.
      {"UnknownKey", changed("", "optimiser: Adam")},
      {"UnknownKeyFarFromAll", changed("", "zebra: 1")},
      {"UnknownKeyOfSection", changed("", "fit:\n  epoch: 10")},
      {"UnknownKeyOfLayer", changed("model", "model:\n  - Flatten\n  - Dense: {unit: 10}")},
      {"MissingKey", changed("loss", "")},
      {"MissingOption", changed("model", "model:\n  - Conv2D: {kernel: 3}")},
      {"MissingOptions", changed("model", "model: [Dense]")},
      {"MissingFolder", changed("outputs", "outputs: {report: true}")},
      // Types.
      {"TextForInteger", changed("", "fit: {epochs: ten}")},
      {"FractionForInteger", changed("", "fit: {epochs: 1.5}")},
      {"QuotedInteger", changed("", "fit: {epochs: \"10\"}")},
      {"HugeInteger", changed("", "seed: 99999999999999999999")},
      {"ListForInteger", changed("", "fit: {batch_size: [32]}")},
      {"NothingForInteger", changed("", "fit:\n  epochs:")},
      {"TextForNumber", changed("", "compile: {ema: high}")},
      {"NotANumber", changed("", "compile: {ema: .nan}")},
      {"YesForBoolean", changed("", "fit: {shuffle: yes}")},
      {"MapForText", changed("", "device: {name: {cpu: 0}}")},
      {"ScalarForList", changed("model", "model: Dense")},
      {"MapForList", changed("model", "model: {Dense: 10}")},
      {"TextForNumbers", changed("", "fit: {class_weight: [1, heavy]}")},
      {"TextForSize", changed("model", "model: [{MaxPool2D: big}]")},
      {"ThreeSizes", changed("model", "model: [{MaxPool2D: [2, 2, 2]}]")},
      // Values.
      {"NoEpochs", changed("", "fit: {epochs: 0}")},
      {"NegativeSeed", changed("", "seed: -1")},
      {"ShareOfOne", changed("", "split: {validation: 1}")},
      {"DropoutOfOne", changed("model", "model: [{Dropout: 1}]")},
      {"RateOfZero", changed("", "optimizer: {Adam: {learning_rate: 0}}")},
      {"FilterOfZero", changed("model", "model: [{Conv2D: {filters: 0, kernel: 3}}]")},
      {"BadPadding", changed("model", "model: [{MaxPool2D: {kernel: 2, padding: full}}]")},
      {"NegativePadding", changed("model", "model: [{MaxPool2D: {kernel: 2, padding: -1}}]")},
      {"UnknownChoice", changed("", "compile: {precision: bf32}")},
      {"UnknownChoiceFarFromAll", changed("", "compile: {precision: double}")},
      // Names.
      {"UnknownLayer",
       changed("model", "model:\n  - Conv2d: {filters: 8, kernel: 3}\n  - Danse: 10")},
      {"UnknownActivation", changed("model", "model: [{Dense: {units: 1, activation: rely}}]")},
      {"UnknownInitializer", changed("model", "model: [{Dense: {units: 1, bias_init: zero}}]")},
      {"UnknownLoss", changed("loss", "loss: crossentropie")},
      {"UnknownMetric", changed("", "metrics: [acuracy]")},
      {"UnknownOptimizer", changed("", "optimizer: {Adamw2: {}}")},
      {"UnknownSchedule",
       changed("", "optimizer: {SGD: {learning_rate: {CosineDecai: {learning_rate: 1}}}}")},
      {"UnknownCallback", changed("", "callbacks: [EarlyStoping]")},
      {"UnknownSource", changed("data", "data: {fashionmnist2: {}}")},
      {"OptionsOfNone", changed("model", "model: [{Flatten: 3}]")},
      {"OptionsNotIndented",
       changed("model", "model:\n  - Dense:\n    units: 10\n  - Dense:\n    units: 1")},
      {"NoName", changed("loss", "loss: []")},
      // Values set on the command line.
      {"SetWithoutValue", changed("", ""), {"fit.epochs"}},
      {"SetWrongType", changed("", ""), {"fit.epochs=many"}},
      {"SetUnknownKey", changed("", ""), {"fit.epocs=3"}},
      {"SetUnknownItem", changed("", ""), {"model.7.Dense.units=3"}},
      {"SetOtherName", changed("", ""), {"data.mnist.take=3"}},
      {"SetEmptyKey", changed("", ""), {"fit..epochs=3"}},
      {"SetNoYaml", changed("", ""), {"fit.epochs=[1"}},
  };
}

}  // namespace goneuron
