/**
 * For backends that commit a position and no single messages: how far each shard is done without a gap.
 * Pinned by a property test against a model that keeps every sequence.
 */
import type { Shard } from "../driver/shard.ts";
import { Fifo } from "../message/fifo.ts";
import type { Delivery } from "./delivery.ts";

function isDone(delivery: Delivery): boolean {
  return delivery.state === "settling" || delivery.state === "settled";
}

/** The delivery that stands for this message now. */
function current(delivery: Delivery): Delivery {
  let at = delivery;
  while (at.successor !== undefined) at = at.successor;
  return at;
}

export class PositionTracker {
  /** Deliveries of each shard in the order in which they came, from the first that is not committed. */
  readonly #shards = new Map<string, Fifo<Delivery>>();

  /** The first delivery of a message; what core gives again takes its place by itself. */
  add(delivery: Delivery): void {
    const name = `${delivery.incoming.streamKey}/${delivery.incoming.shardId}`;
    let queue = this.#shards.get(name);
    if (queue === undefined) {
      queue = new Fifo();
      this.#shards.set(name, queue);
    }
    queue.push(delivery);
  }

  /**
   * Takes off what is done without a gap. Per shard that moved: the last delivery so taken, whose token says the position, and all that
   * it stands for.
   */
  advance(): { readonly last: Delivery; readonly covered: readonly Delivery[] }[] {
    const moved: { last: Delivery; covered: Delivery[] }[] = [];
    for (const queue of this.#shards.values()) {
      const covered: Delivery[] = [];
      for (let first = queue.peek(); first !== undefined; first = queue.peek()) {
        const now = current(first);
        if (!isDone(now)) break;
        queue.shift();
        covered.push(now);
      }
      const last = covered.at(-1);
      if (last !== undefined) moved.push({ last, covered });
    }
    return moved;
  }

  /** Puts back what {@link advance} took and could not be committed; not what went with its shard meanwhile, which may be ours anew. */
  restore(covered: readonly Delivery[]): void {
    const ours = covered.filter(isDone);
    const [first] = ours;
    if (first === undefined) return;
    this.#shards.get(`${first.incoming.streamKey}/${first.incoming.shardId}`)?.unshiftAll(ours);
  }

  /** Shards that are no longer ours. */
  forget(shards: readonly Shard[]): void {
    for (const { streamKey, shardId } of shards) this.#shards.delete(`${streamKey}/${shardId}`);
  }

  /** Messages that are not committed, in one shard. */
  open(shard: Shard): number {
    return this.#shards.get(`${shard.streamKey}/${shard.shardId}`)?.length ?? 0;
  }
}
