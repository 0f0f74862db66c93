/** One node of a streamer: a host, and a port if it was given. */

/** A node's address. */
export interface StreamerNode {
  /** As written, never lower-cased; an IPv6 address without its brackets. */
  readonly host: string;
  /** 1–65535. Left out: the backend's own. */
  readonly port?: number;
  /** Both together, as in a URL: `broker-1:9092`, `[::1]:6379`. */
  readonly text: string;
}

/** Brackets around an address, or none and no colon; a port or nothing. */
const NODE = /^(?:\[([0-9A-Fa-f:.]+(?:%[A-Za-z0-9._~-]+)?)\]|([^[\]:]*))(?::(.*))?$/s;
const HOST = /^[^\p{Cc}\s@/?#,:[\]\\<>"]+$/u;
const PORT = /^[1-9][0-9]{0,4}$/;

/** The node that `text` names, or what is wrong with it in words that quote nothing of it: it may be a piece of a password. */
export function parseNode(text: string): StreamerNode | { readonly fault: string } {
  const found = NODE.exec(text);
  if (found === null)
    return { fault: "a host is a name or an address, an IPv6 address stands in brackets, and then comes :port or nothing" };
  const [, address, name, port] = found;
  if (address !== undefined ? !address.includes(":") : !HOST.test(name ?? "")) {
    return { fault: name === "" ? "a host is empty" : "a host has characters that no host has" };
  }
  const host = address ?? name ?? "";
  if (port === undefined) return { host, text };
  if (!PORT.test(port) || Number(port) > 65_535) return { fault: "a port is a number from 1 to 65535" };
  return { host, port: Number(port), text };
}
