// Any text as a config: a FormatError with a place, or a config that is written and read back the
// same; with memory within twice the text + 1 MB.
#include "config/config.h"
#include "config/yaml.h"
#include "goneuron/error.h"
#include "malloc_limit.h"

namespace {
using goneuron::config::Config;

/// The parser makes its regular expressions when it is first used.
bool warm_up() {
  goneuron::config::read_yaml("a: [b, \"c\", 'd', {e: f}]\ng:\n  - h # i\n", "warm");
  try {
    Config::parse("a: |\n  b\n", "warm");
  } catch (const goneuron::FormatError&) {
  }
  return true;
}

void same_again(const Config& config) {
  const std::string text = config.text();
  try {
    goneuron::config::check_size_and_depth(text, "written");
  } catch (const goneuron::FormatError&) {
    return;  // what is nearly as long as a config may be, is longer when it is written
  }
  const Config again = Config::parse(text, "written");
  if (again.text() != text) __builtin_trap();
}
}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, size_t size) {
  static const bool warm = warm_up();
  if (!warm) return 0;
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  bool readable = true;
  {
    const goneuron::fuzz::AllocationPeak peak;
    try {
      goneuron::config::read_yaml(text, "fuzz");
    } catch (const goneuron::FormatError& error) {
      if (std::string(error.what()).find("FormatError: fuzz:") != 0) __builtin_trap();
      readable = false;
    }
    peak.expect_at_most(size, "config");
  }
  if (!readable) return 0;
  try {
    same_again(Config::parse(text, "fuzz"));
  } catch (const goneuron::FormatError& error) {
    if (std::string(error.what()).find("FormatError: fuzz:") != 0) __builtin_trap();
  }
  return 0;
}
