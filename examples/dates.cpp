// Sequence to sequence with cross-attention: "dois de maio de mil novecentos e dez" to
// "1910-05-02", byte by byte. Makes its own data; prints the share of unseen dates that come out
// right. usage: example_dates [--quick]
#include <goneuron/goneuron.h>

#include <algorithm>
#include <cstdio>
#include <iterator>
#include <numeric>
#include <random>
#include <sstream>
using namespace goneuron;

constexpr i64 words = 72, digits = 10;

std::vector<std::string> split(const std::string& text) {
  std::istringstream in(text);
  return {std::istream_iterator<std::string>(in), {}};
}

std::string number(int n) {
  static const std::vector<std::string> all = split(
      "um dois três quatro cinco seis sete oito nove dez onze doze treze catorze quinze dezesseis "
      "dezessete dezoito dezenove vinte trinta quarenta cinquenta sessenta setenta oitenta "
      "noventa");
  return n < 20 ? all[n - 1] : all[n / 10 + 17] + (n % 10 ? " e " + number(n % 10) : "");
}

/// Inputs: the words' bytes, zeros behind them, then a 1 and all digits but the last; the digits.
Dataset dates(i64 from, i64 n) {
  static const std::vector<std::string> months = split(
      "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro");
  std::vector<int> days(200 * 12 * 28);
  std::iota(days.begin(), days.end(), 0);
  std::shuffle(days.begin(), days.end(), std::mt19937(1));
  Tensor x(Shape{n, words + digits}, DType::i32), y(Shape{n, digits}, DType::i32);
  for (i64 i = 0; i < n; ++i) {
    const int d = days[from + i], year = 1900 + d / 336, month = d / 28 % 12 + 1, day = d % 28 + 1;
    const std::string text = (day == 1 ? "primeiro" : number(day)) + " de " + months[month - 1] +
                             (year < 2000 ? " de mil novecentos" : " de dois mil") +
                             (year % 100 ? " e " + number(year % 100) : "");
    char out[48];
    std::snprintf(out, sizeof out, "%04d-%02d-%02d", year, month, day);
    auto *to = x.data<std::int32_t>() + i * (words + digits), *target = y.data<std::int32_t>();
    for (size_t k = 0; k < text.size(); ++k) to[k] = static_cast<unsigned char>(text[k]);
    to[words] = 1;
    for (i64 k = 0; k < digits; ++k) target[i * digits + k] = out[k];
    std::copy_n(out, digits - 1, to + words + 1);
  }
  return Dataset(x, y);
}

int main(int argc, char** argv) try {
  const bool quick = argc > 1 && std::string(argv[1]) == "--quick";
  const Dataset train = dates(0, quick ? 2000 : 12000), test = dates(60000, quick ? 100 : 2000);
  // begin
  const Symbol all = Input({words + digits}, DType::i32);
  const Symbol text = slice(all, 1, 0, words), given = slice(all, 1, words, words + digits);
  Symbol memory = text | Embedding(256, 64) | PositionEmbedding(words);
  Symbol y = given | Embedding(256, 64) | PositionEmbedding(digits);
  for (int i = 0; i < 2; ++i) memory = TransformerBlock(4, 128)({memory, text});  // 0 is padding
  const TransformerBlockOptions decoder{.causal = true, .cross_attention = true};
  for (int i = 0; i < 2; ++i) y = TransformerBlock(4, 128, decoder)({y, memory, text});
  auto model = Model(all, y | LayerNorm() | Dense(128, Softmax));
  model.compile(Adam(0.001), CrossEntropy, {Accuracy});
  model.fit(train, {.epochs = quick ? 1 : 8, .batch_size = 32, .callbacks = {Logger(1)}});
  // end
  const Sample data = test.arrays();
  Tensor x = data.x.clone();  // the decoder's own digits, one after the other
  for (i64 k = 0; k < digits; ++k) {
    const Tensor best = model.predict(x).argmax();
    for (i64 i = 0; i < x.shape()[0] && k + 1 < digits; ++i)
      x.set({i, words + 1 + k}, best.at({i, k}));
    double right = 0;
    for (i64 i = 0; i < x.shape()[0]; ++i) right += best[i] == data.y[i];
    if (k + 1 == digits) std::printf("exact dates: %.4f\n", right / x.shape()[0]);
  }
} catch (const Error& error) {
  return std::fprintf(stderr, "%s\n", error.what()), 1;
}
