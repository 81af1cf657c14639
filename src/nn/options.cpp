#include "nn/options.h"

#include <cmath>

namespace goneuron {

void check_initializer(const Initializer& init, const char* option, const char* kind, Site site) {
  using Kind = Initializer::Kind;
  require(std::isfinite(init.a) && std::isfinite(init.b), kind, site,
          std::string(option) + " has a number that is not finite; expected finite numbers",
          "check where they come from: a division by 0 gives inf or nan");
  require(init.kind != Kind::uniform || init.a <= init.b, kind, site,
          std::string(option) + " is RandomUniform with low above high; expected low first",
          "pass RandomUniform(low, high)");
  require(init.kind != Kind::normal || init.b >= 0, kind, site,
          std::string(option) +
              " is RandomNormal with a negative standard deviation; expected 0 or more",
          "pass RandomNormal(mean, stddev), in this order");
}

void check_count(i64 count, const char* what, const char* kind, Site site) {
  require(
      count != Any, kind, site, std::string("Any ") + what + "; expected a number, at least 1",
      "a dimension that is not known yet is Any: give it to Input(), or build() the model first");
  require(count >= 1, kind, site, std::to_string(count) + " " + what + "; expected at least 1",
          std::string("pass the number of ") + what + ", 1 or more");
}

}  // namespace goneuron
