#include <fmt/format.h>
#include <hwy/highway.h>
#include <hwy/targets.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "cli/commands.h"
#include "goneuron/device.h"

namespace goneuron::cli {
namespace {

/// The value of the first line of /proc/cpuinfo that starts with `key`; empty where there is none.
std::string cpuinfo(const std::string& key) {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);)
    if (line.rfind(key, 0) == 0) {
      const auto value = line.find_first_not_of(" \t:", line.find(':'));
      return value == std::string::npos ? "" : line.substr(value);
    }
  return "";
}

/// Those features of the CPU that kernels can use.
std::string features() {
  static constexpr std::array wanted = {
      "sse4_2",   "avx",      "avx2",        "fma",         "f16c",        "avx512f",
      "avx512bw", "avx512vl", "avx512_vnni", "avx512_bf16", "avx512_fp16", "amx_tile",
      "amx_bf16", "asimd",    "sve",         "sve2",        "bf16"};
  std::string all = cpuinfo("flags");
  if (all.empty()) all = cpuinfo("Features");  // ARM
  std::istringstream words(all);
  std::string found;
  for (std::string word; words >> word;)
    for (const char* feature : wanted)
      if (word == feature) found += (found.empty() ? "" : " ") + word;
  return found.empty() ? "unknown" : found;
}

/// The instruction set that Highway's dispatch picks here, of those that this program was built
/// with.
std::string simd_target() {
  const auto usable = hwy::SupportedTargets() & HWY_TARGETS;
  return hwy::TargetName(usable & -usable);  // the lowest bit is the best target
}

void line(const char* name, const std::string& value) { fmt::print("{:<10} {}\n", name, value); }

}  // namespace

void info() {
  line("goneuron", version());
  std::string model = cpuinfo("model name");
  line("cpu", model.empty() ? "unknown" : model);
  line("features", features());
  line("simd", simd_target());
  line("cores", fmt::format("{} online", sysconf(_SC_NPROCESSORS_ONLN)));
  line("threads", fmt::format("{}", threads()));
  line("libraries",
       fmt::format("Highway {}.{}.{}, zlib {}, fmt {}.{}.{}, nlohmann-json {}.{}.{}", HWY_MAJOR,
                   HWY_MINOR, HWY_PATCH, zlibVersion(), FMT_VERSION / 10000,
                   FMT_VERSION / 100 % 100, FMT_VERSION % 100, NLOHMANN_JSON_VERSION_MAJOR,
                   NLOHMANN_JSON_VERSION_MINOR, NLOHMANN_JSON_VERSION_PATCH));
  line("devices", fmt::format("{}", fmt::join(devices(), ", ")));
}

}  // namespace goneuron::cli
