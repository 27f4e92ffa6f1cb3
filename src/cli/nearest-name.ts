/** Of several names the one that shares the most pairs of letters with what was asked for. */
export function nearestName(asked: string, names: readonly string[]): string {
  const wanted = pairs(asked.toLowerCase());
  const shared = (name: string): number => {
    const own = pairs(name.toLowerCase());
    return [...own].filter((p) => wanted.has(p)).length / (own.size + wanted.size || 1);
  };
  return [...names].sort((a, b) => shared(b) - shared(a))[0] ?? asked;
}

function pairs(text: string): Set<string> {
  return new Set(
    Array.from({ length: Math.max(0, text.length - 1) }, (_, i) => text.slice(i, i + 2)),
  );
}
