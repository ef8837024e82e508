// Tokens, sockets and addresses: the parts of access that are functions.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { Glob } from "bun";
import { clientAddress, readNetworks } from "../../src/web/address.ts";
import { isSameUser, type SocketTable, userOfPeer } from "../../src/web/peer.ts";
import { digestOf, newSecret, verifyToken } from "../../src/web/tokens.ts";
import { queuectl } from "../support/queuectl.ts";

setDefaultTimeout(60_000);

const root = resolve(import.meta.dir, "../..");

describe("a token (D5)", () => {
  const secret = newSecret();
  const known = [
    { digest: digestOf("other"), scopes: new Set<never>() },
    { digest: digestOf(secret), scopes: new Set<never>() },
  ];

  test("is 32 random bytes, and known by its digest", () => {
    expect(Buffer.from(secret, "base64url").length).toBe(32);
    expect(verifyToken(secret, known)).toBe(known[1]!);
  });

  test("of any wrong length or content is no token, and no error", () => {
    for (const wrong of [
      "",
      "a",
      secret.slice(1),
      `${secret}a`,
      "x".repeat(43),
      "y".repeat(5000),
      "é\\u0000",
    ]) {
      expect(verifyToken(wrong, known)).toBeUndefined();
    }
  });

  test("is compared in one place only", () => {
    const files = [...new Glob("src/web/**/*.{ts,tsx}").scanSync(root)];
    const comparing = files.filter((path) =>
      readFileSync(join(root, path), "utf8").includes("timingSafeEqual"),
    );
    expect(comparing).toEqual(["src/web/tokens.ts"]);
  });
});

describe("tokens that are made at once", () => {
  const kinds = ["read", "operate", "enqueue", "read,operate", "read,enqueue", "operate,enqueue"];

  test("are all there afterwards, and the same for who asks for the same", async () => {
    await using q = queuectl();
    const asked = [...kinds, ...kinds];
    const tokens = await Promise.all(asked.map((kind) => q.ok("web", "token", "--scope", kind)));
    const stored = readFileSync(join(q.home, "web-token"), "utf8");
    for (const token of tokens) expect(stored).toContain(token);
    expect(stored.trim().split("\n")).toHaveLength(kinds.length);
  });

  test("are made also when whoever made one was killed halfway", async () => {
    await using q = queuectl();
    await q.ok("web", "token");
    writeFileSync(join(q.home, "web-token.lock"), "");
    const token = await q.ok("web", "token", "--rotate");
    expect(readFileSync(join(q.home, "web-token"), "utf8")).toContain(token);
    expect(existsSync(join(q.home, "web-token.lock"))).toBe(false);
  });
});

describe("the owner of a connection", () => {
  const row = (local: string, remote: string, state: string, uid: number, inode: number) =>
    `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000 ${uid} 0 ${inode} 1 0 20 4 30 10 -1`;
  const table =
    (tcp: string[], tcp6: string[] = []): SocketTable =>
    (name) =>
      ["  sl  local_address rem_address", ...(name === "tcp" ? tcp : tcp6)].join("\n");
  const peer = { address: "127.0.0.1", port: 0xabcd };
  const ours = "0100007F:1388";
  const theirs = "0100007F:ABCD";

  test("is the user of the established socket at its other end", () => {
    const rows = [
      row(ours, theirs, "01", 0, 7),
      row(theirs, ours, "01", 1000, 8),
      row("0100007F:ABCE", ours, "01", 5, 9),
    ];
    expect(userOfPeer(peer, 5000, table(rows))).toBe(1000);
  });

  test("is found when the client speaks IPv6 to an IPv4 address, and to ::1", () => {
    const mapped = "0000000000000000FFFF00000100007F";
    expect(userOfPeer(peer, 5000, table([], [row(`${mapped}:ABCD`, `${mapped}:1388`, "01", 1000, 8)]))).toBe(
      1000,
    );
    const one = "00000000000000000000000001000000";
    expect(
      userOfPeer(
        { address: "::1", port: 0xabcd },
        5000,
        table([], [row(`${one}:ABCD`, `${one}:1388`, "01", 7, 8)]),
      ),
    ).toBe(7);
  });

  for (const [what, rows] of [
    ["has no row", []],
    ["has closed already", [row(theirs, ours, "04", 0, 0)]],
    ["is being closed", [row(theirs, ours, "08", 1000, 8)]],
    ["has no inode any more", [row(theirs, ours, "01", 0, 0)]],
    ["is connected to another port", [row(theirs, "0100007F:1389", "01", 1000, 8)]],
    ["is connected to another machine", [row(theirs, "0A00000A:1388", "01", 1000, 8)]],
    ["could be two users", [row(theirs, ours, "01", 1000, 8), row(theirs, "0200007F:1388", "01", 1001, 9)]],
  ] as const) {
    test(`is unknown when it ${what}`, () => {
      expect(userOfPeer(peer, 5000, table([...rows]))).toBeUndefined();
    });
  }

  test.if(process.geteuid?.() === 0)(
    "is not told from others by an id that stands for all who have none here",
    () => {
      const overflow = Number(readFileSync("/proc/sys/kernel/overflowuid", "utf8"));
      const asked = (uid: number) => isSameUser(peer, 5000, table([row(theirs, ours, "01", uid, 8)]));
      expect([asked(0), asked(overflow)]).toEqual([true, false]);
      process.seteuid!(overflow);
      try {
        expect([asked(0), asked(overflow)]).toEqual([false, false]);
      } finally {
        process.seteuid!(0);
      }
    },
  );

  test("is unknown where the system has no such table", () => {
    expect(userOfPeer(peer, 5000, () => "")).toBeUndefined();
  });
});

describe("the address of a client (D24)", () => {
  const headers = (chain: string) => new Headers({ "x-forwarded-for": chain });
  const proxies = readNetworks(["10.0.0.0/8", "192.0.2.7"]);

  test("is its own, whatever it says, unless it is a trusted proxy", () => {
    expect(clientAddress("198.51.100.1", headers("1.1.1.1"), proxies)).toBe("198.51.100.1");
    expect(clientAddress("::ffff:198.51.100.1", new Headers(), proxies)).toBe("198.51.100.1");
  });

  test("is the last one in the chain that no trusted proxy has", () => {
    expect(clientAddress("10.0.0.1", headers("6.6.6.6, 198.51.100.1, 192.0.2.7"), proxies)).toBe(
      "198.51.100.1",
    );
    expect(clientAddress("10.0.0.1", headers("::ffff:198.51.100.1, ::ffff:192.0.2.7"), proxies)).toBe(
      "198.51.100.1",
    );
    expect(clientAddress("10.0.0.1", headers("nonsense"), proxies)).toBe("10.0.0.1");
  });

  test("is never read from a network that is none", () => {
    for (const text of ["10.0.0.0/33", "::1/129", "10.0.0.0/", "10.0.0.0/x", "proxy.example", ""])
      expect(() => readNetworks([text])).toThrow("--trusted-proxy cannot be");
  });
});
