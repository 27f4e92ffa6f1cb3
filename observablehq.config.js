import { rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { methodologyPages } from "./reports/build/methodology.js";
import { pageHead } from "./reports/build/page-frame.js";
import { serveFromNodeModules } from "./reports/build/offline-npm.js";

const root = "reports";

serveFromNodeModules();
// Framework never invalidates what its loaders wrote once, so that a site would go on showing old
// runs.
rmSync(join(fileURLToPath(new URL(".", import.meta.url)), root, ".observablehq", "cache"), {
  recursive: true,
  force: true,
});

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
  head: pageHead,
  globalStylesheets: [], // the default is a font from elsewhere
  footer: "", // the default links elsewhere
  pager: false,
  toc: false,
  search: false,
  preserveExtension: true, // links end in .html, so that any static server finds them
  preserveIndex: true,
  interpreters: { ".ts": ["node", "--import", "tsx"] },
};
