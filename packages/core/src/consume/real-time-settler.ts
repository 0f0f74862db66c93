/** What settling does in real-time mode: nothing, by design, so that one program serves every mode. */
import { StreamError } from "../error/stream-error.ts";
import type { Settler } from "../message/message.ts";

export const realTimeSettler: Settler = {
  ack: () => true,
  term: () => true,
  extend: () => true,
  nak: () => {
    throw new StreamError("unsupported", "nak in real-time mode (local redelivery) comes with groups");
  },
};
