// Callbacks that write: CSV, JSON, event files, profiles, the page; and histories read back.
#include <goneuron/goneuron.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>
#include <random>

#include "error_text.h"
#include "io/csv_text.h"
#include "io/event_file.h"
#include "scripted.h"
#include "train/model_impl.h"

namespace goneuron {
namespace {

FitOptions few(const Callback& callback, i64 epochs = 3) {
  return {.epochs = epochs, .batch_size = 4, .validation = line_data(), .callbacks = {callback}};
}

TEST(CSVLogger, WritesALineAnEpochThatReadsBack) {
  const Folder folder;
  const std::string path = folder.path("a/b/log.csv");
  auto model = line_model();
  size_t lines = 0;
  const History history = model.fit(
      line_data(), {.epochs = 3, .callbacks = {CSVLogger(path), Lambda([&](TrainingState& s) {
                                                 const std::string text = text_of(path);
                                                 lines = static_cast<size_t>(
                                                     std::count(text.begin(), text.end(), '\n'));
                                                 EXPECT_EQ(lines, static_cast<size_t>(s.epoch) + 2);
                                               })}});
  EXPECT_EQ(lines, 4U);
  const History read = History::load_csv(path);
  ASSERT_EQ(read.epochs.size(), 3U);
  for (size_t e = 0; e < 3; ++e) {
    EXPECT_EQ(read.epochs[e].names, history.epochs[e].names);
    EXPECT_EQ(read.epochs[e].values, history.epochs[e].values) << "every bit";
  }
  // Another run replaces it, or goes on in it.
  model.fit(line_data(), {.epochs = 1, .callbacks = {CSVLogger(path)}});
  EXPECT_EQ(History::load_csv(path).epochs.size(), 1U);
  model.fit(line_data(), {.epochs = 2, .callbacks = {CSVLogger(path, {.append = true})}});
  EXPECT_EQ(History::load_csv(path).epochs.size(), 3U);
  // With other numbers it does not.
  EXPECT_THROW(model.fit(line_data(), few(CSVLogger(path, {.append = true}))), FormatError);
  model.fit(line_data(), few(CSVLogger(folder.path("tab"), {.separator = "\t"}), 1));
  EXPECT_EQ(text_of(folder.path("tab")).rfind("epoch\tloss\tmean_absolute_error\tval_loss", 0), 0U);
}

TEST(JSONLogger, WritesLinesOrOneDocument) {
  const Folder folder;
  auto model = line_model();
  const std::string lines = folder.path("log.jsonl"), one = folder.path("log.json");
  const History history =
      model.fit(line_data(),
                {.epochs = 3, .callbacks = {JSONLogger(lines), JSONLogger(one, {.lines = false})}});
  const auto rows = nlohmann::json::parse(text_of(one));
  ASSERT_EQ(rows.size(), 3U);
  std::istringstream in(text_of(lines));
  size_t row = 0;
  for (std::string line; std::getline(in, line); ++row)
    EXPECT_EQ(nlohmann::json::parse(line), rows[row]);
  EXPECT_EQ(row, 3U);
  EXPECT_EQ(rows[2]["epoch"], 3);
  EXPECT_EQ(rows[2]["loss"].get<double>(), history["loss"][2]);
  EXPECT_EQ(rows[2]["learning_rate"].get<double>(), 0.1);
  for (const std::string& path : {lines, one})
    EXPECT_EQ(History::load_json(path)["loss"], history["loss"]);
  model.fit(line_data(), {.epochs = 2,
                          .callbacks = {JSONLogger(lines, {.append = true}),
                                        JSONLogger(one, {.lines = false, .append = true})}});
  for (const std::string& path : {lines, one})
    EXPECT_EQ(History::load_json(path).epochs.size(), 5U);
}

TEST(History, EveryDoubleComesBack) {
  const Folder folder;
  std::mt19937_64 random(5);
  History history;
  for (int e = 0; e < 200; ++e) {
    Logs logs{{"loss", "odd, \"name\"\nof two lines"}, {}};
    while (logs.values.size() < 2) {
      const auto bits = random();
      double value = 0;
      std::memcpy(&value, &bits, sizeof value);
      if (std::isfinite(value)) logs.values.push_back(value);
    }
    history.epochs.push_back(logs);
  }
  history.epochs.push_back({{"loss"}, {5e-324}});
  history.save_json(folder.path("h.json"));
  history.save_csv(folder.path("h.csv"));
  for (const History& read :
       {History::load_json(folder.path("h.json")), History::load_csv(folder.path("h.csv"))}) {
    ASSERT_EQ(read.epochs.size(), history.epochs.size());
    for (size_t e = 0; e < read.epochs.size(); ++e) {
      EXPECT_EQ(read.epochs[e].names, history.epochs[e].names);
      EXPECT_EQ(read.epochs[e].values, history.epochs[e].values);
    }
  }
  const double infinity = std::numeric_limits<double>::infinity();
  const History rest{{{{"a", "b", "c"}, {infinity, -infinity, std::nan("")}}}};
  rest.save_csv(folder.path("rest.csv"));
  const Logs read = History::load_csv(folder.path("rest.csv")).epochs[0];
  EXPECT_EQ(read["a"], infinity);
  EXPECT_EQ(read["b"], -infinity);
  EXPECT_TRUE(std::isnan(read["c"]));
}

TEST(History, FilesThatAreNone) {
  const Folder folder;
  const auto with = [&](const std::string& text) {
    std::ofstream(folder.path("file"), std::ios::binary) << text;
    return folder.path("file");
  };
  for (const char* text :
       {"", "loss\n1\n", "epoch,loss\n1\n", "epoch,loss\n1,2,3\n", "epoch,loss\n1,two\n",
        "epoch,\"loss\n1,2\n", "epoch,\"loss\"x\n1,2\n", "epoch,loss\n1,1e999\n"})
    EXPECT_THROW(History::load_csv(with(text)), FormatError) << text;
  for (const char* text : {"{", "[1]", "[{\"a\":\"b\"}]", "{\"a\":1}\n2\n", "{\"a\":1}\n{"})
    EXPECT_THROW(History::load_json(with(text)), FormatError) << text;
  EXPECT_TRUE(History::load_json(with("")).epochs.empty());
  const auto text =
      message_of<FormatError>([&] { History::load_csv(with("epoch,loss\n1,2\n2,x\n")); });
  for (const char* part : {"line 3", "\"x\"", "logs_test.cpp:"})
    EXPECT_NE(text.find(part), std::string::npos) << text;
  EXPECT_EQ(History::load_csv(with("epoch,loss\r\n1,2.5\r\n")).epochs[0]["loss"], 2.5);
}

TEST(EventFile, ChecksumOfTheCataloguedValue) {
  EXPECT_EQ(crc32c("123456789"), 0xe3069283U);  // the check value of CRC-32C
  EXPECT_EQ(crc32c(""), 0U);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aaU);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43U);
}

