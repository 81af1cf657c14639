// The vocabulary of a text model, as its run keeps it. Used by the text source and by predict.
#pragma once

#include <string>

#include "goneuron/text.h"

namespace goneuron::config {

/// JSON: {"level": "characters", "tokens": [..]}.
std::string vocabulary_text(const data::Vocabulary& vocabulary, bool bytes);
/// Throws FormatError for what that did not write.
data::Vocabulary kept_vocabulary(const std::string& text);

}  // namespace goneuron::config
