/** Opens the driver's half of a consumer, and puts buffer and book on it. */
import type { ConsumerRequest, DriverConsumer } from "../driver/driver-consumer.ts";
import { bothFailed } from "../error/both-failed.ts";
import { isStreamError } from "../error/stream-error.ts";
import type { ErrorWrapper } from "../error/wrap-error.ts";
import type { Message } from "../message/message.ts";
import type { StreamerEvent } from "../observe/event.ts";
import type { Clock } from "../time/clock.ts";
import { type Deadline, withDeadline } from "../time/deadline.ts";
import type { BatchDecoder } from "./decode-batch.ts";
import { Intake } from "./intake.ts";
import { Ledger, type LedgerOptions } from "./ledger.ts";
import type { MessageBook } from "./message-book.ts";
import { RealTimeBook } from "./real-time-book.ts";
import type { Session } from "./session.ts";

export interface SessionOptions<T>
  extends Pick<LedgerOptions, "autoCommit" | "autoCommitIntervalMs" | "autoCommitDelayMs" | "keepAliveMs" | "ackTimeoutMs" | "nativeNak"> {
  readonly decoder: BatchDecoder<T>;
  readonly maxMessages: number;
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly wrapper: ErrorWrapper;
  /** For opening and closing. */
  readonly timeoutMs: number;
  publish(event: StreamerEvent): void;
  onChange(): void;
  isAwaited(): boolean;
}

/** Whether the broker tracks what this reading delivers. */
function isTracked(request: Pick<ConsumerRequest, "mode" | "settlement">, driver: DriverConsumer): boolean {
  return request.mode !== "real-time" && request.settlement === "explicit" && driver.acks !== "none";
}

/** `driver` is what `openConsumer` gave for `request`. */
export function makeSession<T>(
  driver: DriverConsumer,
  request: Pick<ConsumerRequest, "mode" | "settlement">,
  options: SessionOptions<T>,
): Session<T> {
  const { clock, random, wrapper, publish, timeoutMs } = options;
  const giveAgain = (messages: readonly Message<unknown>[]): void => {
    if (session.onDue !== undefined) session.onDue(messages);
    else intake.giveAgain(messages as readonly Message<T>[]);
  };
  const onSettled = (): void => {
    if (intake.ended) options.onChange();
  };
  const tracked = isTracked(request, driver);
  const ledger = tracked
    ? new Ledger({
        ...options,
        driver,
        redeliver: giveAgain,
        onFailure: options.onChange,
        onSettled,
      })
    : undefined;
  const realTime = tracked ? undefined : new RealTimeBook(clock, giveAgain, onSettled);
  const book = (ledger ?? realTime) as MessageBook;
  const intake = new Intake<T>(driver, options.decoder, book, {
    maxMessages: options.maxMessages,
    maxBytes: options.maxBytes,
    adaptive: tracked,
    isLazy: !tracked && options.decoder.isLazy,
    clock,
    random,
    wrapper,
    publish,
    onChange: options.onChange,
    isAwaited: options.isAwaited,
  });
  const session: Session<T> = {
    driver,
    intake,
    book,
    ledger,
    onDue: undefined,
    close: (signal) => {
      closing ??= close(signal);
      return closing;
    },
    forget: () => realTime?.clear(),
  };
  let closing: Promise<void> | undefined;
  const close = async (signal: AbortSignal | undefined): Promise<void> => {
    realTime?.clear();
    let failure: unknown;
    try {
      // A codec may still be at work, or a driver not heed its signal: neither holds up the end.
      await withDeadline({ clock, timeoutMs, what: "ending the reading" }, async (call) => {
        const halted = intake.halt();
        await driver.stop(call);
        await halted;
      });
    } catch (error) {
      failure = wrapper.wrap(error, { what: "ending the reading" });
    }
    try {
      await ledger?.close(signal);
    } catch (error) {
      failure = failure === undefined ? error : bothFailed(failure, error);
    }
    try {
      await withDeadline({ clock, timeoutMs, what: "closing the consumer" }, (call) => driver.close(call));
    } catch (error) {
      const wrapped = wrapper.wrap(error, { what: "closing the consumer" });
      failure = failure === undefined ? wrapped : bothFailed(failure, wrapped);
    }
    if (failure !== undefined) throw failure;
  };
  return session;
}

/** How long to wait between two tries to become a group's only reader. */
const IN_USE_RETRY_MS = 200;

/** Opens; waits for a group that is in use while there is time. Rejects wrapped. */
export async function openDriverConsumer(
  open: (call: { readonly signal: AbortSignal }) => Promise<DriverConsumer>,
  options: {
    readonly clock: Clock;
    readonly timeoutMs: number;
    /** How long a reader that died may keep the group; 0: not at all. */
    readonly readerLeaseMs: number;
    readonly signal: AbortSignal | undefined;
    readonly what: string;
    readonly wrapper: ErrorWrapper;
    readonly details: Deadline["details"];
    onLate(late: DriverConsumer): void;
  },
): Promise<DriverConsumer> {
  const { clock, timeoutMs, readerLeaseMs, signal, what, wrapper, details, onLate } = options;
  const patienceMs = Math.max(timeoutMs, readerLeaseMs * 1.5);
  const untilMs = clock.monotonic() + patienceMs;
  return withDeadline(
    { clock, timeoutMs: timeoutMs === 0 || readerLeaseMs === 0 ? timeoutMs : patienceMs + IN_USE_RETRY_MS, signal, what, details },
    async (call) => {
      for (;;) {
        try {
          return await open(call);
        } catch (cause) {
          const error = wrapper.wrap(cause, { what, phase: "setup" });
          if (!isStreamError(error, "group-in-use") || call.signal.aborted || clock.monotonic() + IN_USE_RETRY_MS > untilMs) throw error;
          await new Promise<void>((resolve) => void clock.setTimer(resolve, IN_USE_RETRY_MS));
        }
      }
    },
    onLate,
  );
}
