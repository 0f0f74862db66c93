/** Where everything begins: a URL becomes a driver, and the driver a connection. */
import { StreamError } from "../error/stream-error.ts";
import { ErrorWrapper } from "../error/wrap-error.ts";
import { connectChannel } from "../observe/channels.ts";
import { EventSink } from "../observe/event-sink.ts";
import { systemClock } from "../time/clock.ts";
import { withDeadline } from "../time/deadline.ts";
import { parseStreamUrl, schemeOf } from "../url/parse-url.ts";
import { StreamerUri, StreamUrl } from "../url/streamer-uri.ts";
import { closeLate } from "./close-late.ts";
import type { ConnectOptions } from "./connect-options.ts";
import { loadDriver } from "./load-driver.ts";
import { OptionChecks } from "./option-checks.ts";
import { secretsOf } from "./secrets-of.ts";
import { Streamer } from "./streamer.ts";

const DEFAULT_TIMEOUT_MS = 10_000;

/**
 * Connects to the backend that the URL's scheme names: `connect("redis://localhost:6379/orders")`.
 *
 * Rejects `invalid-url`, `driver-not-found` (with the command that installs it), `invalid-option`, `connect-failed` within `timeoutMs`,
 * `auth-failed`, `aborted`. Nothing is registered globally, and two streamers share nothing but what the backend shares.
 */
export async function connect(url: string | StreamerUri | StreamUrl, options: ConnectOptions = {}): Promise<Streamer> {
  const scheme = url instanceof StreamUrl ? url.uri.scheme : url instanceof StreamerUri ? url.scheme : schemeOf(url);
  if (!connectChannel.hasSubscribers) return open(url, scheme, options);
  return connectChannel.tracePromise(() => open(url, scheme, options), {
    url: typeof url === "string" ? `${scheme}://***` : url.toString(),
  });
}

async function open(given: string | StreamerUri | StreamUrl, scheme: string, options: ConnectOptions): Promise<Streamer> {
  const driver = await loadDriver(scheme, options.drivers ?? []);
  const url =
    typeof given === "string"
      ? parseStreamUrl(given, driver.splitPath?.bind(driver))
      : given instanceof StreamUrl
        ? given
        : StreamUrl.of(given);
  const checks = new OptionChecks(driver, url.parameters, options.drivers ?? []);
  const { portable, namespace } = checks.check<ConnectOptions>("connect", options);
  const clock = portable.clock ?? systemClock;
  const random = portable.random ?? Math.random;
  const timeoutMs = portable.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const clientName = portable.clientName ?? `seaway-${process.pid}`;
  const secrets = secretsOf(url.uri, namespace);
  const events = new EventSink(driver.name, portable.onEvent, secrets);
  const wrapper = new ErrorWrapper(driver, secrets);
  const what = `connecting to ${url.uri}`;
  try {
    const connection = await withDeadline(
      { clock, timeoutMs, signal: portable.signal, what, details: { backend: driver.name, phase: "setup" } },
      (call) => driver.open(url.uri, { options: namespace, clientName, clock, random, onEvent: events.publish }, call),
      (late) => closeLate({ clock, timeoutMs, events }, late),
    );
    return new Streamer({
      url,
      driver,
      connection,
      options: checks,
      clock,
      random,
      events,
      wrapper,
      clientName,
      timeoutMs,
      ending: new AbortController(),
    });
  } catch (error) {
    throw asConnectError(wrapper.wrap(error, { phase: "setup", what, fallback: "connect-failed" }));
  }
}

/** A server that does not answer in time cannot be connected to: one code for both. */
function asConnectError(error: StreamError): StreamError {
  if (error.code !== "timeout") return error;
  return new StreamError("connect-failed", error.message.slice("timeout: ".length), {
    cause: error,
    backend: error.backend,
    phase: "setup",
    retryable: true,
  });
}
