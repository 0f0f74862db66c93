import { expect, test } from "vitest";
import { settingsFrom } from "./options.ts";

test("without options a file is made or appended to, with a beacon each MiB and no limit", () => {
  expect(settingsFrom({})).toEqual({
    createOnly: false,
    beaconInterval: 1_048_576,
    sizeLimit: Number.POSITIVE_INFINITY,
    endWithEos: false,
    headers: true,
    pollIntervalMs: 1000,
  });
});

test.each([
  { beaconInterval: 0 },
  { beaconInterval: 1000 },
  { beaconInterval: 1536 },
  { beaconInterval: 2 ** 32 },
  { sizeLimit: 0 },
  { sizeLimit: 2000.5 },
  { pollIntervalMs: 0 },
])("%j is refused", (options) => {
  expect(() => settingsFrom(options)).toThrow(/^invalid-option/);
});
