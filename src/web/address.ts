// Which addresses this machine only is reached at; and whose address a request has: the peer's, or, where the peer is a proxy that
// is trusted, the one that the proxy names.

import { BlockList, isIP, isIPv4 } from "node:net";
import { misuse } from "../domain/errors.ts";

/** Whether who listens there is reached from this machine only. */
export const isLoopback = (host: string) =>
  host === "localhost" || host === "::1" || (isIPv4(host) && host.startsWith("127."));

/** `10.0.0.1` or `10.0.0.0/8`. */
export function readNetworks(texts: readonly string[]): BlockList {
  const networks = new BlockList();
  for (const text of texts) {
    const [address = "", bits] = text.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    const most = family === "ipv6" ? 128 : 32;
    const size = bits === undefined ? most : /^\d{1,3}$/.test(bits) ? Number(bits) : -1;
    if (isIP(address) === 0 || size < 0 || size > most) {
      throw misuse(
        `--trusted-proxy cannot be ${JSON.stringify(text)}: it is an address such as 10.0.0.1 or 10.0.0.0/8`,
      );
    }
    networks.addSubnet(address, size, family);
  }
  return networks;
}

const contains = (networks: BlockList, address: string) =>
  isIP(address) !== 0 && networks.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");

/** The last address in the chain that no trusted proxy has. What others put in front of it is only what they say. */
export function clientAddress(peer: string, headers: Headers, proxies: BlockList): string {
  const chain = (headers.get("x-forwarded-for") ?? "").split(",").map((part) => part.trim());
  let address = plainAddress(peer);
  while (contains(proxies, address) && chain.length > 0) {
    const before = plainAddress(chain.pop()!);
    if (isIP(before) === 0) break;
    address = before;
  }
  return address;
}

const plainAddress = (address: string) => address.replace(/^::ffff:(?=\d+\.)/i, "");
