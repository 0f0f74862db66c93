/** How an object shows itself to Node's `util.inspect`, and so to `console.log`; other runtimes ignore it. */

type Inspect = (value: unknown, options: unknown) => string;

/** Makes `util.inspect` show what `show` gives for every object with this prototype: for a class's static block. */
export function showInInspect<T extends object>(
  prototype: T,
  show: (this: T, depth: number, options: unknown, inspect: Inspect) => string,
): void {
  // Not a method of the class: isolatedDeclarations takes no computed name there but the language's own symbols.
  Object.defineProperty(prototype, Symbol.for("nodejs.util.inspect.custom"), {
    value(this: T, depth: number, options: unknown, inspect: Inspect): unknown {
      // The prototype itself has none of the private fields that `show` reads.
      return this === prototype ? {} : show.call(this, depth, options, inspect);
    },
    configurable: true,
    writable: true,
  });
}
