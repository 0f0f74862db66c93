import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { percentDecode } from "./percent-decode.ts";

describe("percent-decoding", () => {
  it("undoes encodeURIComponent for any text", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), (text) => {
        expect(percentDecode(encodeURIComponent(text))).toBe(text);
      }),
    );
  });

  it("leaves a + and everything else as it is", () => {
    expect(percentDecode("a+b c/ä")).toBe("a+b c/ä");
  });

  it.each(["%", "%a", "%zz", "100%", "%ff", "%C3"])("refuses %s without showing it or a cause", (text) => {
    try {
      percentDecode(`secret${text}`);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ code: "invalid-url" });
      expect((error as Error).cause).toBeUndefined();
      expect(String(error)).not.toContain("secret");
    }
  });
});
