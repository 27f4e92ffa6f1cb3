import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { methodologyPages } from "./reports/build/methodology.js";
import { serveFromNodeModules } from "./reports/build/offline-npm.js";

const root = "reports";

serveFromNodeModules();
// Framework never invalidates what its loaders wrote once, so that a site would go on showing old
// runs.
rmSync(join(fileURLToPath(new URL(".", import.meta.url)), root, ".observablehq", "cache"), {
  recursive: true,
  force: true,
});

/** The corners of a box around a hit. */
const icon =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 16 16">' +
  '<path d="M2 2h5M2 2v5M14 14H9M14 14V9" stroke="#0072B2" stroke-width="2" fill="none"/>' +
  '<circle cx="8" cy="8" r="2.6" fill="#D55E00"/></svg>';

export default {
  root,
  output: process.env.SHITU_REPORT_OUT ?? "reports/dist",
  title: "ShiTu Bench",
  home: "ShiTu Bench",
  pages: [
    { name: "Overview", path: "/index" },
    { name: "One run", path: "/run" },
    { name: "Paper", path: "/paper" },
    {
      name: "Accuracy",
      pages: [
        { name: "Detection", path: "/detection" },
        { name: "Recognition", path: "/recognition" },
        { name: "Binary or real", path: "/binary-or-real" },
        { name: "Queries", path: "/queries" },
      ],
    },
    {
      name: "Speed",
      pages: [
        { name: "Index choice", path: "/index-choice" },
        { name: "Latency", path: "/latency" },
        { name: "Light networks", path: "/networks" },
      ],
    },
    { name: "Compare two runs", path: "/compare" },
    { name: "Export gate", path: "/gate" },
    // Closed until asked for: the numbers' heads lead to them.
    { name: "Methodology", open: false, pages: methodologyPages() },
  ],
  style: "style.css",
  // The last viewport wins: Framework's own forbids zooming.
  head: `<link rel="icon" href="data:image/svg+xml,${encodeURIComponent(icon)}">
<link rel="stylesheet" href="/font.css">
<meta name="viewport" content="width=device-width, initial-scale=1">
<script>document.documentElement.lang = "en";</script>`,
  globalStylesheets: [], // the default is a font from elsewhere
  footer: "", // the default links elsewhere
  pager: false,
  toc: false,
  search: false,
  preserveExtension: true, // links end in .html, so that any static server finds them
  preserveIndex: true,
  interpreters: { ".ts": ["node", "--import", "tsx"] },
};
