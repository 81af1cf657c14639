// The style of the HTML report: light and dark, wide and narrow. Used by html_report.cpp.
#pragma once

namespace goneuron {

constexpr const char* report_style = R"(
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
.facts div{padding:12px 16px;display:flex;flex-direction:column;justify-content:space-between}.facts dt{color:var(--quiet);font-size:.875rem}
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
.wide{overflow-x:auto;background:var(--card);border:1px solid var(--line);border-radius:10px;margin-top:12px}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.875rem}
th{color:var(--quiet);font-weight:500;text-align:left}th,td{padding:6px 12px;white-space:nowrap}
.rows{width:100%}.rows tr+tr td{border-top:1px solid var(--line)}.number{text-align:right}
.rows .wrong td{background:var(--bad-back)}
.bar{width:34%;min-width:110px}.bar i{display:block;height:10px;border-radius:3px;background:var(--s0)}
.matrix{margin:10px}.matrix td{text-align:center;padding:5px 7px;min-width:38px;border:1px solid var(--card);
background:rgb(37 99 201/calc(var(--v)*.8))}.matrix td.none{color:var(--quiet)}
.matrix td.dark{color:#fff}.matrix th{padding:5px 8px}.matrix thead th{text-align:center;vertical-align:bottom}
.matrix tbody th{position:sticky;left:0;background:var(--card);text-align:right}
@media(max-width:520px){th,td{padding:6px 8px}.bar{min-width:64px}}
pre{margin:0;padding:14px;overflow-x:auto;font:13px/1.45 ui-monospace,monospace}
)";

}  // namespace goneuron
