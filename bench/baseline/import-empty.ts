/** Baseline of memory/import: an empty module, which is what loading anything costs at least. */

export default async function importEmpty(): Promise<number> {
  const start = performance.now();
  await import("./empty-module.mjs");
  return performance.now() - start;
}
