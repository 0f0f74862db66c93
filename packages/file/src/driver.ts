/** The driver for `file://`: an embedded broker in one `.ss` file. */
import type { AdminCall, CallOptions, Capabilities, Driver, DriverConnection, OpenContext, StreamerUri } from "@seaway/core/driver";
import { FileConnection } from "./connection.ts";
import { classifyError, FileError, isMissing } from "./errors.ts";
import { resolveFilePath, splitFilePath } from "./file-path.ts";
import { FILE_OPTIONS, type FileConnectOptions, settingsFrom } from "./options.ts";

const ADMIN: readonly AdminCall[] = ["createStream", "listStreams", "streamInfo"];
const STORE = "comes with the file's group store";
const SHARED_FILE = "a file holds several streams one behind the other, and nothing is ever taken out of its middle: remove the file";
const NO_HEADERS = "this connection said headers: false, so that the file stays as SeaStreamer's tools know it";

const CAPABILITIES: Capabilities = {
  modes: ["real-time"],
  groups: false,
  seek: true,
  nak: "core",
  headers: true,
  keys: true,
  messageIds: true,
  dedupe: false,
  shards: true,
  patterns: "all",
  fetch: true,
  delivery: ["pull"],
  transactions: false,
  expectedSequence: false,
  payloads: "any",
  requestReply: false,
  retention: false,
  admin: ADMIN,
  reasons: {
    resumable: STORE,
    "load-balanced": STORE,
    groups: STORE,
    dedupe: STORE,
    listGroups: STORE,
    groupInfo: STORE,
    setGroup: STORE,
    deleteGroup: STORE,
    patterns: 'a file knows its streams only by reading it, so the one pattern is "**"',
    retention: `${SHARED_FILE}; sizeLimit bounds it`,
    trim: SHARED_FILE,
    deleteStream: SHARED_FILE,
  },
};

const WITHOUT_HEADERS: Capabilities = {
  ...CAPABILITIES,
  headers: false,
  keys: false,
  messageIds: false,
  reasons: { ...CAPABILITIES.reasons, headers: NO_HEADERS, keys: NO_HEADERS, messageIds: NO_HEADERS },
};

export const fileDriver: Driver = {
  name: "file",
  schemes: ["file"],
  options: FILE_OPTIONS,
  splitPath: (path, authority) => splitFilePath(path, authority),
  describe: () => CAPABILITIES,
  open,
  classifyError,
};

async function open(uri: StreamerUri, context: OpenContext, _call: CallOptions): Promise<DriverConnection> {
  const settings = settingsFrom(context.options as FileConnectOptions);
  const path = await resolvedPath(uri.root === "" ? uri.authority : uri.root);
  return FileConnection.open(path, settings.headers ? CAPABILITIES : WITHOUT_HEADERS, settings, context);
}

async function resolvedPath(path: string): Promise<string> {
  if (path === "") throw new FileError({ code: "invalid-url", retryable: false }, "the URL names no file, as in file:///data/events.ss");
  try {
    return await resolveFilePath(path);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw new FileError({ code: "connect-failed", retryable: false }, `the directory of ${path} does not exist: create it first`, error);
  }
}
