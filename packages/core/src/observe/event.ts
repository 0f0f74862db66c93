/** What a streamer tells its program beside results and errors: plain objects, published to `connect`'s `onEvent`. */

/** One thing that happened. Branch on `code`; `message` is for people and never holds a credential. */
export interface StreamerEvent {
  /** Kebab-case, such as `"stream-created"`; docs/errors.md lists them. */
  readonly code: string;
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly backend?: string;
  readonly streamKey?: string;
  readonly shardId?: number;
  readonly group?: string;
  /** How many, where the event counts something. */
  readonly count?: number;
  /** What went wrong, where something did. */
  readonly error?: unknown;
}
