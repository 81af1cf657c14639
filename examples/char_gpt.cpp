// A character-level GPT (rotary positions, SwiGLU, RMSNorm) on the Portuguese text of the package
// fortunes-br: bits per character on unseen text, and a sample.
// usage: example_char_gpt [--quick] [FILE]   any other text in UTF-8
#include <goneuron/goneuron.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>
using namespace goneuron;

constexpr i64 context = 128;

int main(int argc, char** argv) try {
  const bool quick = argc > 1 && std::string(argv[1]) == "--quick";
  const char* path = argc > 1 + quick ? argv[1 + quick] : "/usr/share/games/fortunes/brasil";
  const std::string text = data::text_file(path);
  if (text.size() < 20000)
    return std::fprintf(stderr, "%s: too little text; apt-get install fortunes-br\n", path), 1;
  const auto vocabulary = data::Vocabulary::characters(text);
  const i64 kinds = vocabulary.size();
  const Tensor tokens = vocabulary.encode(text);
  const i64 cut = tokens.size() * 9 / 10;
  const auto train = data::token_windows(tokens.slice(0, quick ? cut / 4 : cut),
                                         {.context = context, .stride = context / 4});
  const auto test = data::token_windows(tokens.slice(cut, tokens.size()), {.context = context});
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
    std::fputs(vocabulary[now[context - 1] = next(random)].c_str(), stdout);
  }
  std::puts("");
} catch (const Error& error) {
  return std::fprintf(stderr, "%s\n", error.what()), 1;
}
