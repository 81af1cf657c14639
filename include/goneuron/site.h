// Site: the file and line of the user's code that made something, for error messages.
// Taken as a defaulted last parameter by every public factory; filled in by the compiler.
#pragma once

namespace goneuron {

struct Site {
  const char* file = "";
  int line = 0;

  static constexpr Site here(const char* file = __builtin_FILE(), int line = __builtin_LINE()) {
    return {file, line};
  }
};

}  // namespace goneuron
