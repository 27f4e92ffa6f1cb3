/** Data cut into files of about equal size, so that a page loads what it shows. */

/**
 * Cuts a list of groups, each of which stays whole, into so many parts at most by their sizes. The
 * groups keep their order.
 */
export function cutIntoParts<T>(
  groups: readonly T[],
  count: number,
  size: (of: T) => number,
): T[][] {
  const sizes = groups.map(size);
  const total = sizes.reduce((a, b) => a + b, 0);
  const parts: T[][] = Array.from({ length: count }, () => []);
  let before = 0;
  groups.forEach((group, i) => {
    const middle = before + sizes[i]! / 2;
    parts[Math.min(count - 1, Math.floor((count * middle) / Math.max(1, total)))]!.push(group);
    before += sizes[i]!;
  });
  return parts;
}
