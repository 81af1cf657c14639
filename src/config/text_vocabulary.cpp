#include "config/text_vocabulary.h"

#include "core/message.h"
#include "io/json_text.h"

namespace goneuron::config {

std::string vocabulary_text(const data::Vocabulary& vocabulary, bool bytes) {
  if (bytes) return "[\"bytes\"]\n";
  std::string text = "[\"characters\"";
  for (const std::string& token : vocabulary.tokens()) text += ", " + json_quote(token);
  return text + "]\n";
}

data::Vocabulary kept_vocabulary(const std::string& text) {
  JsonReader reader(text, "the vocabulary");
  std::vector<std::string> tokens;
  reader.begin('[');
  while (reader.more()) tokens.push_back(reader.string());
  reader.finish();
  if (tokens.empty() || (tokens[0] != "bytes" && tokens[0] != "characters"))
    throw_format({.where = "the vocabulary",
                  .what = "the list does not begin with its level; expected \"characters\" or "
                          "\"bytes\"",
                  .hint = "the run's preprocessing.json was changed: train again"});
  const bool bytes = tokens[0] == "bytes";
  tokens.erase(tokens.begin());
  return bytes ? data::Vocabulary::bytes() : data::Vocabulary(tokens);
}

}  // namespace goneuron::config
