// Forecasts a time series with an LSTM or a GRU: two coupled waves with noise, from the last 48
// values to the next one, on a stretch of time that training has not seen, against the naive
// forecast that nothing changes. Needs no data: the series is made here.
// usage: example_forecast [lstm|gru] [--quick]
#include <goneuron/goneuron.h>

#include <cmath>
#include <cstdio>
#include <cstring>
#include <random>
using namespace goneuron;

constexpr i64 window = 48;

/// [count, 2]: a wave whose rhythm wanders, and one that follows it late; noise of 0.05 on both.
Tensor waves(i64 count) {
  Tensor series(Shape{count, 2});
  std::mt19937 random(1);
  std::normal_distribution<double> noise(0, 0.05);
  for (i64 t = 0; t < count; ++t) {
    const auto phase = [](double s) { return 0.37 * s + 1.5 * std::sin(0.043 * s); };
    const auto s = static_cast<double>(t);
    series.set({t, 0}, std::sin(phase(s)) + 0.4 * std::sin(2.3 * phase(s)) + noise(random));
    series.set({t, 1}, std::cos(phase(s - 5)) * (1 + 0.3 * std::sin(0.11 * s)) + noise(random));
  }
  return series;
}

/// Every window of steps [from, to) with the step that follows it.
Dataset windows(const Tensor& series, i64 from, i64 to) {
  const i64 count = to - from - window;
  Tensor x(Shape{count, window, 2}), y(Shape{count, 2});
  for (i64 i = 0; i < count; ++i) {
    std::memcpy(x.data() + i * window * 2, series.data() + (from + i) * 2, window * 2 * 4);
    std::memcpy(y.data() + i * 2, series.data() + (from + i + window) * 2, 2 * 4);
  }
  return Dataset(x, y);
}

/// The root of the mean squared error over the test set when the last value is the forecast.
double naive_error(const Dataset& test) {
  const Sample all = test.arrays();
  double sum = 0;
  for (i64 i = 0; i < all.y.shape()[0]; ++i)
    for (i64 k = 0; k < 2; ++k) sum += std::pow(all.x.at({i, window - 1, k}) - all.y.at({i, k}), 2);
  return std::sqrt(sum / static_cast<double>(all.y.size()));
}

int main(int argc, char** argv) try {
  bool gru = false, quick = false;
  for (int i = 1; i < argc; ++i) {
    if (std::strcmp(argv[i], "gru") == 0) gru = true;
    if (std::strcmp(argv[i], "--quick") == 0) quick = true;
  }
  const i64 length = quick ? 2000 : 10000;
  const Tensor series = waves(length);
  const Dataset train = windows(series, 0, length * 4 / 5),
                test = windows(series, length * 4 / 5, length);
  // begin
  auto model = Sequential({gru ? GRU(32) : LSTM(32), Dense(2)});
  model.compile(Adam(0.003), MSE);
  model.fit(train, {.epochs = quick ? 6 : 20, .validation = test, .callbacks = {Logger(1)}});
  // end
  const double error = std::sqrt(model.evaluate(test)["loss"]), naive = naive_error(test);
  std::printf("%s: error %.4f, naive forecast %.4f, noise 0.05\n", gru ? "gru" : "lstm", error,
              naive);
  return error < naive ? 0 : 1;
} catch (const Error& error) {
  std::fprintf(stderr, "%s\n", error.what());
  return 1;
}
