import { describe, expect, it, vi } from "vitest";
import { connect } from "./connect.ts";
import { findHostId, type HostFiles } from "./host-id.ts";

const CONTAINER = "3f2a9c81b7d4e65f0a1b2c3d4e5f60718293a4b5c6d7e8f90123456789abcdef";
const NOTHING: HostFiles = { environment: undefined, cgroup: undefined, interfaces: [] };

describe("the host's id", () => {
  it("is HOST_ID before all else, unless that is empty", () => {
    const cgroup = `0::/docker/${CONTAINER}\n`;
    expect(findHostId({ ...NOTHING, environment: "web-1", cgroup })).toMatchObject({ id: "web-1", source: "environment" });
    expect(findHostId({ ...NOTHING, environment: "", cgroup })).toMatchObject({ id: "3f2a9c81b7d4", source: "container" });
  });

  it("is the container's, if the last line says so", () => {
    const interfaces = [{ index: 1, address: "02:42:ac:11:00:02" }];
    const idOf = (cgroup: string) => findHostId({ ...NOTHING, cgroup, interfaces })?.id;
    expect(idOf(`1:name=systemd:/x\n0::/docker/${CONTAINER}`)).toBe("3f2a9c81b7d4");
    expect(idOf(`0::/docker/${CONTAINER}\n1:name=systemd:/x\n`)).toBe("0242AC110002");
    expect(idOf("0::/system.slice/docker.service\n")).toBe("0242AC110002");
    expect(idOf("0::/\n")).toBe("0242AC110002");
  });

  it("is the first MAC address by index that is not zero, of interfaces that are down as well", () => {
    const interfaces = [
      { index: 10, address: "0a:00:00:00:00:10" },
      { index: 1, address: "00:00:00:00:00:00" },
      { index: 2, address: "de:ad:be:ef:00:02" },
    ];
    expect(findHostId({ ...NOTHING, interfaces })).toMatchObject({ id: "DEADBEEF0002", source: "mac" });
  });

  it("is not known where there is nothing to go by", () => {
    expect(findHostId(NOTHING)).toBe(undefined);
    expect(findHostId({ ...NOTHING, interfaces: [{ index: 1, address: "00:00:00:00:00:00" }] })).toBe(undefined);
  });

  it("passes with its container, also where only the container's MAC address shows", () => {
    const interfaces = [{ index: 2, address: "02:42:ac:11:00:02" }];
    expect(findHostId({ ...NOTHING, cgroup: `0::/docker/${CONTAINER}` })?.isPassing).toBe(true);
    expect(findHostId({ ...NOTHING, interfaces, isContainer: true })?.isPassing).toBe(true);
    expect(findHostId({ ...NOTHING, interfaces })?.isPassing).toBe(false);
    expect(findHostId({ ...NOTHING, environment: "web-1", interfaces, isContainer: true })?.isPassing).toBe(false);
  });
});

it("makes the default group of a resumable consumer, without a warning where HOST_ID is set", async () => {
  vi.stubEnv("HOST_ID", "web-1");
  try {
    const codes: string[] = [];
    await using streamer = await connect("memory://host-id", { onEvent: ({ code }) => codes.push(code) });
    const consumer = await streamer.createConsumer("s", { mode: "resumable" });
    expect(consumer.group).toBe("web-1:r");
    expect(codes).not.toContain("container-group");
  } finally {
    vi.unstubAllEnvs();
  }
});
