// The names that graphs in files use for roles and initializers. Used by the writer and the reader of graphs.
#pragma once

#include <string_view>

namespace goneuron {

inline constexpr std::string_view role_names[] = {"input",    "parameter", "state", "activation",
                                                  "gradient", "constant",  "slot"};
inline constexpr std::string_view init_names[] = {"zeros",         "ones",       "constant",  "uniform",
                                                  "normal",        "glorot_uniform", "glorot_normal",
                                                  "he_uniform",    "he_normal",  "torch_default"};
inline constexpr std::string_view dtype_names[] = {"f32", "f64", "bf16", "f16", "i32", "i8", "u8", "i16"};

}  // namespace goneuron
