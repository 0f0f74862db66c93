/** How long the library takes to load: it is the first import of this process that is no part of Node or of the benchmark. */

export default async function importCore(): Promise<number> {
  const start = performance.now();
  await import("@seaway/core");
  return performance.now() - start;
}
