import { Markup } from "./markup.js";

/** Styles of a gate's HTML file: light and dark, from 400 pixels on; nothing is loaded. */
export const style = new Markup(`
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6470; --line: #d6dbe1; --back: #fff;
  --pass: #00704f; --fail: #b33a00; --open: #7a5c00; --dot: #0072b2; }
@media (prefers-color-scheme: dark) { :root { --ink: #e8ebef; --soft: #a5afbb; --line: #39424d;
  --back: #14181d; --pass: #43c59e; --fail: #ff8f57; --open: #e2bd4c; --dot: #6db9ea; } }
body { margin: 0; background: var(--back); color: var(--ink);
  font: 15px/1.5 system-ui, sans-serif; }
main { max-width: 64rem; margin: 0 auto; padding: 1.5rem 1rem 3rem; }
h1 { font-size: 1.4rem; line-height: 1.3; margin: 0 0 .5rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .5rem; }
.pass { color: var(--pass); } .fail { color: var(--fail); } .cannot-tell { color: var(--open); }
td .pass, td .fail, td .cannot-tell { font-weight: 600; white-space: nowrap; }
.muted, caption { color: var(--soft); }
.wide { overflow-x: auto; margin: .5rem 0 1rem; }
table { border-collapse: collapse; font-size: .87rem; }
caption { text-align: left; padding-bottom: .3rem; }
th, td { border-bottom: 1px solid var(--line); padding: .3rem .6rem .3rem 0; text-align: left;
  vertical-align: top; overflow-wrap: break-word; }
th, .number { white-space: nowrap; } td:last-child { min-width: 12rem; }
td.number:last-child { min-width: 0; }
.number { text-align: right; font-variant-numeric: tabular-nums; }
.cards { list-style: none; padding: 0; display: grid; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(10rem, 1fr)); }
.cards li { font-size: .82rem; overflow-wrap: anywhere; }
.cards img, .no-picture { display: block; max-width: 100%; height: 120px; object-fit: contain;
  object-position: left; margin-bottom: .3rem; }
.no-picture { border: 1px dashed var(--line); color: var(--soft); padding: .3rem; }
.lost > b { color: var(--fail); } .gained > b { color: var(--pass); }
dl { display: grid; grid-template-columns: auto 1fr; gap: 0 .5rem; margin: .2rem 0; }
dt { color: var(--soft); } dd { margin: 0; }
svg { width: 100%; height: auto; font-size: 11px; }
svg text { fill: var(--soft); } .grid { stroke: var(--line); }
.floor { stroke: var(--open); stroke-dasharray: 4 3; }
.tick { text-anchor: end; dominant-baseline: middle; }
.above { text-anchor: end; transform: translateY(-4px); }
circle.fine { fill: var(--dot); } circle.below { fill: var(--open); }
circle.first { fill: var(--fail); }
`);