TEST(TensorBoard, MakesAFolderForTrainingAndOneForValidation) {
  const Folder folder;
  auto model = line_model();
  model.fit(line_data(),
            few(TensorBoard(folder.path("tb"),
                            {.histogram_freq = 1, .write_gradients = true, .update_freq = 2})));
  EXPECT_EQ(folder.files("tb"), (std::vector<std::string>{"train", "validation"}));
  EXPECT_EQ(folder.files("tb/train").size(), 1U);
  EXPECT_EQ(folder.files("tb/train")[0].rfind("events.out.tfevents.", 0), 0U);
}

/// With plain SGD the gradient is what the step took away.
TEST(LastGradients, AreThoseOfTheLastStep) {
  for (const i64 accumulate : {1, 3}) {
    auto model = Sequential({Dense(3, Tanh), Dense(1)});
    model.compile(SGD(0.5), MSE, {}, {.seed = 3});
    Tensor before[4];
    i64 compared = 0;
    model.fit(line_data(), {.epochs = 2,
                            .batch_size = 4,
                            .accumulate = accumulate,
                            .callbacks = {LambdaCallback({.on_step_end = [&](TrainingState& s) {
                              const auto weights = s.model->weights();
                              const bool updated = accumulate == 1 || s.step == 2;
                              if (updated && !before[0].empty()) {
                                const auto gradients = last_gradients(*s.model->impl());
                                ASSERT_EQ(gradients.size(), 4U);
                                for (const auto& [name, gradient] : gradients)
                                  for (size_t w = 0; w < 4; ++w) {
                                    if (weights[w].name != name) continue;
                                    for (i64 i = 0; i < gradient.size(); ++i, ++compared) {
                                      EXPECT_NEAR(gradient.data()[i] * 0.5,
                                                  before[w].data()[i] - weights[w].value.data()[i],
                                                  1e-6)
                                          << name;
                                    }
                                  }
                              }
                              if (updated || before[0].empty())
                                for (size_t w = 0; w < 4; ++w) before[w] = weights[w].value.clone();
                            }})}});
    EXPECT_GE(compared, 13) << accumulate;
  }
}

