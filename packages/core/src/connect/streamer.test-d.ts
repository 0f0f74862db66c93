import * as v from "valibot";
import { expectTypeOf } from "vitest";
import * as z from "zod";
import type { Consumer } from "../consume/consumer.ts";
import type { ConsumerMode } from "../consume/consumer-mode.ts";
import { relay } from "../consume/relay.ts";
import { bytes, type Codec, json, text } from "../message/codec.ts";
import type { Message } from "../message/message.ts";
import type { Producer } from "../produce/producer.ts";
import type { Receipt } from "../produce/receipt.ts";
import { connect } from "./connect.ts";
import type { Streamer } from "./streamer.ts";

interface Order {
  id: number;
  note?: string | undefined;
}

declare const streamer: Streamer;
const zodOrder = z.object({ id: z.number(), count: z.number().default(1) });
const valibotOrder = v.object({ id: v.pipe(v.string(), v.transform(Number)) });

// Without a codec a producer takes text or bytes, and a message's value is bytes.
expectTypeOf(await streamer.createProducer("s")).toEqualTypeOf<Producer<string | Uint8Array>>();
expectTypeOf(await streamer.createProducer()).toEqualTypeOf<Producer<string | Uint8Array>>();
expectTypeOf(await streamer.createConsumer("s")).toEqualTypeOf<Consumer<Uint8Array>>();
expectTypeOf(await streamer.createConsumer("s", { mode: "real-time", until: "end" })).toEqualTypeOf<Consumer<Uint8Array>>();
const plain = await streamer.createConsumer("s");
expectTypeOf((await plain.next()).value).toEqualTypeOf<Uint8Array>();
for await (const message of plain) expectTypeOf(message).toEqualTypeOf<Message<Uint8Array>>();
for await (const message of plain.readable()) expectTypeOf(message).toEqualTypeOf<Message<Uint8Array>>();
expectTypeOf(await plain.fetch({ maxMessages: 1, expiresMs: 0 })).toEqualTypeOf<Message<Uint8Array>[]>();

// With one a producer takes what a schema takes, and a consumer gives what it makes of that.
const ofZod = await streamer.createProducer("s", { codec: json(zodOrder) });
expectTypeOf(ofZod.send).parameter(0).toEqualTypeOf<{ id: number; count?: number | undefined }>();
expectTypeOf((await (await streamer.createConsumer("s", { codec: json(zodOrder) })).next()).value).toEqualTypeOf<{
  id: number;
  count: number;
}>();
const ofValibot = await streamer.createProducer("s", { codec: json(valibotOrder) });
expectTypeOf(ofValibot.enqueue).parameter(0).toEqualTypeOf<{ id: string }>();
expectTypeOf(await streamer.createConsumer("s", { codec: json(valibotOrder) })).toEqualTypeOf<Consumer<{ id: number }>>();
expectTypeOf(await streamer.createConsumer("s", { codec: text() })).toEqualTypeOf<Consumer<string>>();
expectTypeOf(await streamer.createProducer("s", { codec: bytes() })).toEqualTypeOf<Producer<Uint8Array>>();
expectTypeOf(await streamer.createProducer<Order>("s", { codec: json() })).toEqualTypeOf<Producer<Order>>();
expectTypeOf(await streamer.createConsumer("s", { codec: json<Order>() })).toEqualTypeOf<Consumer<Order>>();
// @ts-expect-error an id is a number
await ofZod.send({ id: "1" });
// @ts-expect-error the schema is of something else
await streamer.createProducer<Order>("s", { codec: json(z.string()) });
// @ts-expect-error half a codec cannot send
await streamer.createProducer("s", { codec: { decode: (payload: Uint8Array) => payload } });
await streamer.createConsumer("s", { codec: { decode: (payload: Uint8Array) => payload } });

// Bulk sends take entries, never bare values.
const orders = await streamer.createProducer("s", { codec: json<Order>() });
expectTypeOf(await orders.sendMany([{ value: { id: 1 }, key: "k" }])).toEqualTypeOf<PromiseSettledResult<Receipt>[]>();
await orders.pipeFrom([{ value: { id: 1 }, headers: { a: ["1", new Uint8Array()] }, streamKey: "other" }]);
// @ts-expect-error a bare value
await orders.sendMany([{ id: 1 }]);
const ofText = await streamer.createProducer("s");
// @ts-expect-error bare texts
await ofText.sendMany(["a", "b"]);
// @ts-expect-error bare texts
await ofText.pipeFrom(["a", "b"]);
// @ts-expect-error the stream of a send is named by sendTo
await ofText.send("a", { streamKey: "other" });

