import { connect, json } from "@seaway/core";

interface Order {
  readonly id: number;
  readonly total: number;
}

// Another backend is another URL: "file://./shop.ss" keeps the streams in a file beside you.
const url = process.argv[2] ?? "memory://shop";
await using streamer = await connect(url);

const producer = await streamer.createProducer<Order>("orders", { codec: json() });
await producer.send({ id: 1, total: 30 });
await producer.send({ id: 2, total: 12 }, { key: "customer-7", headers: { source: "web" } });

const consumer = await streamer.createConsumer<Order>("orders", {
  codec: json(),
  autoStreamReset: "earliest", // from the first message that is stored
  until: "end", // and no further than the last one; leave it out to follow for ever
});
for await (const { value, key, headers } of consumer) {
  console.log(`order ${value.id} of ${value.total}, key ${key ?? "none"}, source ${headers.get("source") ?? "unknown"}`);
}
