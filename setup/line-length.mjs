// Lines that are too wide where ESLint does not look: styles, YAML, C++, and pages.

/**
 * Numbers of the lines over 100 columns. What holds an address cannot be broken, and Prettier gives
 * Markdown's tables their width.
 *
 * @param {string} text
 * @returns {number[]}
 */
export function wideLines(text) {
  const wide = (line) => [...line].length > 100 && !/https?:\/\/\S|^\s*\|/.test(line);
  return text.split("\n").flatMap((line, i) => (wide(line) ? [i + 1] : []));
}
