import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { showInInspect } from "./custom-inspect.ts";

class Secret {
  static {
    showInInspect(Secret.prototype, function (_depth, options, show) {
      return `Secret of ${show(this.#name.length, options)}`;
    });
  }
  readonly #name = "abc";
}

describe("an object that shows itself", () => {
  it("is shown so wherever it stands", () => {
    expect(inspect(new Secret())).toBe("Secret of 3");
    expect(inspect({ nested: [new Secret()] })).toBe("{ nested: [ Secret of 3 ] }");
  });

  it("has a prototype that can be shown as well, and nothing enumerable more", () => {
    expect(() => inspect(Secret.prototype)).not.toThrow();
    expect(Object.keys(Secret.prototype)).toEqual([]);
  });
});
