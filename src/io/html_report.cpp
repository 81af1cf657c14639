#include "io/html_report.h"

#include <fmt/format.h>

#include "core/message.h"
#include "io/atomic_file.h"
#include "io/png.h"
#include "io/svg_chart.h"

namespace goneuron {
namespace {

constexpr const char* style = R"(
:root{color-scheme:light dark;--page:#f6f7f9;--card:#fff;--text:#1a2230;--quiet:#5c6779;--line:#dfe3ea;
--s0:#2563c9;--s1:#c2570c;--bad:#b3261e;--bad-back:#fdecea}
@media(prefers-color-scheme:dark){:root{--page:#12161d;--card:#1b212b;--text:#e7ebf2;--quiet:#9aa6b8;--line:#323b49;
--s0:#7fb0ff;--s1:#ffa45c;--bad:#ff8f86;--bad-back:#3a2021}}
*{box-sizing:border-box}
body{margin:0;background:var(--page);color:var(--text);font:16px/1.5 system-ui,sans-serif}
main{max-width:1120px;margin:0 auto;padding:24px 16px 48px}
h1{margin:0;font-size:1.7rem;line-height:1.25}h2{margin:36px 0 12px;font-size:1.2rem}
p{margin:6px 0 0;color:var(--quiet)}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin:24px 0 0}
.facts div,figure,pre{background:var(--card);border:1px solid var(--line);border-radius:10px}
.facts div{padding:12px 16px}.facts dt{color:var(--quiet);font-size:.875rem}
.facts dd{margin:0;font-size:1.35rem;font-weight:600;font-variant-numeric:tabular-nums}
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,420px),1fr));gap:16px;margin-top:16px}
figure{margin:0;padding:14px 14px 8px}
figcaption{display:flex;flex-wrap:wrap;gap:4px 16px;align-items:center}figcaption b{margin-right:auto}
figcaption i{display:inline-block;width:14px;height:3px;margin-right:6px;vertical-align:middle;border-radius:2px;
background:currentColor}
span.s0{color:var(--s0)}span.s1{color:var(--s1)}
svg{display:block;width:100%;height:auto}svg text{fill:var(--quiet);font-size:14px}
@media(max-width:520px){svg text{font-size:17px}}
.grid{stroke:var(--line)}path{fill:none;stroke-width:2.5}path.s0{stroke:var(--s0)}path.s1{stroke:var(--s1)}
circle.s0{fill:var(--s0)}circle.s1{fill:var(--s1)}
.images{display:grid;grid-template-columns:repeat(auto-fill,minmax(104px,1fr));gap:10px;margin:12px 0 0;padding:0;
list-style:none}
.images li{background:var(--card);border:1px solid var(--line);border-radius:8px;padding:8px;font-size:.8125rem;
line-height:1.35}
.images img{display:block;width:100%;aspect-ratio:1;image-rendering:pixelated;border-radius:4px;margin-bottom:6px}
.images small{display:block;color:var(--quiet);font-size:inherit}
.images .wrong{background:var(--bad-back);border-color:var(--bad)}.wrong b{color:var(--bad)}
pre{margin:0;padding:14px;overflow-x:auto;font:13px/1.45 ui-monospace,monospace}
)";

std::vector<double> values_of(const History& history, const std::string& name) {
  std::vector<double> values;
  for (const Logs& logs : history.epochs)
    for (size_t i = 0; i < logs.names.size(); ++i)
      if (logs.names[i] == name) values.push_back(logs.values[i]);
  return values;
}

std::string chart_of(const History& history, const std::string& title, const std::string& name) {
  std::vector<Series> series;
  for (const auto& [label, key] :
       {std::pair{"training", name}, std::pair{"validation", "val_" + name}}) {
    auto values = values_of(history, key);
    if (!values.empty()) series.push_back({label, std::move(values)});
  }
  return line_chart(title, series);
}

std::string data_uri(const Tensor& pixels) {
  const Shape& shape = pixels.shape();
  if (shape.rank() < 2 || shape.rank() > 3)
    throw_shape(
        {.where = "write_report",
         .what = "an image is [height, width] or [height, width, channels], found " + shape.str(),
         .hint = "take one image of a batch: images[i]"});
  const i64 channels = shape.rank() == 3 ? shape[2] : 1;
  return "data:image/png;base64," +
         base64(encode_png(pixels.data<std::uint8_t>(), shape[0], shape[1], channels));
}

std::string tile_of(const ReportImage& image) {
  const bool right = image.predicted == image.actual;
  const std::string predicted = html_escape(image.predicted), actual = html_escape(image.actual);
  return fmt::format(
      "<li{}><img alt=\"{}\" src=\"{}\"><b>{} {}</b><small>{:.0f} % sure</small>{}</li>\n",
      right ? "" : " class=\"wrong\"", actual, data_uri(image.pixels), right ? "" : "\u2717",
      predicted, 100 * image.confidence, right ? "" : "<small>is: " + actual + "</small>");
}

}  // namespace

std::string report_html(const Report& report) {
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style></head>\n<body><main>\n<h1>{}</h1>\n",
      html_escape(report.title), style, html_escape(report.title));
  if (!report.subtitle.empty()) out += "<p>" + html_escape(report.subtitle) + "</p>\n";
  if (!report.facts.empty()) {
    out += "<dl class=\"facts\">\n";
    for (const auto& [name, value] : report.facts)
      out +=
          fmt::format("<div><dt>{}</dt><dd>{}</dd></div>\n", html_escape(name), html_escape(value));
    out += "</dl>\n";
  }
  out += "<div class=\"charts\">\n" + chart_of(report.history, "Loss", "loss") +
         chart_of(report.history, "Accuracy", "accuracy") + "</div>\n";
  if (!report.images.empty()) {
    size_t wrong = 0;
    for (const auto& image : report.images) wrong += image.predicted != image.actual;
    out += fmt::format(
        "<h2>Predictions</h2>\n<p>{} test images; {} predicted wrongly, marked \u2717.</p>\n"
        "<ul class=\"images\">\n",
        report.images.size(), wrong);
    for (const auto& image : report.images) out += tile_of(image);
    out += "</ul>\n";
  }
  for (const auto& [title, text] : report.listings)
    out += fmt::format("<h2>{}</h2>\n<pre>{}</pre>\n", html_escape(title), html_escape(text));
  return out + "</main></body></html>\n";
}

void write_report(const std::string& path, const Report& report) {
  AtomicFile file(path);
  file.write(report_html(report));
  file.commit();
}

}  // namespace goneuron
