/** The options of the `file` namespace, and what they come to. */
import { type OptionTable, StreamError } from "@seaway/core/driver";

/** Options of `connect("file://…", { file: … })`; a URL sets them under the same names. */
export interface FileConnectOptions {
  /** `"only"`: the file must not exist yet, else `invalid-option`. Default: it is made if it is missing, and appended to. */
  readonly create?: "only" | undefined;
  /**
   * Bytes from one beacon, a place where reading can start, to the next; a multiple of 1024. Default: 1,048,576. Smaller makes seeking
   * quicker and the file larger. An existing file's own rules.
   */
  readonly beaconInterval?: number | undefined;
  /** The file grows to at most so many bytes; a message that has no room is `stream-full`, and nothing of it is written. Default: no limit. */
  readonly sizeLimit?: number | undefined;
  /** Write an end-of-stream message when the last producer of this process closes; it goes when the file is appended to again. Default: false. */
  readonly endWithEos?: boolean | undefined;
  /**
   * False refuses headers, keys and message ids, which a file of SeaStreamer has no place for: with it, nothing is written that its tools
   * would show as a message of its own. Default: true.
   */
  readonly headers?: boolean | undefined;
  /** The longest time between two looks at a file that another process writes, ms, from 1. Default: 1000. Directory watchers mostly tell sooner. */
  readonly pollIntervalMs?: number | undefined;
}

export const FILE_OPTIONS: OptionTable = {
  connect: {
    create: ["only"],
    beaconInterval: "number",
    sizeLimit: "number",
    endWithEos: "boolean",
    headers: "boolean",
    pollIntervalMs: "number",
  },
  producer: {},
  send: {},
  consumer: {},
  stream: {},
};

/** Options with their defaults. */
export interface FileSettings {
  readonly createOnly: boolean;
  readonly beaconInterval: number;
  /** Infinity: none. */
  readonly sizeLimit: number;
  readonly endWithEos: boolean;
  readonly headers: boolean;
  readonly pollIntervalMs: number;
}

const DEFAULT_BEACON_INTERVAL = 1024 * 1024;
const MAX_BEACON_INTERVAL = 0xffff_fc00;

/** @throws {StreamError} `invalid-option` for a number that is none of those allowed */
export function settingsFrom(options: FileConnectOptions): FileSettings {
  const { beaconInterval = DEFAULT_BEACON_INTERVAL, sizeLimit = Number.POSITIVE_INFINITY, pollIntervalMs = 1000 } = options;
  if (beaconInterval % 1024 !== 0 || beaconInterval < 1024 || beaconInterval > MAX_BEACON_INTERVAL) {
    throw invalid(`beaconInterval is a multiple of 1024 from 1024 to ${MAX_BEACON_INTERVAL}`);
  }
  if (sizeLimit !== Number.POSITIVE_INFINITY && !(Number.isSafeInteger(sizeLimit) && sizeLimit >= 1024)) {
    throw invalid("sizeLimit is a whole number of bytes from 1024");
  }
  if (!(pollIntervalMs >= 1)) throw invalid("pollIntervalMs is a number of milliseconds from 1");
  return {
    createOnly: options.create === "only",
    beaconInterval,
    sizeLimit,
    endWithEos: options.endWithEos ?? false,
    headers: options.headers ?? true,
    pollIntervalMs,
  };
}

function invalid(text: string): StreamError {
  return new StreamError("invalid-option", `file: ${text}`, { phase: "setup", backend: "file" });
}
