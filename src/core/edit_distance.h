// How far two names are apart, for hints such as "did you mean ..?". Used where names are looked
// up: metrics, keys of configs.
#pragma once

#include <cstddef>
#include <string>

namespace goneuron {

/// Letters to insert, delete or replace (Levenshtein 1966).
size_t edit_distance(const std::string& a, const std::string& b);

}  // namespace goneuron
