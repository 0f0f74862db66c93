/** For `orderBy`: who works on a key, and which messages wait behind it. */
import { Fifo } from "../message/fifo.ts";
import type { Message } from "../message/message.ts";

interface Gate<T> {
  readonly queue: Fifo<Message<T>>;
  /** Whoever holds it was nak'ed, and is not here until it comes again. */
  isVacant: boolean;
}

export class OrderGates<T> {
  readonly #gateOf: (message: Message<T>) => string | undefined;
  /** A gate is closed while it is here. */
  readonly #closed = new Map<string, Gate<T>>();
  #waiting = 0;

  constructor(orderBy: "none" | "key" | "shard") {
    if (orderBy === "none") this.#gateOf = () => undefined;
    else if (orderBy === "shard") this.#gateOf = ({ streamKey, shardId }) => `${streamKey}/${shardId}`;
    else
      this.#gateOf = ({ streamKey, keyBytes }) =>
        keyBytes === undefined ? undefined : `${streamKey}/${Buffer.from(keyBytes).toString("latin1")}`;
  }

  /** Messages that wait behind a gate. */
  get waiting(): number {
    return this.#waiting;
  }

  /** True: the message may start, and its gate is closed behind it. False: it waits. */
  enter(message: Message<T>): boolean {
    const gate = this.#gateOf(message);
    if (gate === undefined) return true;
    const closed = this.#closed.get(gate);
    if (closed === undefined) {
      this.#closed.set(gate, { queue: new Fifo(), isVacant: false });
      return true;
    }
    closed.queue.push(message);
    this.#waiting += 1;
    return false;
  }

  /** The message will come again: its gate stays closed for it. */
  vacate(message: Message<T>): void {
    const closed = this.#gateHeldBy(message);
    if (closed !== undefined) closed.isVacant = true;
  }

  /** The message has come again. True: it may start. False: the handler that nak'ed it is still at work; it waits before all others. */
  comeBack(message: Message<T>): boolean {
    const closed = this.#gateHeldBy(message);
    if (closed === undefined) return this.enter(message);
    if (closed.isVacant) {
      closed.isVacant = false;
      return true;
    }
    closed.queue.unshiftAll([message]);
    this.#waiting += 1;
    return false;
  }

  /** The message is done with: the next one of its gate, if one waits, may start; the gate stays closed behind it. */
  leave(message: Message<T>): Message<T> | undefined {
    const gate = this.#gateOf(message);
    const closed = gate === undefined ? undefined : this.#closed.get(gate);
    if (gate === undefined || closed === undefined) return undefined;
    closed.isVacant = false;
    const next = closed.queue.shift();
    if (next === undefined) this.#closed.delete(gate);
    else this.#waiting -= 1;
    return next;
  }

  /** Takes out every message that waits. */
  drain(): Message<T>[] {
    const all = [...this.#closed.values()].flatMap(({ queue }) => queue.drain());
    this.#waiting = 0;
    return all;
  }

  #gateHeldBy(message: Message<T>): Gate<T> | undefined {
    const gate = this.#gateOf(message);
    return gate === undefined ? undefined : this.#closed.get(gate);
  }
}
