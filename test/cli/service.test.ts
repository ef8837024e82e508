// A worker as a service: the file for systemd and for launchd, and what a worker does when it is restarted by them.

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { agentFile } from "../../src/cli/service/launchd.ts";
import { unitFile } from "../../src/cli/service/systemd.ts";
import { program } from "../support/program.ts";
import { queuectl } from "../support/queuectl.ts";

setDefaultTimeout(180_000);

const linux = process.platform === "linux";
const hostile = { NAME: `a "b" %h $HOME \\n 'c' & <d>\nlast` };

test("a worker that is sent what the service sends goes at once, and the next one takes its commands over", async () => {
  await using q = queuectl();
  const first = q.start("worker");
  const gate = join(q.folder, "gate");
  const id = await q.ok("enqueue", "--max-retries", "0", `until [ -e ${gate} ]; do sleep 0.02; done; exit 7`);
  await first.says(`executing ${id}`);
  first.kill("SIGUSR2");
  expect(await first.exited).toBe(0);
  const second = q.start("worker");
  await second.says(`took over job ${id}`);
  await Bun.write(gate, "");
  expect(await q("wait", id)).toMatchObject({ status: 7 });
  expect(await q.json("show", id)).toMatchObject({ attempts: 1, state: "dead" });
});

describe.skipIf(!linux)("the unit", () => {
  test("is shown without being installed, starts this program, and carries the queue's place along", async () => {
    await using q = queuectl({ QUEUECTL_RETENTION: "1d", QUEUECTL_JOB_ID: "not-this" });
    const unit = await q.ok("service", "install", "--print", "--count", "3", "--queue", "a", "--queue", "b");
    const words = [...program, "worker", "start", "--count=3", "--queue=a", "--queue=b"];
    expect(unit).toContain(`\nExecStart=${words.map((word) => `"${word}"`).join(" ")}\n`);
    expect(unit).toContain(`\nEnvironment="QUEUECTL_HOME=${q.home}"\n`);
    expect(unit).toContain('\nEnvironment="QUEUECTL_RETENTION=1d"\n');
    expect(unit).not.toContain("not-this");
    expect(existsSync(q.home)).toBe(false);
  });

  test("leaves commands running when the worker is restarted", async () => {
    await using q = queuectl();
    const unit = await q.ok("service", "install", "--print");
    for (const line of ["KillMode=process", "KillSignal=SIGUSR2", "Restart=always", "OOMPolicy=continue"])
      expect(unit).toContain(`\n${line}\n`);
  });

  test("gives no character of a value a meaning", () => {
    const unit = unitFile({ command: ["/bin/a b", "$x"], environment: hostile, home: "/100%" });
    expect(unit).toContain('\nExecStart="/bin/a b" "$$x"\n');
    expect(unit).toContain("\nWorkingDirectory=/100%%\n");
    expect(unit).toContain(`\nEnvironment="NAME=a \\"b\\" %%h $HOME \\\\n 'c' & <d>\\nlast"\n`);
  });

  test.skipIf(!Bun.which("systemd-analyze"))("is accepted by systemd", async () => {
    await using q = queuectl();
    mkdirSync(q.home);
    const path = join(q.folder, "queuectl.service");
    await Bun.write(path, `${await q.ok("service", "install", "--print")}\n`);
    const verify = Bun.spawn(["systemd-analyze", "verify", "--user", path], {
      env: { ...process.env, XDG_RUNTIME_DIR: q.folder },
      stdout: "pipe",
      stderr: "pipe",
    });
    expect(await verify.stderr.text()).toBe("");
    expect(await verify.exited).toBe(0);
  });
});

test("launchd's file gives no character of a value a meaning", () => {
  const agent = agentFile({ command: ["/bin/a b", "<x>"], environment: hostile, home: "/a&b" });
  expect(agent).toContain("<string>/bin/a b</string>");
  expect(agent).toContain("<string>&lt;x&gt;</string>");
  expect(agent).toContain("<string>/a&amp;b</string>");
  expect(agent).toContain("&amp; &lt;d&gt;");
});

describe("where it cannot be", () => {
  test("nothing is installed: status and uninstall say how to", async () => {
    await using q = queuectl();
    for (const verb of ["status", "uninstall"]) {
      const { status, stdout, stderr } = await q.with(
        { env: { XDG_CONFIG_HOME: q.folder, HOME: q.folder } },
        "service",
        verb,
      );
      expect({ status, stdout }).toEqual({ status: 1, stdout: "" });
      expect(stderr).toBe("queuectl: no service is installed (queuectl service install makes one)\n");
    }
  });

  test.skipIf(!linux || existsSync("/run/systemd/system"))(
    "without systemd it is refused, and nothing is written",
    async () => {
      await using q = queuectl();
      const { status, stderr } = await q.with({ env: { XDG_CONFIG_HOME: q.folder } }, "service", "install");
      expect(status).toBe(1);
      expect(stderr).toMatch(/^queuectl: systemd does not run on this machine \(.*\)\n$/);
      expect(existsSync(join(q.folder, "systemd"))).toBe(false);
    },
  );

  test("a count or a queue that is none is refused", async () => {
    await using q = queuectl();
    expect(await q("service", "install", "--count", "0", "--print")).toMatchObject({ status: 2, stdout: "" });
    expect(await q("service", "install", "--queue", "a b", "--print")).toMatchObject({
      status: 2,
      stdout: "",
    });
  });
});