// A driver's namespace is there once the driver's types are.
await connect("memory://h", { memory: { dedupeWindowMs: 5 } });
// @ts-expect-error no driver of this name was imported
await connect("nats://h", { nats: { token: "t" } });
// @ts-expect-error no driver of this name was imported
await streamer.createConsumer("s", { nats: { delivery: "push" } });
// @ts-expect-error no driver of this name was imported
await streamer.createProducer("s", { redis: { maxLength: 1 } });
// @ts-expect-error no driver of this name was imported
await ofText.send("a", { redis: { maxLength: 1 } });
// @ts-expect-error an option of the namespace that it does not have
await connect("memory://h", { memory: { dedupeWindow: 5 } });

// As a driver does it: options by mode, so that what does not fit a mode does not type-check.
type ByMode<Mode extends ConsumerMode> = {
  readonly "real-time": { readonly tail?: number };
  readonly resumable: { readonly lease?: number };
  readonly "load-balanced": { readonly claim?: number };
}[Mode];
declare module "../consume/consumer-options.ts" {
  interface ConsumerNamespaces<Mode extends ConsumerMode> {
    readonly onlyInTypes?: ByMode<Mode>;
  }
}
declare module "../produce/producer-options.ts" {
  interface ProducerNamespaces {
    readonly onlyInTypes?: { readonly trim?: number };
  }
  interface SendNamespaces {
    readonly onlyInTypes?: { readonly expected?: bigint };
  }
}
await streamer.createConsumer("s", { mode: "real-time", onlyInTypes: { tail: 1 } });
await streamer.createConsumer("s", { mode: "load-balanced", group: "g", onlyInTypes: { claim: 1 } });
// @ts-expect-error an option of another mode
await streamer.createConsumer("s", { mode: "load-balanced", group: "g", onlyInTypes: { tail: 1 } });
// @ts-expect-error an option of another mode
await streamer.createConsumer("s", { mode: "resumable", onlyInTypes: { claim: 1 } });
// Where the mode comes from the URL, any mode's options may stand.
await streamer.createConsumer("s", { onlyInTypes: { lease: 1 } });
// With a codec the mode is still inferred.
expectTypeOf(await streamer.createConsumer("s", { mode: "resumable", codec: json<Order>(), onlyInTypes: { lease: 1 } })).toEqualTypeOf<
  Consumer<Order>
>();
// @ts-expect-error an option of another mode, beside a codec
await streamer.createConsumer("s", { mode: "resumable", codec: json<Order>(), onlyInTypes: { tail: 1 } });
await streamer.createProducer("s", { onlyInTypes: { trim: 1 } });
await ofText.send("a", { key: "k", onlyInTypes: { expected: 1n } });
await ofText.sendMany([{ value: "a", onlyInTypes: { expected: 1n } }]);
// @ts-expect-error an option of a producer, not of a send
await ofText.send("a", { onlyInTypes: { trim: 1 } });

// Without transform relay sends payloads as they are: the producer takes bytes. With one, its outputs are the producer's.
declare const ofOrders: Consumer<Order>;
await relay(ofOrders, ofText);
await relay(ofOrders, ofText, { originHeaders: true });
// @ts-expect-error a producer of orders does not take bytes
await relay(ofOrders, orders);
await relay(ofOrders, orders, { transform: (message) => ({ value: { id: message.value.id + 1 } }) });
await relay(ofOrders, orders, { transform: async (message) => [{ value: message.value, key: message.key }] });
await relay(plain, orders, { transform: () => undefined });
// @ts-expect-error outputs are entries, not bare values
await relay(ofOrders, orders, { transform: (message) => message.value });
// @ts-expect-error the producer takes orders
await relay(ofOrders, orders, { transform: () => ({ value: "text" }) });

// A codec of the program's own, with another type in than out.
declare const dates: Codec<Date, Date | string>;
expectTypeOf(await streamer.createProducer("s", { codec: dates })).toEqualTypeOf<Producer<Date | string>>();
expectTypeOf(await streamer.createConsumer("s", { codec: dates })).toEqualTypeOf<Consumer<Date>>();

// Middleware and sharders see the producer's values.
await streamer.createProducer("s", {
  codec: json<Order>(),
  middleware: [(message, next) => next({ ...message, value: { id: message.value.id } })],
});
await streamer.createProducer("s", { sharder: (message, shards) => (message.key?.length ?? 0) % shards });
