/**
 * What there is once in a process, however many copies of the library it has loaded: the one place of global state, as
 * `globalThis[Symbol.for("seaway.process")]`, a map of maps.
 *
 * - `"memory-broker"`: broker name → broker (`memory://name`)
 * - `"file-writer"`: resolved path → writer of that file
 */

const PROCESS: unique symbol = Symbol.for("seaway.process") as never;

/** The map of one kind of thing. The version is part of the kind: copies that do not understand each other's things do not share them. */
export function processMap<T>(kind: string): Map<string, T> {
  const holder = globalThis as { [PROCESS]?: Map<string, Map<string, unknown>> };
  holder[PROCESS] ??= new Map();
  const kinds = holder[PROCESS];
  let map = kinds.get(kind);
  if (map === undefined) {
    map = new Map();
    kinds.set(kind, map);
  }
  return map as Map<string, T>;
}
