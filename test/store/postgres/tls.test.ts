// What a URL says of TLS holds: who has to prove what, and that nothing goes unencrypted that must not.

import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { SQL } from "bun";
import { type Certificates, makeCertificates, noOpenssl } from "../../support/certificates.ts";
import { type OwnPostgres, postgresPrograms, startPostgres } from "../../support/own-postgres.ts";
import { queuectl } from "../../support/queuectl.ts";

// A real server on a shared machine: what never comes fails late rather than what comes slowly fails early.
setDefaultTimeout(180_000);

const cannot = postgresPrograms() === undefined ? "no PostgreSQL" : noOpenssl;

describe.skipIf(cannot !== undefined)("a server that lets nobody in without TLS", () => {
  let certificates: Certificates;
  let server: OwnPostgres;
  let port: string;

  beforeAll(async () => {
    certificates = makeCertificates();
    const { path } = certificates;
    // Whoever comes by an IPv4 address has to prove who it is, too, when it asks for the database `proof`.
    writeFileSync(
      path("hba"),
      "hostssl proof all 127.0.0.1/32 cert\nhostssl all all 127.0.0.1/32 trust\nlocal all all trust\n",
    );
    server = await startPostgres(
      "ssl = on",
      `ssl_cert_file = '${path("server.pem")}'`,
      `ssl_key_file = '${path("server.key")}'`,
      `ssl_ca_file = '${path("authority.pem")}'`,
      `hba_file = '${path("hba")}'`,
    );
    ({ port } = new URL(server.url));
  });

  afterAll(async () => {
    await server?.[Symbol.asyncDispose]();
    certificates?.[Symbol.dispose]();
  });

  /** What `status` says there; file names are those of the certificates. */
  async function status(parameters: Record<string, string>, where = "localhost", database = "postgres") {
    const url = new URL(`postgres://postgres@${where}:${port}/${database}`);
    for (const [name, value] of Object.entries(parameters))
      url.searchParams.set(name, /\.(pem|key)$/.test(value) ? certificates.path(value) : value);
    await using q = queuectl({ QUEUECTL_DATABASE_URL: url.href });
    const result = await q("status", "--json");
    return result.status === 0 ? "works" : result.stderr;
  }

  const full = { sslmode: "verify-full", sslrootcert: "authority.pem" };

  test.each<[string, Record<string, string>, string]>([
    ["no word of it", {}, "localhost"],
    ["require, without an authority", { sslmode: "require" }, "localhost"],
    ["verify-full, with the right authority", full, "localhost"],
    ["verify-ca, whatever the host's name", { ...full, sslmode: "verify-ca" }, "127.0.0.1"],
    ["require, with the right authority", { ...full, sslmode: "require" }, "127.0.0.1"],
  ])("%s: works", async (_, parameters, where) => {
    expect(await status(parameters, where)).toBe("works");
  });

  const byTls =
    /^queuectl: PostgreSQL [\w.]+:\d+\/postgres cannot be reached by TLS: .* \(check sslmode.*\)\n$/;

  test.each<[string, Record<string, string>, string]>([
    ["verify-full, with another authority", { ...full, sslrootcert: "other.pem" }, "localhost"],
    ["verify-full, by another name", full, "127.0.0.1"],
    ["verify-full, with no authority that the system knows", { sslmode: "verify-full" }, "localhost"],
    ["verify-ca, with another authority", { sslmode: "verify-ca", sslrootcert: "other.pem" }, "localhost"],
    ["system, with no authority that the system knows", { sslrootcert: "system" }, "localhost"],
    ["an authority without a mode, by another name", { sslrootcert: "authority.pem" }, "127.0.0.1"],
    ["an authority without a mode, which is another", { sslrootcert: "other.pem" }, "localhost"],
    ["require, with another authority", { sslmode: "require", sslrootcert: "other.pem" }, "localhost"],
    ["a key in place of an authority", { ...full, sslrootcert: "authority.key" }, "localhost"],
    [
      "a certificate with the key of another",
      { sslmode: "require", sslcert: "client.pem", sslkey: "other.key" },
      "localhost",
    ],
  ])("%s: is refused in one line", async (_, parameters, where) => {
    expect(await status(parameters, where)).toMatch(byTls);
  });

  test.each<[string, Record<string, string>]>([
    ["disable", {}],
    [
      "disable, with certificates",
      { sslcert: "client.pem", sslkey: "client.key", sslrootcert: "authority.pem" },
    ],
  ])("%s: is refused by the server, in one line", async (_, files) => {
    expect(await status({ ...files, sslmode: "disable" })).toMatch(
      /^queuectl: PostgreSQL .* does not let us in: .*no encryption \(.*sslmode.*\)\n$/,
    );
  });

  test("a client's certificate opens what asks for one", async () => {
    await using admin = new SQL(`${server.url}?sslmode=require`, { max: 1 });
    await admin`create database proof`;
    expect(await status({ sslmode: "require" }, "localhost", "proof")).toContain("valid client certificate");
    const own = { ...full, sslcert: "client.pem", sslkey: "client.key" };
    expect(await status(own, "localhost", "proof")).toBe("works");
  });

  test("an sslmode that there is not, and a file that cannot be read, are wrong use", async () => {
    expect(await status({ sslmode: "always" })).toStartWith(
      'queuectl: sslmode of the database\'s URL cannot be "always" (use one of disable,',
    );
    expect(await status({ sslmode: "require", sslrootcert: "system" })).toStartWith(
      'queuectl: sslmode of the database\'s URL cannot be "require" beside sslrootcert=system (use verify-full)',
    );
    expect(await status({ sslmode: "verify-full", sslrootcert: "missing.pem" })).toStartWith(
      "queuectl: sslrootcert of the database's URL cannot be read",
    );
  });
});

describe.skipIf(cannot !== undefined)("a server without TLS", () => {
  test("serves who does not ask for it, and is refused by who does", async () => {
    await using server = await startPostgres();
    await using q = queuectl();
    const status = (mode: string) =>
      q.with({ env: { QUEUECTL_DATABASE_URL: `${server.url}${mode}` } }, "status", "--json");
    expect((await status("")).status).toBe(0);
    expect((await status("?sslmode=disable")).status).toBe(0);
    expect((await status("?sslmode=require")).stderr).toContain(
      "cannot be reached by TLS: Server does not support SSL",
    );
  });
});
