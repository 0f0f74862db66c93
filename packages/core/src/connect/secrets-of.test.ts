import { expect, it } from "vitest";
import { StreamerUri } from "../url/streamer-uri.ts";
import { secretsOf } from "./secrets-of.ts";

const uri = (username?: string, password?: string): StreamerUri => new StreamerUri({ scheme: "x", nodes: ["h"], username, password });

it("hides the password, and leaves the user name", () => {
  expect(secretsOf(uri("ann", "hunter2"), {}).redact("ann:hunter2")).toBe("ann:***");
});

it("hides a user name without a password, which is a token", () => {
  expect(secretsOf(uri("t0ken"), {}).redact("bad t0ken")).toBe("bad ***");
});

it("hides both together as basic authentication sends them", () => {
  const header = Buffer.from("ann:hunter2").toString("base64");
  expect(secretsOf(uri("ann", "hunter2"), {}).redact(`Authorization: Basic ${header}`)).toBe("Authorization: Basic ***");
});

it("hides the credentials among the driver's options, and no other text", () => {
  const options = {
    sasl: { username: "ann", password: "hunter2" },
    authToken: "t0ken",
    delivery: "push",
    tls: { ca: Buffer.from("ca") },
    apiKey: "k3y",
  };
  expect(secretsOf(uri(), options).redact("ann hunter2 t0ken push k3y")).toBe("ann *** *** push ***");
});

it("hides nothing where there is nothing", () => {
  expect(secretsOf(uri(), {}).redact("any text")).toBe("any text");
});
