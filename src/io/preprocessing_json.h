// Preprocessing as one line of JSON, members in a fixed order:
//   {"format":1,"header":true,"delimiter":",",.., "columns":[{"name":"rooms","kind":"number",..}]}
// Used by Preprocessing::json and from_json, and by Model::load.
#pragma once

#include "goneuron/csv.h"
#include "io/json_text.h"

namespace goneuron {

/// Throws FormatError, at the reader's place, for what write_preprocessing() would not write.
data::Preprocessing read_preprocessing(JsonReader& json);

}  // namespace goneuron
