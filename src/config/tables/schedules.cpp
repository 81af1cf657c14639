// Schedules: learning rates that change with the step.
#include "config/tables.h"

namespace goneuron::config {
namespace {

constexpr Option rate = {"learning_rate",
                         Type::number,
                         required,
                         "0.001",
                         "the rate that it starts from, or warms up to",
                         above(0)};
constexpr Option total = {
    "total_steps", Type::integer, "0", "10000", "updates until the end; 0: all of the training",
    at_least(0)};
constexpr Option end = {
    "end", Type::number, "0", "0.0001", "the rate at total_steps and after", at_least(0)};
constexpr Option warmup = {
    "warmup_steps", Type::integer, required, "100", "updates until the rate is reached",
    at_least(0)};
constexpr Option start = {"start", Type::number, "0", "0.00001", "the rate of step 0", at_least(0)};

constexpr Option step_options[] = {
    rate,
    {"step_size", Type::integer, required, "1000", "updates from one fall to the next",
     at_least(1)},
    {"gamma", Type::number, "0.1", "0.5", "factor of a fall", Bounds{0, 1, true, false}}};
constexpr Option exponential_options[] = {
    rate,
    {"gamma", Type::number, required, "0.9", "factor after each decay_steps",
     Bounds{0, 1, true, false}},
    {"decay_steps", Type::integer, "1", "1000", "updates until the rate is gamma times as large",
     at_least(1)},
    {"staircase", Type::boolean, "false", "true", "falls every decay_steps, all at once"}};
constexpr Option cosine_options[] = {rate, total, end};
constexpr Option warmup_options[] = {rate, warmup, total, start, end};

i64 total_steps(const Options& o) {
  const i64 given = o.integer("total_steps");
  return given > 0 ? given : std::max<i64>(1, o.context().total_steps);
}
WarmupOptions ends(const Options& o) {
  return {.start = o.number("start"), .end = o.number("end")};
}

using ScheduleRow = Row<Schedule, const Options&>;
constexpr ScheduleRow schedule_rows[] = {
    {{"StepDecay", "falls by a factor every step_size updates", step_options},
     [](const Options& o) {
       return StepDecay(o.number("learning_rate"), o.integer("step_size"), o.number("gamma"),
                        o.site());
     }},
    {{"ExponentialDecay", "falls by a factor every decay_steps updates, bit by bit",
      exponential_options},
     [](const Options& o) {
       return ExponentialDecay(
           o.number("learning_rate"), o.number("gamma"),
           {.decay_steps = o.integer("decay_steps"), .staircase = o.boolean("staircase")},
           o.site());
     }},
    {{"CosineDecay", "half a cosine down to the end", cosine_options},
     [](const Options& o) {
       return CosineDecay(o.number("learning_rate"), total_steps(o), {.end = o.number("end")},
                          o.site());
     }},
    {{"WarmupLinear", "in a line up to the rate, then in a line down", warmup_options},
     [](const Options& o) {
       return WarmupLinear(o.number("learning_rate"), o.integer("warmup_steps"), total_steps(o),
                           ends(o), o.site());
     }},
    {{"WarmupCosine", "in a line up to the rate, then half a cosine down", warmup_options},
     [](const Options& o) {
       return WarmupCosine(o.number("learning_rate"), o.integer("warmup_steps"), total_steps(o),
                           ends(o), o.site());
     }},
};

}  // namespace

const Table& schedule_table() {
  static const Table table = {"schedule", "schedules", kinds_of(schedule_rows)};
  return table;
}

Schedule make_rate(const Value& value, const Context& context) {
  double number = 0;
  if (value.is_scalar() && read_number(value.text, number)) return {number};
  return make_from(schedule_rows, schedule_table(), value, context);
}

}  // namespace goneuron::config
