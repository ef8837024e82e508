// A port on 127.0.0.1 for what has to come back at the same place after a stop; all else listens on port 0.

/** Below the ports that Linux gives to outgoing connections, which could take it in between. */
export function freePort(): number {
  for (;;) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    try {
      Bun.listen({ hostname: "127.0.0.1", port, socket: { data() {} } }).stop(true);
      return port;
    } catch {
      // Taken.
    }
  }
}
