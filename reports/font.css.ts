import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

// Inter (SIL Open Font License 1.1), Latin, all weights in one file: inlined, since Framework
// follows no url() in styles.
const file = createRequire(import.meta.url).resolve(
  "@fontsource-variable/inter/files/inter-latin-wght-normal.woff2",
);
process.stdout.write(
  `@font-face{font-family:"Inter ` +
    `Variable";font-style:normal;font-display:swap;font-weight:100 ` +
    `900;src:url(data:font/woff2;base64,${readFileSync(file, "base64")}) ` +
    `format("woff2-variations")}\n`,
);
