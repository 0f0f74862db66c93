/**
 * Who this host is, as SeaStreamer finds it, so that the default group of a resumable consumer is the same in both: `HOST_ID`, else the
 * first 12 characters of the container's id, else the MAC address of the first interface that has one.
 */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { networkInterfaces } from "node:os";

export interface HostId {
  readonly id: string;
  readonly source: "environment" | "container" | "mac";
  /** It belongs to a container: the next deploy has another. */
  readonly isPassing: boolean;
}

/** Where it looks; for tests. */
export interface HostFiles {
  readonly environment: string | undefined;
  /** The text of `/proc/self/cgroup`; undefined where there is none. */
  readonly cgroup: string | undefined;
  /** Interfaces by index, those that are down included; undefined elsewhere than on Linux. */
  readonly interfaces: readonly { readonly index: number; readonly address: string }[] | undefined;
  /** Whether a container runtime has left its mark: with cgroups of version 2 the container's id does not show, and its MAC address is used. */
  readonly isContainer?: boolean | undefined;
}

const CONTAINER_MARK = "0::/docker/";
const CONTAINER_ID_LENGTH = 12;
/** Left in every container by Docker and Podman; Kubernetes mounts the last one into every pod with a service account. */
const CONTAINER_FILES = ["/.dockerenv", "/run/.containerenv", "/var/run/secrets/kubernetes.io"];

/** Undefined if there is nothing to go by. */
export function findHostId(files: HostFiles = readHost()): HostId | undefined {
  if (files.environment !== undefined && files.environment !== "")
    return { id: files.environment, source: "environment", isPassing: false };
  const last = files.cgroup?.trimEnd().split("\n").at(-1) ?? "";
  const mark = last.indexOf(CONTAINER_MARK);
  if (mark >= 0) {
    const from = mark + CONTAINER_MARK.length;
    return { id: last.slice(from, from + CONTAINER_ID_LENGTH), source: "container", isPassing: true };
  }
  const mac = firstMac(files.interfaces);
  return mac === undefined ? undefined : { id: mac, source: "mac", isPassing: files.isContainer ?? false };
}

function firstMac(interfaces: HostFiles["interfaces"]): string | undefined {
  const addresses =
    interfaces === undefined
      ? Object.values(networkInterfaces()).flatMap((list) => (list ?? []).map(({ mac }) => mac))
      : [...interfaces].sort((a, b) => a.index - b.index).map(({ address }) => address);
  const mac = addresses.find((address) => /[1-9a-f]/i.test(address));
  return mac?.replaceAll(":", "").toUpperCase();
}

function readHost(): HostFiles {
  return {
    environment: process.env.HOST_ID,
    cgroup: readText("/proc/self/cgroup"),
    interfaces: readInterfaces(),
    isContainer: CONTAINER_FILES.some((path) => existsSync(path)),
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

/** Not `os.networkInterfaces()`, which leaves out interfaces that are down and so would find another host id. */
function readInterfaces(): HostFiles["interfaces"] {
  const root = "/sys/class/net";
  let names: string[];
  try {
    names = readdirSync(root);
  } catch {
    return undefined;
  }
  return names.flatMap((name) => {
    const index = readText(`${root}/${name}/ifindex`);
    const address = readText(`${root}/${name}/address`);
    return index === undefined || address === undefined ? [] : [{ index: Number(index), address }];
  });
}
