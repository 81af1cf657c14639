// The logger: its lines in a file, and its bar on a (pseudo) terminal.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <unistd.h>

#include <cstdio>
#include <functional>
#include <sstream>
#include <thread>

#include "line_model.h"

namespace goneuron {
namespace {

/// Puts `descriptor` in the place of standard output for a while.
class Redirect {
 public:
  explicit Redirect(int descriptor) {
    std::fflush(stdout);
    saved_ = dup(STDOUT_FILENO);
    dup2(descriptor, STDOUT_FILENO);
  }
  ~Redirect() {
    std::fflush(stdout);
    dup2(saved_, STDOUT_FILENO);
    close(saved_);
  }
  Redirect(const Redirect&) = delete;
  Redirect& operator=(const Redirect&) = delete;

 private:
  int saved_ = -1;
};

/// What `action` prints to a file.
std::string printed(const std::function<void()>& action) {
  std::FILE* file = std::tmpfile();
  {
    const Redirect redirect(fileno(file));
    action();
  }
  std::string text;
  std::rewind(file);
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) text += static_cast<char>(c);
  std::fclose(file);
  return text;
}

/// What `action` prints to a terminal of `columns`; newlines arrive as \r\n.
std::string drawn(unsigned short columns, const std::function<void()>& action) {
  int terminal = -1, program = -1;
  winsize size = {};
  size.ws_col = columns;
  size.ws_row = 24;
  if (openpty(&terminal, &program, nullptr, nullptr, &size) != 0) {
    ADD_FAILURE() << "no pseudo terminal";
    return "";
  }
  std::string text;
  std::thread reader([&] {
    char buffer[4096];
    for (ssize_t n = 0; (n = read(terminal, buffer, sizeof buffer)) > 0;)
      text.append(buffer, static_cast<size_t>(n));
  });
  {
    const Redirect redirect(program);
    action();
  }
  close(program);  // the reader then sees the end
  reader.join();
  close(terminal);
  return text;
}

std::vector<std::string> lines_of(const std::string& text) {
  std::istringstream in(text);
  std::vector<std::string> lines;
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

TEST(Logger, ALineAnEpochInAFile) {
  History history;
  const std::string text = printed([&] {
    auto model = line_model();
    history = model.fit(
        line_data(),
        {.epochs = 3, .batch_size = 4, .validation = line_data(), .callbacks = {Logger(1)}});
  });
  const auto lines = lines_of(text);
  ASSERT_EQ(lines.size(), 3U) << text;
  for (size_t i = 0; i < 3; ++i) {
    const Logs& logs = history.epochs[i];
    std::string expected = fmt::format("Epoch {}/3", i + 1);
    for (size_t k = 0; k < logs.names.size(); ++k)
      expected += fmt::format("  {} {:.4f}", logs.names[k], logs.values[k]);
    ASSERT_EQ(lines[i].substr(0, expected.size()), expected);
    const std::string rest = lines[i].substr(expected.size());
    int rate = -1, minutes = -1, seconds = -1;
    ASSERT_EQ(std::sscanf(rest.c_str(), "  %d samples/s  time %d:%d", &rate, &minutes, &seconds),
              3);
    EXPECT_GT(rate, 0);
    EXPECT_EQ(rest, fmt::format("  {} samples/s  time {}:{:02}", rate, minutes, seconds));
  }
}

TEST(Logger, EverySoManyEpochsAndTheLast) {
  const auto epochs = [](i64 every, i64 total, i64 stop) {
    std::string numbers;
    const std::string text = printed([&] {
      auto model = line_model();
      model.fit(line_data(),
                {.epochs = total,
                 .callbacks = {Lambda([&](TrainingState& s) { s.stop = s.epoch == stop; }),
                               Logger(every)}});
    });
    for (const auto& line : lines_of(text)) numbers += line.substr(6, line.find('/') - 6) + " ";
    return numbers;
  };
  EXPECT_EQ(epochs(3, 7, -1), "3 6 7 ");
  EXPECT_EQ(epochs(2, 4, -1), "2 4 ");
  EXPECT_EQ(epochs(5, 9, 6), "5 7 ") << "stopped in its 7th epoch";
  EXPECT_THROW(Logger(0), GraphError);
  EXPECT_THROW(Logger(-1), GraphError);
}

/// The hooks by hand: an epoch of 10 steps, 4 of them done in 2 seconds.
TrainingState half_done(const Logs& logs) {
  TrainingState state;
  state.epochs = 3;
  state.steps = 10;
  state.step = 3;
  state.samples = 128;
  state.seconds = state.step_seconds = 2;
  state.logs = &logs;
  return state;
}

TEST(Logger, ABarOnATerminal) {
  const Logs logs{{"loss", "accuracy"}, {0.25, 0.875}};
  const std::string text = drawn(120, [&] {
    TrainingState state = half_done(logs);
    const Callback logger = Logger(1);
    logger->on_train_begin(state);
    logger->on_epoch_begin(state);
    logger->on_step_end(state);
    logger->on_step_end(state);  // within a tenth of a second: not drawn again
    state.samples = 320;
    state.seconds = 61.4;
    state.step_seconds = 40;  // the rest was validation
    logger->on_epoch_end(state);
    logger->on_train_end(state);
  });
  // 4 of 10 steps in 2 s: 3 s are left, 64 samples a second. The bar has 30 cells, 12 are filled.
  EXPECT_EQ(text,
            "\rEpoch 1/3 [============>.................] 4/10  loss 0.2500  accuracy 0.8750  64 "
            "samples/s  ETA 0:03\x1b[K"
            "\rEpoch 1/3 [==============================] 10/10  loss 0.2500  accuracy 0.8750  8 "
            "samples/s  time 1:01\x1b[K\r\n");
}

TEST(Logger, FitsIntoNarrowTerminals) {
  const Logs logs{{"loss", "a_long_name_of_a_metric"}, {0.25, 0.875}};
  for (const unsigned short columns : {10, 40, 60, 80}) {
    const std::string text = drawn(columns, [&] {
      TrainingState state = half_done(logs);
      const Callback logger = Logger(1);
      logger->on_epoch_begin(state);
      logger->on_step_end(state);
    });
    const std::string shown = text.substr(1, text.size() - 4);  // without \r and \x1b[K
    EXPECT_LT(shown.size(), columns) << shown;
    EXPECT_EQ(shown.substr(0, 9), "Epoch 1/3");
  }
}

TEST(Logger, TrainingOnATerminal) {
  const std::string text = drawn(120, [] {
    auto model = line_model();
    model.fit(line_data(), {.epochs = 2, .batch_size = 4, .callbacks = {Logger(1)}});
  });
  EXPECT_NE(text.find("Epoch 1/2 ["), std::string::npos) << text;
  EXPECT_NE(text.find("Epoch 2/2 [==============================] 3/3  loss "), std::string::npos)
      << text;
  EXPECT_EQ(text.substr(text.size() - 2), "\r\n");
}

}  // namespace
}  // namespace goneuron
