// Logger: a progress bar on a terminal, a line an epoch in a file. Formats into a fixed buffer: no
// allocation.
#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <memory>

#include "core/message.h"
#include "goneuron/callback.h"

namespace goneuron {

namespace {

using Clock = std::chrono::steady_clock;

/// Text of bounded length; what does not fit is left out.
class Line {
 public:
  __attribute__((format(printf, 2, 3))) void add(const char* format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int wanted = std::vsnprintf(text_ + used_, sizeof text_ - used_, format, arguments);
    va_end(arguments);
    if (wanted > 0) used_ = std::min(used_ + static_cast<size_t>(wanted), sizeof text_ - 1);
  }
  void cut(size_t length) { used_ = std::min(used_, length); }
  size_t size() const { return used_; }
  const char* text() const { return text_; }

  void print() {
    text_[used_] = 0;
    for (size_t done = 0; done < used_;) {
      const ssize_t written = write(STDOUT_FILENO, text_ + done, used_ - done);
      if (written <= 0) return;  // a closed terminal must not end the training
      done += static_cast<size_t>(written);
    }
  }

 private:
  char text_[1024] = {};
  size_t used_ = 0;
};

void add_logs(Line& line, const TrainingState& state) {
  if (state.logs == nullptr) return;
  const size_t count = std::min(state.logs->names.size(), state.logs->values.size());
  for (size_t i = 0; i < count; ++i) {
    // The counts of a confusion matrix are for files and pages.
    if (state.logs->names[i].find('[') != std::string::npos) continue;
    // Learning rates, mostly, would be 0.0001 or 0.0000.
    const double value = state.logs->values[i];
    const bool small = value != 0 && std::fabs(value) < 1e-3;
    line.add(small ? "  %s %.3e" : "  %s %.4f", state.logs->names[i].c_str(), value);
  }
}

void add_time(Line& line, const char* label, double seconds) {
  if (!std::isfinite(seconds)) return;
  const auto whole = static_cast<long long>(std::clamp(seconds, 0.0, 1e12) + 0.5);
  if (whole >= 3600)
    line.add("  %s %lld:%02lld:%02lld", label, whole / 3600, whole / 60 % 60, whole % 60);
  else
    line.add("  %s %lld:%02lld", label, whole / 60, whole % 60);
}

void add_rate(Line& line, const TrainingState& state) {
  if (state.step_seconds > 0)
    line.add("  %.0f samples/s", static_cast<double>(state.samples) / state.step_seconds);
}

class LoggerCallback : public CallbackBase {
 public:
  LoggerCallback(i64 every, bool terminal) : every_(every), terminal_(terminal) {}

  void on_train_begin(TrainingState&) override { std::fflush(stdout); }

  void on_epoch_begin(TrainingState&) override { drawn_ = Clock::time_point(); }

  void on_step_end(TrainingState& state) override {
    if (!terminal_) return;
    const auto now = Clock::now();
    if (now - drawn_ < std::chrono::milliseconds(100)) return;
    drawn_ = now;
    draw(state, state.step + 1);
  }

  void on_epoch_end(TrainingState& state) override {
    if (terminal_) {
      draw(state, state.steps);
      Line end;
      end.add("\n");
      return end.print();
    }
    const bool last = state.stop || state.epoch + 1 == state.epochs;
    if ((state.epoch + 1) % every_ != 0 && !last) return;
    Line line;
    head(line, state);
    add_logs(line, state);
    add_rate(line, state);
    add_time(line, "time", state.seconds);
    line.add("\n");
    line.print();
  }

 private:
  static void head(Line& line, const TrainingState& state) {
    line.add("Epoch %lld/%lld", static_cast<long long>(state.epoch + 1),
             static_cast<long long>(state.epochs));
  }

  /// The bar takes what the numbers leave of the terminal's width.
  static void draw(const TrainingState& state, i64 done) {
    winsize window = {};
    const bool known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &window) == 0 && window.ws_col > 0;
    const size_t width = known ? window.ws_col - 1 : 79;  // the last column would wrap
    Line front;
    head(front, state);
    Line back;
    back.add(" %lld/%lld", static_cast<long long>(done), static_cast<long long>(state.steps));
    add_logs(back, state);
    add_rate(back, state);
    if (done < state.steps && done > 0)
      add_time(back, "ETA",
               state.seconds / static_cast<double>(done) * static_cast<double>(state.steps - done));
    else
      add_time(back, "time", state.seconds);

    Line line;
    line.add("%s", front.text());
    const size_t used = front.size() + back.size() + 3;
    if (used + 5 <= width) bar(line, std::min<size_t>(width - used, 30), done, state.steps);
    line.add("%s", back.text());
    line.cut(width);
    Line whole;
    whole.add("\r%.*s\x1b[K", static_cast<int>(line.size()), line.text());
    whole.print();
  }

  static void bar(Line& line, size_t cells, i64 done, i64 steps) {
    const double share = steps > 0 ? static_cast<double>(done) / static_cast<double>(steps) : 1;
    const auto filled =
        static_cast<size_t>(std::clamp(share, 0.0, 1.0) * static_cast<double>(cells));
    line.add(" [");
    for (size_t i = 0; i < cells; ++i) line.add("%c", i < filled ? '=' : (i == filled ? '>' : '.'));
    line.add("]");
  }

  i64 every_;
  bool terminal_;
  Clock::time_point drawn_;
};

}  // namespace

Callback Logger(i64 every, Site site) {
  if (every < 1)
    throw_graph({user_place("Logger", site),
                 "a line every " + std::to_string(every) + " epochs; expected at least 1",
                 {},
                 "give the number of epochs from one line to the next: Logger(1)"});
  return std::make_shared<LoggerCallback>(every, isatty(STDOUT_FILENO) == 1);
}

}  // namespace goneuron