TEST(Profile, TimesLayersAndChangesNothing) {
  const Folder folder;
  const auto run = [&](const std::vector<Callback>& callbacks) {
    set_threads(3);
    auto model = Sequential({Dense(64, {.activation = ReLU, .name = "first"}), BatchNorm(),
                             Dropout(0.2), Dense(1, {.name = "last"})});
    model.compile(Adam(0.01), MSE, {}, {.seed = 3});
    model.fit(line_data(), {.epochs = 4, .batch_size = 2, .callbacks = callbacks});
    set_threads(0);
    return bits_of(model);
  };
  const std::string path = folder.path("profile.txt"), few_path = folder.path("few.txt");
  EXPECT_EQ(run({Profile({.first_step = 2, .steps = 7, .path = path})}), run({})) << "bit for bit";
  const std::string table = text_of(path);
  for (const char* part : {"layer ", "us/step", "GFLOP/s", "MB/step", "\nfirst ", "\nlast ",
                           "\noptimizer ", "\ntotal ", "mean of 7 training steps"})
    EXPECT_NE(table.find(part), std::string::npos) << table;
  // The shares add up to all of it.
  std::istringstream lines(table);
  double shares = 0;
  for (std::string line; std::getline(lines, line);)
    if (const size_t sign = line.find('%');
        sign != std::string::npos && line.rfind("total", 0) != 0)
      shares += std::stod(line.substr(line.rfind(' ', sign), sign));
  EXPECT_NEAR(shares, 100, 1);
  run({Profile({.first_step = 18, .steps = 50, .path = few_path})});
  EXPECT_NE(text_of(few_path).find("mean of 2 training steps"), std::string::npos)
      << text_of(few_path);
  testing::internal::CaptureStderr();
  run({Profile({.first_step = 100, .path = folder.path("none.txt")})});
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "Profile: no step was timed, as the training ended before step 101; give "
            "{.first_step = 0}\n");
}

/// A fit() that throws ends no callback: the next one times anew, whatever plan it has.
TEST(Profile, TimesAgainAfterATrainingThatThrew) {
  const Folder folder;
  const std::string path = folder.path("profile.txt");
  Tensor x(Shape{32, 6, 6, 1}, DType::u8), y(Shape{32});
  std::fill_n(x.data<std::uint8_t>(), x.size(), std::uint8_t{9});
  auto model = Sequential({Conv2D(16, 3, {.activation = ReLU}), MaxPool2D(2), Flatten(), Dense(1)});
  model.compile(SGD(0.01), MSE);
  const Callback profile = Profile({.first_step = 1, .steps = 3, .path = path});
  struct Failing : CallbackBase {
    void on_step_end(TrainingState&) override {
      if (++steps == 3) throw std::runtime_error("enough");
    }
    int steps = 0;
  };
  const Callback failing = std::make_shared<Failing>();
  const Dataset data(x, y.reshape({32, 1}));
  const FitOptions options{.epochs = 1, .batch_size = 4, .callbacks = {profile, failing}};
  EXPECT_THROW(model.fit(data, options), std::runtime_error);
  EXPECT_FALSE(std::filesystem::exists(path));
  model.fit(data, options);
  EXPECT_NE(text_of(path).find("mean of 3 training steps"), std::string::npos) << text_of(path);
}

