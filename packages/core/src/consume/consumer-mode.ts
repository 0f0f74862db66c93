/** How a consumer shares and remembers: the three modes, where a new reader starts, and when its acks are given. */

/** The three ways of consuming; docs/delivery-semantics.md compares them. */
export const ConsumerMode = {
  /** Every consumer gets every message; nothing is remembered. The default. */
  RealTime: "real-time",
  /** One live reader per group, which goes on where the group stopped. */
  Resumable: "resumable",
  /** The members of a group share its messages. */
  LoadBalanced: "load-balanced",
} as const;
export type ConsumerMode = (typeof ConsumerMode)[keyof typeof ConsumerMode];

/** Where a consumer starts that has no position of its own. Default: latest. */
export const AutoStreamReset = { Earliest: "earliest", Latest: "latest" } as const;
export type AutoStreamReset = (typeof AutoStreamReset)[keyof typeof AutoStreamReset];

/** When a message counts as done, in modes that have a group. Default: on-next. */
export const AutoCommit = {
  /** Acked when its loop asks for the following message. */
  OnNext: "on-next",
  /** The broker does not track it: at most once. */
  Immediate: "immediate",
  /** Acked a while after it was handed over. */
  Delayed: "delayed",
  /** The program acks; what is acked is committed each interval. */
  Rolling: "rolling",
  /** The program acks and commits. */
  Disabled: "disabled",
} as const;
export type AutoCommit = (typeof AutoCommit)[keyof typeof AutoCommit];
