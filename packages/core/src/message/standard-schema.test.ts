import { describe, expect, it } from "vitest";
import { describeIssues } from "./standard-schema.ts";

describe("a schema's issues as text", () => {
  it("have their paths as a program would write them", () => {
    const path = ["order", { key: "items" }, 0, "unit price", Symbol("s")];
    expect(describeIssues([{ message: "Expected number", path }])).toBe('order.items[0]["unit price"][Symbol(s)]: Expected number');
    expect(describeIssues([{ message: "a" }, { message: "b", path: [] }, { message: "c", path: [2] }])).toBe("a; b; [2]: c");
  });
});