size_t count(const std::string& text, const std::string& part) {
  size_t n = 0;
  for (size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++n;
  return n;
}

/// Every tag that is opened is closed, in order, attributes are quoted, and no bare & or < is left.
void expect_well_formed(const std::string& page) {
  std::vector<std::string> open;
  const std::vector<std::string> empty = {"meta", "img", "!doctype"};
  for (size_t at = 0; (at = page.find('<', at)) != std::string::npos;) {
    const size_t end = page.find('>', at);
    ASSERT_NE(end, std::string::npos);
    std::string tag = page.substr(at + 1, end - at - 1);
    at = end;
    EXPECT_EQ(count(tag, "\"") % 2, 0U) << tag;
    EXPECT_EQ(tag.find('<'), std::string::npos) << tag;
    const bool closes = tag[0] == '/';
    const std::string name =
        tag.substr(closes ? 1 : 0, tag.find_first_of(" />", 1) - (closes ? 1 : 0));
    if (closes) {
      ASSERT_FALSE(open.empty()) << tag;
      EXPECT_EQ(open.back(), name);
      open.pop_back();
    } else if (tag.back() != '/' && std::find(empty.begin(), empty.end(), name) == empty.end()) {
      open.push_back(name);
    }
  }
  EXPECT_TRUE(open.empty()) << open.back();
  for (size_t at = 0; (at = page.find('&', at)) != std::string::npos; ++at)
    EXPECT_TRUE(page.compare(at, 5, "&amp;") == 0 || page.compare(at, 4, "&lt;") == 0 ||
                page.compare(at, 4, "&gt;") == 0 || page.compare(at, 6, "&quot;") == 0)
        << page.substr(at, 20);
}

TEST(HTMLReport, IsOneWellFormedPageThatLoadsNothing) {
  const Folder folder;
  const std::string path = folder.path("out/report.html");
  Tensor x(Shape{40, 8, 8, 1}, DType::u8), y(Shape{40}, DType::i32);
  for (i64 i = 0; i < x.size(); ++i)
    x.data<std::uint8_t>()[i] = static_cast<std::uint8_t>(i * 7 % 251);
  for (i64 i = 0; i < 40; ++i) y.set({i}, static_cast<double>(i % 3));
  auto model = Sequential({Flatten(), Dense(3, {.activation = Softmax, .name = "a<b>&\"c\""})});
  model.compile(SGD(0.1), CrossEntropy, {Accuracy, F1Score, AUC});
  const Dataset data(x, y);
  model.fit(data, {.epochs = 3,
                   .batch_size = 8,
                   .validation = data,
                   .callbacks = {HTMLReport(path, {.title = "A <b> & \"c\"",
                                                   .class_names = {"<one>", "two & more", "three"},
                                                   .samples = 6,
                                                   .every = 1})}});
  const std::string page = text_of(path);
  expect_well_formed(page);
  for (const char* outside : {"http:", "https:", "<link", "<script", "@import", "url(", "src=\"/"})
    EXPECT_EQ(page.find(outside), std::string::npos) << outside;
  EXPECT_EQ(count(page, "src=\""), count(page, "src=\"data:image/png;base64,"));
  EXPECT_EQ(count(page, "src=\""), 6U);
  EXPECT_EQ(count(page, "<svg"), 5U) << "loss, accuracy, F1, AUC, learning rate";
  EXPECT_EQ(count(page, "<h2>"), 5U) << "matrix, predictions, layers, model, memory";
  for (const char* part : {"&lt;one&gt; taken for two &amp; more",
                           "A &lt;b&gt; &amp; &quot;c&quot;", "a&lt;b&gt;&amp;"})
    EXPECT_NE(page.find(part), std::string::npos) << part;
  // The matrix holds every sample of the validation.
  double all = 0;
  for (size_t at = 0; (at = page.find(" taken for ", at)) != std::string::npos; ++at)
    all += std::stod(page.substr(page.find("\">", at) + 2));
  EXPECT_EQ(all, 40);
}

TEST(HTMLReport, OfValuesShowsThem) {
  const Folder folder;
  auto model = line_model();
  model.fit(line_data(),
            {.epochs = 2, .callbacks = {HTMLReport(folder.path("r.html"), {.samples = 4})}});
  const std::string page = text_of(folder.path("r.html"));
  expect_well_formed(page);
  EXPECT_EQ(count(page, "<svg"), 3U);
  EXPECT_NE(page.find("4 samples of the training data"), std::string::npos);
  EXPECT_EQ(page.find("Confusion"), std::string::npos);
}

// ---- a run that ends anywhere and goes on leaves what one that never stopped leaves ----

struct Stopped : std::exception {};

/// Trains with all of them; throws in that step of the run, or at that epoch's end once every file
/// is written and no checkpoint is; nowhere for -1.
std::string watched_run(const Folder& folder, i64 stop, i64 end, std::vector<std::string>& files) {
  auto model = Sequential({Dense(6, Tanh), Dense(1)});
  model.compile(SGD(0.5), MSE, {MeanAbsoluteError, R2Score}, {.seed = 5});
  const auto stopper = LambdaCallback({
      .on_epoch_end =
          [&](TrainingState& s) {
            if (s.epoch == end) throw Stopped();
          },
      .on_step_end =
          [&](TrainingState& s) {
            if (s.epoch * s.steps + s.step == stop) throw Stopped();
          },
  });
  std::string text;
  try {
    const History history = model.fit(
        line_data(),
        {.epochs = 12,
         .batch_size = 3,
         .validation = line_data(),
         .callbacks = {
             EarlyStopping({.monitor = "val_loss",
                            .min_delta = 0.05,
                            .patience = 3,
                            .restore_best_weights = true}),
             ReduceLROnPlateau({.factor = 0.5, .patience = 1, .min_delta = 1e-2, .cooldown = 2}),
             ModelCheckpoint(folder.path("m-{epoch:02}"),
                             {.monitor = "val_loss", .save_best_only = true, .keep_last = 2}),
             CSVLogger(folder.path("log.csv")), JSONLogger(folder.path("log.jsonl")),
             JSONLogger(folder.path("log.json"), {.lines = false}),
             HTMLReport(folder.path("page.html"), {.profile = false}),
             BackupAndRestore(folder.path("run"), {.every_steps = 1}), stopper}});
    for (const Logs& logs : history.epochs)
      for (const double value : logs.values) text += std::to_string(value) + " ";
  } catch (const Stopped&) {
    return "stopped";
  }
  text += bits_of(model) + text_of(folder.path("log.csv"));
  for (const char* name : {"log.jsonl", "log.json"}) {
    const History read = History::load_json(folder.path(name));
    for (const Logs& logs : read.epochs)
      for (size_t i = 0; i < logs.names.size(); ++i)
        if (logs.names[i] != "seconds" && logs.names[i] != "waited")
          text += logs.names[i] + std::to_string(logs.values[i]);
  }
  const std::string page = text_of(folder.path("page.html"));
  const size_t rates = page.find("<b>Learning rate");
  text += page.substr(rates, page.find("</figure>", rates) - rates);
  files.clear();
  for (const std::string& name : folder.files())
    if (name.rfind("m-", 0) == 0) files.push_back(name);
  return text;
}

TEST(Watching, AResumedRunIsAsOneThatNeverStopped) {
  const Folder whole;
  std::vector<std::string> files, files_then;
  const std::string wanted = watched_run(whole, -1, -1, files);
  const size_t epochs = History::load_csv(whole.path("log.csv")).epochs.size();
  ASSERT_GT(epochs, 3U);
  ASSERT_LT(epochs, 12U) << "early stopping has a part in it";
  const auto end = static_cast<i64>(epochs);
  for (i64 stop = 0; stop < 4 * end + end; stop += stop < 4 * end - 3 ? 3 : 1) {
    const Folder folder;
    const bool in_step = stop < 4 * end;
    ASSERT_EQ(watched_run(folder, in_step ? stop : -1, in_step ? -1 : stop - 4 * end, files_then),
              "stopped");
    EXPECT_EQ(watched_run(folder, -1, -1, files_then), wanted) << stop;
    EXPECT_EQ(files_then, files) << stop;
  }
}

}  // namespace
}  // namespace goneuron
