// The example of a nightly media pipeline, on real files through a day that passes in a minute, with a worker killed in the middle of
// the night.

import { expect, setDefaultTimeout, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { gunzipSync } from "node:zlib";
import { fakeClock, noFakeClock } from "./support/fake-clock.ts";
import { program } from "./support/program.ts";
import { queuectl } from "./support/queuectl.ts";
import { tempFolder } from "./support/temp-home.ts";
import { waitUntil } from "./support/wait-until.ts";

setDefaultTimeout(300_000);

const root = resolve(import.meta.dir, "..");
const recordings = 200;
const broken = ["take-050.wav", "take-150.wav"];
const minute = 60;

test.skipIf(noFakeClock !== undefined)(
  "a night of 200 conversions, two at a time, and a summary after all of them",
  async () => {
    using folder = tempFolder();
    const media = join(folder.path, "media");
    fillRecordings(media);
    const clock = fakeClock(folder.path);
    const environment = {
      ...clock.environment,
      TZ: "UTC",
      PATH: pathWithQueuectl(folder.path),
      CONVERT: converter(folder.path),
    };
    await using q = queuectl(environment);
    await using slack = slackChannel();
    await q.ok("config", "set", "backoff_base", "0");
    const setup = Bun.spawn([join(root, "examples/media-pipeline/setup.sh"), media, slack.url], {
      env: { ...process.env, ...environment, QUEUECTL_HOME: q.home },
      stdin: "ignore",
      stdout: "ignore",
      stderr: "inherit",
    });
    expect(await setup.exited).toBe(0);

    const first = q.start("worker", "--count", "4");
    await using _day = passDay(clock.set);
    await waitUntil(
      "a part of the night is done",
      () => readdirSync(join(media, "done")).length >= 50,
      120_000,
    );
    first.kill("SIGKILL");
    await first.exited;
    q.start("worker", "--count", "4");

    const summary = () => readFileSync(join(media, "summary.txt"), "utf8");
    await waitUntil(
      "the summary",
      () => readdirSync(media).includes("summary.txt") && summary() !== "",
      60_000,
    );
    expect(summary()).toMatch(/^night-\d{4}-\d\d-\d\d: 198 converted, 2 not\n$/);
    expect(readdirSync(join(media, "new")).sort()).toEqual(broken);
    const done = readdirSync(join(media, "done"));
    expect(done).toHaveLength(recordings - broken.length);
    for (const name of done) {
      expect(
        gunzipSync(readFileSync(join(media, "done", name)))
          .subarray(0, 4)
          .toString(),
      ).toBe("RIFF");
    }
    expect(readdirSync(folder.path).filter((name) => name.startsWith("too-many"))).toEqual([]);
    await waitUntil(
      "Slack was told of both",
      () => broken.every((name) => slack.heard().includes(name)),
      120_000,
    );

    const jobs: { attempts: number; state: string; queue: string }[] = await q.json("list", "--limit", "0");
    const conversions = jobs.filter(({ queue }) => queue === "conversions");
    expect(conversions).toHaveLength(recordings);
    expect(new Set(conversions.map(({ state, attempts }) => `${state} ${attempts}`))).toEqual(
      new Set(["completed 1", "dead 2"]),
    );
  },
);

/** Real wave files, a header and a second of silence; two are none. */
function fillRecordings(media: string): void {
  mkdirSync(join(media, "new"), { recursive: true });
  for (let n = 1; n <= recordings; n++) {
    const name = `take-${String(n).padStart(3, "0")}.wav`;
    writeFileSync(join(media, "new", name), broken.includes(name) ? "no sound" : waveFile(8000));
  }
}

/** 8 bits, 8,000 samples a second, one channel. */
function waveFile(samples: number): Buffer {
  const file = Buffer.alloc(44 + samples, 0x80);
  file.write("RIFF");
  file.writeUInt32LE(36 + samples, 4);
  file.write("WAVEfmt ", 8);
  file.writeUInt32LE(16, 16);
  for (const [at, value] of [
    [20, 1],
    [22, 1],
    [32, 1],
    [34, 8],
  ] as const)
    file.writeUInt16LE(value, at);
  file.writeUInt32LE(8000, 24);
  file.writeUInt32LE(8000, 28);
  file.write("data", 36);
  file.writeUInt32LE(samples, 40);
  return file;
}

/** A converter that notices when more than two of it run, and refuses what is no wave file. */
function converter(folder: string): string {
  const script = `#!/bin/sh
    mkdir '${folder}/slot-1' 2>/dev/null && slot=1 || { mkdir '${folder}/slot-2' 2>/dev/null && slot=2; } || touch "${folder}/too-many-$$"
    trap 'rmdir "${folder}/slot-$slot"' EXIT
    sleep 0.1
    head -c 4 "$1" | grep -q RIFF || { echo "$1: not a wave file" >&2; exit 65; }
    gzip -c "$1"
  `;
  return executable(join(folder, "convert"), script);
}

/** What users have: queuectl by its name. */
function pathWithQueuectl(folder: string): string {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  executable(join(bin, "queuectl"), `#!/bin/sh\nexec ${program.map((word) => `'${word}'`).join(" ")} "$@"\n`);
  return `${bin}:${dirname(process.execPath)}:${process.env.PATH}`;
}

function executable(path: string, script: string): string {
  writeFileSync(path, script);
  chmodSync(path, 0o755);
  return path;
}

/** From midnight on, 24 minutes pass in each second, until it is midnight again; then the clock goes as it is. */
function passDay(set: (offsetSeconds: number) => void): AsyncDisposable {
  const midnight = Math.ceil(Date.now() / 86_400_000) * 86_400;
  const begun = Date.now();
  const timer = setInterval(() => {
    const passed = Math.min((Date.now() - begun) / 1000, 60) * 24 * minute;
    set(Math.round(midnight + passed - Date.now() / 1000));
  }, 250);
  return { [Symbol.asyncDispose]: async () => clearInterval(timer) };
}

function slackChannel() {
  const texts: string[] = [];
  const server = Bun.serve({
    port: 0,
    async fetch(request) {
      texts.push(await request.text());
      return new Response("ok");
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}/services/T0/B0/x`,
    heard: () => texts.join("\n"),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}
