// Which user of this machine is at the other end of a loopback connection, by the kernel's own table of sockets.

import { readFileSync } from "node:fs";
import { isIPv4 } from "node:net";

export interface Peer {
  readonly address: string;
  readonly port: number;
}

/** Reads one of the kernel's tables of TCP sockets; empty where there is none. */
export type SocketTable = (name: "tcp" | "tcp6") => string;

const kernelTable: SocketTable = (name) => {
  try {
    return readFileSync(`/proc/net/${name}`, "utf8");
  } catch {
    return "";
  }
};

/** TCP_ESTABLISHED in the kernel's `net/tcp_states.h`. */
const established = "01";

/**
 * The user id that owns the peer's socket; undefined when that cannot be told beyond doubt. Only an established socket with an
 * inode has an owner: one that was closed right after sending shows as user 0, whoever sent. Two owners for one end are a doubt.
 */
export function userOfPeer(
  peer: Peer,
  ourPort: number,
  table: SocketTable = kernelTable,
): number | undefined {
  const from = peerForms(peer);
  const users = new Set<number>();
  for (const name of ["tcp", "tcp6"] as const) {
    for (const line of table(name).split("\n")) {
      const [, local, remote, state, , , , uid, , inode] = line.trim().split(/\s+/);
      if (state !== established || inode === "0" || !from.includes(local ?? "")) continue;
      if (!isLoopback(remote!) || Number.parseInt(remote!.slice(-4), 16) !== ourPort) continue;
      users.add(Number(uid));
    }
  }
  const [user] = users;
  return users.size === 1 ? user : undefined;
}

/**
 * Whether the peer is a process of the user that runs this one. A user id outside of this user namespace is shown as the overflow
 * id, which may then be anybody.
 */
export function isSameUser(peer: Peer, ourPort: number, table?: SocketTable): boolean {
  const us = process.geteuid?.();
  if (us === undefined || us === overflowUser()) return false;
  return userOfPeer(peer, ourPort, table) === us;
}

function overflowUser(): number {
  try {
    return Number(readFileSync("/proc/sys/kernel/overflowuid", "utf8"));
  } catch {
    return 65_534;
  }
}

const mappedPrefix = "0000000000000000FFFF0000";
const loopbackV6 = "00000000000000000000000001000000";

/** An address and port as the tables write them: the words of the address in the machine's own byte order, in hexadecimal. */
function peerForms({ address, port }: Peer): string[] {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const v4 = address.replace(/^::ffff:/i, "");
  if (isIPv4(v4)) {
    const bytes = v4.split(".").map((part) => Number(part).toString(16).toUpperCase().padStart(2, "0"));
    const word = bytes.reverse().join("");
    return [`${word}${suffix}`, `${mappedPrefix}${word}${suffix}`];
  }
  return address === "::1" ? [`${loopbackV6}${suffix}`] : [];
}

function isLoopback(end: string): boolean {
  const address = end.slice(0, end.indexOf(":"));
  const v4 = address.startsWith(mappedPrefix) ? address.slice(mappedPrefix.length) : address;
  return address === loopbackV6 || (v4.length === 8 && v4.endsWith("7F"));
}
