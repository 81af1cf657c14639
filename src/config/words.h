// Errors of the library in the words of a config: the library speaks C++, and whoever writes a
// config does not. Used by the program, where it prints an error.
#pragma once

#include <string>

namespace goneuron::config {

/// In the hint `Dense(1, Sigmoid)` becomes `Dense: {units: 1, activation: sigmoid}`, by the tables
/// of what a config can name, `.patience = 3` becomes `patience: 3`; a hint that no config can
/// follow becomes one to where the keys are explained. In the first line `fit()` becomes fit, and
/// lines of the program's own source go. All else, texts in quotes and very long lines are left.
std::string in_words_of_config(const std::string& error);

}  // namespace goneuron::config
