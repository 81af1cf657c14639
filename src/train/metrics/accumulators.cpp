#include "train/metrics/accumulators.h"

#include <charconv>
#include <cmath>
#include <string_view>

#include "core/message.h"

namespace goneuron {

namespace {
struct Kind {
  const char* name;
  std::unique_ptr<Accumulator> (*make)(const Numbers&);
};
constexpr Kind kinds[] = {{"class_counts", class_counts},
                          {"confusion_counts", confusion_counts},
                          {"ranked_scores", ranked_scores},
                          {"residuals", residuals},
                          {"exp_mean", exp_mean}};
}  // namespace

std::string spec_text(const char* kind, const Numbers& numbers) {
  std::string text = kind;
  for (size_t i = 0; i < numbers.size(); ++i)
    text += (i == 0 ? ":" : ",") + number_text(numbers[i]);
  return text;
}

std::unique_ptr<Accumulator> accumulator_of(const std::string& spec) {
  const size_t colon = spec.find(':');
  if (colon == std::string::npos || spec.size() > 1000) return nullptr;
  Numbers numbers;
  const char* at = spec.data() + colon;
  const char* end = spec.data() + spec.size();
  while (at != end && (*at == ':' || *at == ',')) {
    double value = 0;
    const auto [stop, error] = std::from_chars(at + 1, end, value);
    if (error != std::errc() || !std::isfinite(value)) return nullptr;
    numbers.push_back(value);
    at = stop;
  }
  if (at != end) return nullptr;
  for (const Kind& kind : kinds)
    if (std::string_view(spec).substr(0, colon) == kind.name) return kind.make(numbers);
  return nullptr;
}

void need_state(const Numbers& state, size_t wanted) {
  if (state.size() != wanted)
    throw_graph({.where = "a metric's running numbers",
                 .what = "there are " + std::to_string(state.size()) + " of them; expected " +
                         std::to_string(wanted),
                 .hint = "go on with the metrics that the run began with"});
}

Evidence evidence_of(const Symbol& rows, std::unique_ptr<Accumulator> (*make)(const Numbers&),
                     const Numbers& numbers) {
  return {rows, [=] { return make(numbers); }};
}

}  // namespace goneuron
