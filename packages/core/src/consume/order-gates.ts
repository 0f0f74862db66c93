/** For `orderBy`: who works on a key, and which messages wait behind it. */
import { Fifo } from "../message/fifo.ts";
import type { Message } from "../message/message.ts";

export class OrderGates<T> {
  readonly #gateOf: (message: Message<T>) => string | undefined;
  /** A gate is closed while it is here. */
  readonly #closed = new Map<string, Fifo<Message<T>>>();
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
    const queue = this.#closed.get(gate);
    if (queue === undefined) {
      this.#closed.set(gate, new Fifo());
      return true;
    }
    queue.push(message);
    this.#waiting += 1;
    return false;
  }

  /** The message is done with: the next one of its gate, if one waits, may start; the gate stays closed behind it. */
  leave(message: Message<T>): Message<T> | undefined {
    const gate = this.#gateOf(message);
    const queue = gate === undefined ? undefined : this.#closed.get(gate);
    if (gate === undefined || queue === undefined) return undefined;
    const next = queue.shift();
    if (next === undefined) this.#closed.delete(gate);
    else this.#waiting -= 1;
    return next;
  }

  /** Takes out every message that waits. */
  drain(): Message<T>[] {
    const all = [...this.#closed.values()].flatMap((queue) => queue.drain());
    this.#waiting = 0;
    return all;
  }
}
