// A certificate authority of our own and what it signed, made by openssl.

import { chmodSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "./temp-home.ts";

export interface Certificates extends Disposable {
  readonly folder: string;
  /** The path of `authority.pem`, `other.pem` (another authority), `server.pem` for localhost, `client.pem` for the user postgres, or a key. */
  path(name: string): string;
}

export const noOpenssl = Bun.which("openssl") === null ? "no openssl (apt-get install openssl)" : undefined;

export function makeCertificates(): Certificates {
  const folder = tempFolder();
  // Whoever the server runs as has to come in.
  chmodSync(folder.path, 0o755);
  const script = `
    for name in authority other; do
      openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=$name -keyout $name.key -out $name.pem
    done
    echo subjectAltName=DNS:localhost >extensions
    for name in server client; do
      [ $name = server ] && subject=/CN=localhost || subject=/CN=postgres
      openssl req -newkey rsa:2048 -nodes -subj $subject -keyout $name.key -out $name.csr
      openssl x509 -req -in $name.csr -CA authority.pem -CAkey authority.key -CAcreateserial -days 2 \
        -extfile extensions -out $name.pem
    done
    chmod 600 server.key
    [ "$(id -u)" != 0 ] || chown postgres server.key
  `;
  const { success, stderr } = Bun.spawnSync(["sh", "-ec", script], { cwd: folder.path });
  if (!success) throw new Error(`openssl: ${stderr}`);
  return {
    folder: folder.path,
    path: (name) => join(folder.path, name),
    [Symbol.dispose]: folder[Symbol.dispose],
  };
}
