// The schema as a page, docs/config.md.
#include "config/loaded.h"
#include "config/tables.h"
#include "config/write.h"

namespace goneuron::config {
namespace {

std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) out += c == '|' ? "\\|" : std::string(1, c);
  return out;
}

std::string default_of(const Option& option) {
  if (option.fallback == required) return "must be given";
  return *option.fallback == 0 ? "" : "`" + std::string(option.fallback) + "`";
}

std::string rows_of(std::span<const Option> options) {
  std::string text = "| key | what | default | example | meaning |\n|---|---|---|---|---|\n";
  for (const Option& option : options)
    text += "| `" + std::string(option.key) + "` | " + cell(expected_text(option)) + " | " +
            default_of(option) + " | `" + option.example + "` | " + cell(option.meaning) + " |\n";
  return text;
}

void add_table(std::string& text, const Table& table, const std::string& about) {
  std::string title = table.plural;
  title[0] = static_cast<char>(title[0] - 'a' + 'A');
  text += "\n## " + title + "\n\n" + about + "\n";
  if (!table.common.empty())
    text += "\nAll of them have, besides their own:\n\n" + rows_of(table.common);
  std::string bare;
  for (const Kind* kind : table.kinds)
    if (kind->options.empty())
      bare += "| `" + std::string(kind->name) + "` | " + cell(kind->meaning) + " |\n";
  if (!bare.empty()) text += "\nWithout options:\n\n| name | meaning |\n|---|---|\n" + bare;
  for (const Kind* kind : table.kinds)
    if (!kind->options.empty())
      text += "\n### " + std::string(kind->name) + "\n\n" + kind->meaning + "\n\n" +
              rows_of(kind->options);
}

constexpr const char* head = R"(# Config files

Everything that `goneuron train CONFIG.yaml` reads: its keys, and what can be named in them. Written by
`goneuron train --help-config`, from the table that configs are checked with.

A config is YAML with maps, lists and scalars. Whatever has options can be written as its name alone, `Flatten`; with the
value of its first option, `Dropout: 0.5`; or with all that is to differ from the defaults,
`Conv2D: {filters: 32, kernel: 3}`. Names are the same whatever their case and underscores. Paths are those of the folder
that the program runs in. `--set fit.epochs=1` puts a value in the place of the file's.

Not taken: anchors, aliases, tags, several documents, the same key twice; more than 64 KiB, 2000 values, twelve levels.
)";

}  // namespace

std::string schema_page() {
  std::string text = head;
  text += "\n## Keys\n\n" + rows_of(root().options);
  for (const Option& option : root().options)
    if (option.section != nullptr)
      text += "\n### " + std::string(option.key) + "\n\n" + option.section->meaning + "\n\n" +
              rows_of(option.section->options);
  add_table(text, source_table(), "For `data`.");
  add_table(text, layer_table(),
            "For `model`: a list, each layer reading the one before it, or those that its `inputs` "
            "name.");
  add_table(text, activation_table(), "For a layer's `activation`.");
  add_table(text, initializer_table(), "For a layer's first values.");
  add_table(text, loss_table(), "For `loss`.");
  add_table(text, metric_table(), "For `metrics`.");
  add_table(text, optimizer_table(), "For `optimizer`.");
  add_table(text, schedule_table(), "For an optimizer's `learning_rate`.");
  add_table(text, callback_table(), "For `callbacks`.");
  return text;
}

}  // namespace goneuron::config
