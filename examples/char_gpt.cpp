// A character-level GPT (rotary positions, SwiGLU, RMSNorm) on the Portuguese text of the package
// fortunes-br: bits per character on unseen text, and a sample.
// usage: example_char_gpt [--quick] [FILE]   any other text in UTF-8
#include <goneuron/goneuron.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <random>
#include <set>
using namespace goneuron;

constexpr i64 context = 128;
/// The characters of UTF-8 text: a byte of the form 10xxxxxx goes on with the one before it.
std::vector<std::string> characters(const std::string& text) {
  std::vector<std::string> all;
  for (const char c : text)
    (c & 0xC0) == 0x80 && !all.empty() ? all.back() += c : all.emplace_back(1, c);
  return all;
}

/// Windows of `context` tokens, `step` apart, with the tokens that follow each.
Dataset windows(const std::vector<std::int32_t>& tokens, size_t from, size_t to, i64 step) {
  const i64 count = (static_cast<i64>(to - from) - context - 1) / step + 1;
  Tensor x(Shape{count, context}, DType::i32), y(Shape{count, context}, DType::i32);
  for (i64 i = 0; i < count; ++i) {
    const std::int32_t* first = tokens.data() + from + i * step;
    std::copy_n(first, context, x.data<std::int32_t>() + i * context);
    std::copy_n(first + 1, context, y.data<std::int32_t>() + i * context);
  }
  return Dataset(x, y);
}

int main(int argc, char** argv) try {
  const bool quick = argc > 1 && std::string(argv[1]) == "--quick";
  const char* path = argc > 1 + quick ? argv[1 + quick] : "/usr/share/games/fortunes/brasil";
  std::ifstream file(path, std::ios::binary);
  const auto text = characters({std::istreambuf_iterator<char>(file), {}});
  if (text.size() < 20000)
    return std::fprintf(stderr, "%s: no text; apt-get install fortunes-br\n", path), 1;
  const std::set<std::string> sorted(text.begin(), text.end());
  const std::vector<std::string> names(sorted.begin(), sorted.end());
  const auto kinds = static_cast<i64>(names.size());
  std::vector<std::int32_t> tokens;
  for (const std::string& c : text)
    tokens.push_back(std::lower_bound(names.begin(), names.end(), c) - names.begin());
  const size_t cut = tokens.size() * 9 / 10;
  const Dataset train = windows(tokens, 0, quick ? cut / 4 : cut, context / 4),
                test = windows(tokens, cut, tokens.size(), context);
  // begin
  std::vector<Layer> layers = {Embedding(kinds, 128, {.weight_init = RandomNormal(0, 0.02)})};
  const TransformerBlockOptions options{.norm = RMSNorm,
                                        .feed_forward = SwiGLU,
                                        .causal = true,
                                        .rope = true,
                                        .dropout = 0.2,
                                        .bias = false};
  for (int i = 0; i < 4; ++i) layers.push_back(TransformerBlock(4, 384, options));
  layers.insert(layers.end(), {RMSNorm(), Dense(kinds, Softmax)});
  auto model = Sequential(layers);
  model.compile(AdamW(0.001), CrossEntropy);
  model.fit(train, {.epochs = quick ? 1 : 10, .batch_size = 16, .callbacks = {Logger(1)}});
  const double bits = model.evaluate(test)["loss"] / std::log(2.0);
  // end
  std::printf("bits per character on unseen text: %.3f\n", bits);
  Tensor window = test.take(1).arrays().x;
  std::mt19937 random(1);
  for (int n = 0; n < (quick ? 20 : 400); ++n) {
    auto* now = window.data<std::int32_t>();
    const Tensor shares = model.predict(window)[0][context - 1];
    std::discrete_distribution<std::int32_t> next(shares.data(), shares.data() + kinds);
    std::copy(now + 1, now + context, now);
    std::fputs(names[now[context - 1] = next(random)].c_str(), stdout);
  }
  std::puts("");
} catch (const Error& error) {
  return std::fprintf(stderr, "%s\n", error.what()), 1;
}
