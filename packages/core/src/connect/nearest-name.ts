/** Finds the name that a mistaken one was probably meant to be. */

/** The known name that is fewest edits away, if these are few for its length; case does not count. */
export function nearestName(mistaken: string, known: Iterable<string>): string | undefined {
  let nearest: string | undefined;
  // A third of the name may be wrong: enough for a slip, too little to turn one option into another.
  let fewest = Math.max(2, Math.floor(mistaken.length / 3)) + 1;
  if (mistaken.length > 64) return undefined;
  for (const name of known) {
    const edits = editDistance(mistaken.toLowerCase(), name.toLowerCase());
    if (edits < fewest && edits < name.length) {
      nearest = name;
      fewest = edits;
    }
  }
  return nearest;
}

/** Insertions, deletions and replacements from `a` to `b` (Levenshtein). */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 0; i < a.length; i += 1) {
    const current = [i + 1];
    for (let j = 0; j < b.length; j += 1) {
      const replaced = (previous[j] ?? 0) + (a[i] === b[j] ? 0 : 1);
      current.push(Math.min(replaced, (previous[j + 1] ?? 0) + 1, (current[j] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}
