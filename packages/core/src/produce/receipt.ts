/** What a producer gets for a message that is stored. */

/** Where a message was stored. It is given when the backend has persisted it, as far as that backend promises. */
export interface Receipt {
  readonly streamKey: string;
  readonly shardId: number;
  readonly sequence: bigint;
  /** The stored time in ms since the epoch, where the backend tells it. */
  readonly timestampMs: number | undefined;
  /** The backend had a message with this id already and stored nothing. */
  readonly duplicate: boolean;
}
