// Reading the fixtures: a file of its own, since it is optimized where tests are not.
#include "golden.h"

#include <filesystem>
#include <fstream>
#include <map>
#include <set>

namespace goneuron::golden {

const Json& cases(const std::string& name) {
  static std::map<std::string, Json> read;
  Json& all = read[name];
  if (!all.is_null()) return all;
  all = Json::array();
  std::set<std::filesystem::path> paths;
  for (const auto& file :
       std::filesystem::directory_iterator(GONEURON_SOURCE_DIR "/tests/fixtures"))
    if (file.path().filename().string().rfind("golden_" + name, 0) == 0) paths.insert(file.path());
  for (const auto& path : paths) {
    std::ifstream file(path);
    Json document = Json::parse(file);
    for (Json& one : document.at("cases")) all.push_back(std::move(one));
  }
  if (all.empty())
    throw std::runtime_error("no golden_" + name + "*.json: run tools/make_goldens.py");
  return all;
}

}  // namespace goneuron::golden
