// Errors: each line of the promised list, thrown by a program that uses the public API alone, and
// compared in full with tests/fixtures/errors.txt, which is read by people.
// After a change that is meant: GONEURON_UPDATE_SNAPSHOT=1 errors_test, then review the diff.
#include <algorithm>
#include <cstring>

#include "errors_attention.h"
#include "errors_conv.h"
#include "errors_csv.h"
#include "errors_data.h"
#include "errors_files.h"
#include "errors_images.h"
#include "errors_io.h"
#include "errors_layers.h"
#include "errors_moe.h"
#include "errors_optim.h"
#include "errors_recurrent.h"
#include "errors_resume.h"
#include "errors_sequence.h"
#include "errors_training.h"
#include "errors_watching.h"

namespace goneuron::errors {
namespace {

constexpr const char* head =
    "Every error that a program can meet, as tests/errors_test.cpp meets it: the program, its "
    "lines\n"
    "numbered, and the full text. \"program:2\" in a text is the program's second line; the folder "
    "of\n"
    "its files is called /data; the sizes that a step's plan chooses are #.\n"
    "Written by GONEURON_UPDATE_SNAPSHOT=1 errors_test, reviewed by hand.\n";

bool updating() { return std::getenv("GONEURON_UPDATE_SNAPSHOT") != nullptr; }

class ErrorText : public ::testing::TestWithParam<Case> {};

TEST_P(ErrorText, IsThatOfTheSnapshot) {
  const auto known = snapshot();
  const auto found = known.find(GetParam().name);
  std::string now = entry(GetParam());
  if (updating()) return;
  ASSERT_NE(found, known.end()) << "not in the snapshot:\n" << now;
  std::string then = found->second;
  for (std::string* text : {&now, &then}) text->erase(text->find_last_not_of('\n') + 1);
  EXPECT_EQ(now, then);
}

TEST_P(ErrorText, SaysWhereWhatAndHow) {
  const std::string text = from_start(GetParam(), thrown(GetParam()));
  const std::string first = text.substr(0, text.find('\n'));
  EXPECT_TRUE(std::regex_search(text, std::regex("\\(program:[0-9]+\\)"))) << "no line: " << text;
  EXPECT_TRUE(std::regex_search(text, std::regex("\n  hint +[^ ]"))) << "no hint: " << text;
  EXPECT_NE(first.back(), '.') << "a full stop ends " << first;
  EXPECT_EQ(text.find(".cpp:"), std::string::npos) << "a line of the library's: " << text;
  EXPECT_EQ(text.find(".h:"), std::string::npos) << "a line that is not the program's: " << text;
}

std::string name_of(const ::testing::TestParamInfo<Case>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Programs, ErrorText, ::testing::ValuesIn(cases()), name_of);

TEST(ErrorSnapshot, HasNoEntryWithoutACase) {
  if (updating()) return write_snapshot(head);
  for (const auto& [name, text] : snapshot())
    EXPECT_TRUE(std::any_of(cases().begin(), cases().end(),
                            [&, wanted = name](const Case& c) { return c.name == wanted; }))
        << name << " stands in the snapshot, but no program meets it";
  EXPECT_EQ(read_file(snapshot_path()).rfind(head, 0), 0U) << "the snapshot's head has changed";
}

std::string bits_of(const Model& model) {
  std::string bits;
  for (const Weight& weight : model.weights())
    bits.append(static_cast<const char*>(weight.value.raw()),
                static_cast<size_t>(weight.value.bytes()));
  return bits;
}

/// A step that is refused leaves weights, state and optimizer as they were: what follows is, bit
/// for bit, what follows without it.
TEST(Refused, StepChangesNothing) {
  const auto make = [] {
    auto model = Sequential({Dense(8, Tanh), BatchNorm(), Dense(3, Softmax)});
    model.compile(Adam(0.01), CrossEntropy);
    model.train_on_batch(samples(6), std::vector<std::int32_t>{0, 1, 2, 0, 1, 2});
    return model;
  };
  auto untouched = make(), refused = make();
  const std::vector<std::int32_t> good = {2, 1, 0, 2, 1, 0}, bad = {2, 1, 0, 2, 1, 3};
  Tensor broken = samples(6);
  broken.set({0, 1}, std::nan(""));
  EXPECT_THROW(refused.train_on_batch(samples(6), bad), DataError);
  EXPECT_EQ(bits_of(refused), bits_of(untouched));
  EXPECT_THROW(refused.train_on_batch(broken, good), DataError);
  EXPECT_EQ(bits_of(refused), bits_of(untouched));
  refused.train_on_batch(samples(6), good);
  untouched.train_on_batch(samples(6), good);
  EXPECT_EQ(bits_of(refused), bits_of(untouched));
}

/// The row is that of the data set, whatever the shuffling and the number of workers.
TEST(Refused, NamesTheRowOfTheDataSet) {
  for (const int workers : {1, 3})
    for (const i64 row : {0, 41, 99})
      for (const std::uint64_t seed : {1, 2}) {
        set_threads(workers);
        auto model = regressor();
        Tensor x = samples(100);
        x.set({row, 3}, std::nan(""));
        try {
          model.fit(x, Tensor(Shape{100, 1}), {.batch_size = 16, .seed = seed});
          ADD_FAILURE() << "no error";
        } catch (const DataError& error) {
          const std::string wanted = "row " + std::to_string(row) + ", column 3 of the data";
          EXPECT_NE(std::string(error.what()).find(wanted), std::string::npos) << error.what();
        }
      }
  set_threads(0);
}

/// The batch size that an OutOfMemory proposes runs, and one more does not.
TEST(OutOfMemoryText, ProposesTheLargestBatchThatFits) {
  set_threads(1);
  set_memory_limit(i64{24} << 20);
  const Tensor x = samples(8192), y(Shape{8192, 1});
  const auto fit = [&](i64 batch) {
    auto model = Sequential({Dense(1024, ReLU), Dense(1)});
    model.compile(SGD(0.1), MSE);
    model.fit(x.slice(0, batch), y.slice(0, batch), {.batch_size = batch});
  };
  std::string text;
  try {
    fit(8192);
  } catch (const OutOfMemory& error) {
    text = error.what();
  }
  std::smatch found;
  ASSERT_TRUE(std::regex_search(text, found, std::regex("a batch size of ([0-9]+) would fit")))
      << text;
  const i64 batch = std::stoll(found[1]);
  EXPECT_NE(text.find("32.0 MiB   "), std::string::npos) << "8192 x 1024 floats: " << text;
  EXPECT_TRUE(std::regex_search(
      text, std::regex("of Dense \"dense\" \\(errors_test.cpp:[0-9]+\\)   \\[8192, 1024\\] f32")))
      << text;
  EXPECT_NO_THROW(fit(batch));
  EXPECT_THROW(fit(batch + 1), OutOfMemory);
  set_memory_limit(0);
  set_threads(0);
}

/// A model file that ends early, wherever it does, is refused with the byte and the user's line.
TEST(ModelFileText, TruncatedAnywhere) {
  const std::string bytes = model_bytes();
  for (size_t size = 0; size < bytes.size(); ++size) {
    const std::string path = file_with("cut.safetensors", bytes.substr(0, size));
    try {
      Model::load(path);
      ADD_FAILURE() << "loaded with " << size << " of " << bytes.size() << " bytes";
    } catch (const FormatError& error) {
      const std::string text = error.what();
      EXPECT_NE(text.find("errors_test.cpp:"), std::string::npos) << text;
      EXPECT_NE(text.find("byte "), std::string::npos) << text;
      EXPECT_NE(text.find(path), std::string::npos) << text;
    }
  }
}

/// What load_weights() says about a file that fits in parts.
TEST(LoadWeights, ReportsWhatDidNotMatch) {
  auto small = Sequential({Dense(4, {.name = "a"}), Dense(2, {.name = "b"})});
  small.build({3});
  const std::string path = folder() + "/parts.safetensors";
  small.save(path);
  auto large =
      Sequential({Dense(4, {.name = "a"}), Dense(5, {.name = "b"}), Dense(2, {.name = "c"})});
  large.build({3});
  const WeightsReport report = large.load_weights(path);
  EXPECT_EQ(report.str(),
            "2 loaded, 2 missing, 0 unexpected, 2 mismatched\n"
            "  missing     c/weight\n"
            "  missing     c/bias\n"
            "  mismatched  b/weight: [4, 2] in the file, [4, 5] in the model\n"
            "  mismatched  b/bias: [2] in the file, [5] in the model");
  EXPECT_TRUE(large.get_layer("a").weights()[0].value == small.get_layer("a").weights()[0].value);
}

class Environment : public ::testing::Environment {
  void TearDown() override { std::filesystem::remove_all(folder()); }
};
const auto* const environment = ::testing::AddGlobalTestEnvironment(new Environment);

}  // namespace
}  // namespace goneuron::errors
