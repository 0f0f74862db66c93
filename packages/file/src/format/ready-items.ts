/** Items a decoder has found and not yet handed over: more than one where a message brings beacons or problems along. */

import type { Beacon } from "./beacon.ts";
import type { SsItem, SsProblem } from "./decoder-item.ts";

export class ReadyItems {
  readonly #items: SsItem[] = [];

  get isEmpty(): boolean {
    return this.#items.length === 0;
  }

  shift(): SsItem | undefined {
    return this.#items.shift();
  }

  push(item: SsItem): void {
    this.#items.push(item);
  }

  clear(): void {
    this.#items.length = 0;
  }

  pushBeacon(startOffset: number, { remaining, markers, byteLength }: Beacon): void {
    this.#items.push({ kind: "beacon", startOffset, endOffset: startOffset + byteLength, remaining, markers });
  }

  pushProblem(code: SsProblem["code"], startOffset: number, endOffset: number, reason: string): void {
    this.#items.push({ kind: "problem", code, startOffset, endOffset, reason });
  }

  pushDoubt(startOffset: number, beacon: Beacon): void {
    this.pushProblem("bad-beacon", startOffset, startOffset + beacon.byteLength, "a beacon contradicts the sound message at it");
  }
}
