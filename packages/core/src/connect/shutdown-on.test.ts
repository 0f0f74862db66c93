import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { describe, expect, it } from "vitest";
import { connect } from "./connect.ts";
import { shutdownOn } from "./shutdown-on.ts";

const INDEX = JSON.stringify(new URL("../index.ts", import.meta.url).href);

/** A program that works on messages of its own until it is told to stop; `body` is the loop. */
function start(body: string): { readonly child: ChildProcess; readonly lines: AsyncIterator<string> } {
  const code = `
    import { connect, shutdownOn } from ${INDEX};
    const streamer = await connect("memory://shutdown");
    const producer = await streamer.createProducer("s");
    const other = await connect("memory://shutdown");
    const options = { mode: "load-balanced", group: "g", autoStreamReset: "earliest" };
    const consumer = await streamer.createConsumer("s", options);
    for (const text of ["1", "2", "3"]) await producer.send(text);
    shutdownOn(["SIGTERM"], streamer);
    const pending = async () => {
      const { shards } = await other.admin.groupInfo("s", "g");
      await other.close();
      return "committed " + shards[0].committed + ", pending " + shards[0].pending;
    };
    ${body}
  `;
  const child = spawn(process.execPath, ["--conditions=@seaway/source", "--input-type=module", "--eval", code], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const lines = createInterface({ input: child.stdout as NodeJS.ReadableStream })[Symbol.asyncIterator]();
  return { child, lines };
}

async function line(lines: AsyncIterator<string>): Promise<string | undefined> {
  const { value, done } = await lines.next();
  return done === true ? undefined : value;
}

describe.runIf(process.platform !== "win32")("on a signal", () => {
  it.each([
    [
      "a loop",
      `for await (const message of consumer.stream()) {
         console.log("at work on " + message.text());
         await new Promise((resolve) => setTimeout(resolve, 300));
       }`,
    ],
    [
      "a run",
      `await consumer.run(async (message) => {
         console.log("at work on " + message.text());
         await new Promise((resolve) => setTimeout(resolve, 300));
       });`,
    ],
  ])("%s finishes the message that it has, which is acked, and the process ends by itself", async (_what, body) => {
    const { child, lines } = start(`${body}
      await streamer.close();
      console.log(await pending());`);
    expect(await line(lines)).toBe("at work on 1");
    child.kill("SIGTERM");
    expect(await line(lines)).toBe("committed 1, pending 2");
    const [code, signal] = child.exitCode === null ? await once(child, "exit") : [child.exitCode, null];
    expect([code, signal]).toEqual([0, null]);
  });

  it("the second one ends the process", async () => {
    const { child, lines } = start(`
      await consumer.run(async (message) => {
        console.log("at work on " + message.text());
        process.once("SIGTERM", () => console.log("told"));
        await new Promise((resolve) => setTimeout(resolve, 20_000));
      });`);
    expect(await line(lines)).toBe("at work on 1");
    child.kill("SIGTERM");
    expect(await line(lines)).toBe("told");
    const exit = once(child, "exit");
    child.kill("SIGTERM");
    expect(await exit).toEqual([null, "SIGTERM"]);
  });
});

it("leaves no listener behind when it is taken back", async () => {
  await using streamer = await connect("memory://shutdown-back");
  const before = process.listenerCount("SIGUSR2");
  const takeBack = shutdownOn(["SIGUSR2"], streamer);
  expect(process.listenerCount("SIGUSR2")).toBe(before + 1);
  takeBack();
  expect(process.listenerCount("SIGUSR2")).toBe(before);
});

it("waits for no loop when the time to drain is 0", async () => {
  const streamer = await connect("memory://shutdown-now");
  const producer = await streamer.createProducer("s");
  const consumer = await streamer.createConsumer("s", { mode: "load-balanced", group: "g", autoStreamReset: "earliest" });
  await producer.send("1");
  await consumer.next();
  await streamer.shutdown(0);
  await expect(consumer.next()).rejects.toMatchObject({ code: "closed" });
});
