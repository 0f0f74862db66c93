/** The streams a producer knows, and what waits while one of them is looked up; waiting sends keep their order. */
import { StreamError } from "../error/stream-error.ts";
import type { StreamRoute } from "./stream-route.ts";

interface Waiting {
  readonly go: (route: StreamRoute) => void;
  readonly fail: (error: StreamError) => void;
}

/** How many sends may wait for one stream to be looked up. */
const MAX_WAITING = 100_000;

export class RouteTable {
  readonly #open: (streamKey: string) => Promise<StreamRoute>;
  readonly #known = new Map<string, StreamRoute>();
  readonly #opening = new Map<string, Waiting[]>();

  /** `open` finds or makes a stream; it rejects with a {@link StreamError}. */
  constructor(open: (streamKey: string) => Promise<StreamRoute>) {
    this.#open = open;
  }

  add(route: StreamRoute): void {
    this.#known.set(route.streamKey, route);
  }

  get(streamKey: string): StreamRoute | undefined {
    return this.#known.get(streamKey);
  }

  /** Calls `go` once the stream is known, after all that came before; or `fail`. A failed look-up is forgotten, the next one tries again. */
  whenKnown(streamKey: string, go: Waiting["go"], fail: Waiting["fail"]): void {
    const route = this.#known.get(streamKey);
    if (route !== undefined) {
      go(route);
      return;
    }
    const waiting = this.#opening.get(streamKey);
    if (waiting !== undefined) {
      if (waiting.length < MAX_WAITING) waiting.push({ go, fail });
      else fail(new StreamError("buffer-full", `${MAX_WAITING} sends wait for stream "${streamKey}" to be looked up`, { streamKey }));
      return;
    }
    this.#opening.set(streamKey, [{ go, fail }]);
    this.#open(streamKey).then(
      (found) => {
        const ready = this.#take(streamKey);
        this.#known.set(streamKey, found);
        for (const each of ready) each.go(found);
      },
      (error: StreamError) => {
        for (const each of this.#take(streamKey)) each.fail(error);
      },
    );
  }

  #take(streamKey: string): Waiting[] {
    const waiting = this.#opening.get(streamKey) ?? [];
    this.#opening.delete(streamKey);
    return waiting;
  }
}
