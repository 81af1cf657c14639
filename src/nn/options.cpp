#include "nn/options.h"

#include <cmath>

namespace goneuron {

void check_initializer(const Initializer& init, const char* option, const char* kind, Site site) {
  using Kind = Initializer::Kind;
  require(std::isfinite(init.a) && std::isfinite(init.b), kind, site,
          std::string(option) + " has a number that is not finite", "pass finite numbers");
  require(init.kind != Kind::uniform || init.a <= init.b, kind, site,
          std::string(option) + " is RandomUniform with low above high",
          "pass RandomUniform(low, high)");
  require(init.kind != Kind::normal || init.b >= 0, kind, site,
          std::string(option) + " is RandomNormal with a negative standard deviation",
          "pass RandomNormal(mean, stddev) with stddev 0 or more");
}

void check_count(i64 count, const char* what, const char* kind, Site site) {
  require(count >= 1, kind, site, std::to_string(count) + " " + what,
          std::string(what) + " must be at least 1");
}

}  // namespace goneuron
