import { readFileSync } from "node:fs";

/**
 * The pages of docs/methodology as the site names them, in the order of their list in its README:
 * `{ name, path }`.
 */
export function methodologyPages() {
  const readme = readFileSync(new URL("../../docs/methodology/README.md", import.meta.url), "utf8");
  const listed = [...readme.matchAll(/^- \[([^\]]+)\]\(([a-z-]+)\.md\)/gm)];
  return [
    { name: "All pages", path: "/methodology/index" },
    ...listed.map(([, name, page]) => ({ name, path: `/methodology/${page}` })),
    { name: "Measured", path: "/methodology/measured" },
  ];
}

/**
 * A page's Markdown for the site: links to files of the documents become links to pages, links to
 * other files of the project their names, and a table has its own scroll.
 */
export function methodologyPage(markdown) {
  return scrollingTables(
    markdown.replace(/\[([^\]]+)\]\(([^)\s]+?)\.md(#[^)\s]*)?\)/g, (_, text, path, anchor = "") => {
      const page = path.replace(/^(\.\.\/)?(methodology\/)?/, "");
      if (page.includes("/")) return `${text} (\`${page.replace(/^(\.\.\/)+/, "")}.md\`)`;
      return `[${text}](./${page === "README" ? "index" : page}.html${anchor})`;
    }),
  );
}

function scrollingTables(markdown) {
  let count = 0;
  // Each has a name of its own: they are places that a reader can go to.
  const frame = () =>
    `<div class="table-scroll" tabindex="0" role="region" aria-label="Table ${++count}">`;
  return markdown.replace(
    /(?<=^|\n)\|[^\n]*\n(?:\|[^\n]*(?:\n|$))+/g,
    (table) => `${frame()}\n\n${table}\n</div>\n`,
  );
}
