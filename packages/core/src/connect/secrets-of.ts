/** Which texts of a URL and of connection options are credentials, and so must show nowhere. */
import { Secrets } from "../error/secrets.ts";
import type { StreamerUri } from "../url/streamer-uri.ts";

/** Names of options whose texts are secret, at whatever depth: `password`, `sasl.password`, `authToken`, `nkeySeed`. */
const SECRET_NAME = /pass(?:word|phrase|wd)?$|secret|token|seed|credential|api_?key|private_?key/i;

/** Options nest no deeper than this. */
const MAX_DEPTH = 4;

/** A user name without a password is a token. `options` is the driver's namespace. */
export function secretsOf({ username, password }: StreamerUri, options: Readonly<Record<string, unknown>>): Secrets {
  const secrets = secretOptions(options, MAX_DEPTH);
  const own = password ?? username;
  if (own !== undefined) secrets.push(own);
  // As HTTP's basic authentication sends them.
  if (password !== undefined) secrets.push(Buffer.from(`${username ?? ""}:${password}`).toString("base64"));
  return new Secrets(secrets);
}

function secretOptions(options: object, depth: number): string[] {
  return Object.entries(options).flatMap(([name, value]: [string, unknown]) => {
    if (typeof value === "string") return SECRET_NAME.test(name) ? [value] : [];
    return typeof value === "object" && value !== null && !ArrayBuffer.isView(value) && depth > 0 ? secretOptions(value, depth - 1) : [];
  });
}
