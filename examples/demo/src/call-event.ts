/** What the debugger wrote of each call and return: text with a value in bytes, which becomes an object. */

export interface CallEvent {
  readonly kind: "call" | "return";
  /** Such as `vec_map::square`. */
  readonly name: string;
  /** Calls and their returns have the same. */
  readonly frame: number;
  /** The argument, or what came back, where it is a whole number. */
  readonly value?: number;
}

/**
 * ```
 * F2 232085 5 140702053823376 "·vec_map::square"" i"name " i32"#·····⟨length⟩⟨value⟩ prim     a call
 * R5 232085 5 "·vec_map::square"" return_value"name " i32"#·····⟨length⟩⟨value⟩ prim          its return
 * ```
 * Length and value are 4 bytes each, least significant first.
 */
export function parseCallEvent(payload: Uint8Array): CallEvent | undefined {
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.byteLength);
  // One character for each byte, so that places in the text are places in the bytes.
  const [, kind, frame, name] = /^([FR])\d+ \d+ (\d+) [^"]*"[^a-z]*([a-z_:]+)"/.exec(bytes.toString("latin1")) ?? [];
  if (kind === undefined || frame === undefined || name === undefined) return undefined;
  const marker = bytes.indexOf('i32"# ');
  const value = marker < 0 ? undefined : bytes.readInt32LE(marker + 10);
  return { kind: kind === "F" ? "call" : "return", name, frame: Number(frame), ...(value === undefined ? {} : { value }) };
}
