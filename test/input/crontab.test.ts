import { describe, expect, test } from "bun:test";
import { Refusal } from "../../src/domain/errors.ts";
import { readCrontab, refuseSystemCrontab } from "../../src/input/crontab.ts";

const read = (text: string) => readCrontab(text, "UTC");

/** The one entry of a line. */
const entryOf = (line: string) => read(line).entries[0]!;

const crontab = `# m h  dom mon dow   command
SHELL=/bin/bash
PATH = "/usr/local/bin:/usr/bin:/bin"
MAILTO=admin@example.org

0 5 * * 1 tar -zcf /var/backups/home.tgz /home/  # weekly
\t*/10 * * * *   cd /srv/app && nice -n 10 php artisan schedule:run >> /dev/null 2>&1
CRON_TZ=Europe/Berlin
@daily	/usr/bin/backup.sh --all
@Reboot /usr/bin/tunnel
-15 3 * * sun    /usr/bin/backup.sh --full
30 2 * * * mysqldump app | gzip > /backup/app-$(date +\\%F).sql.gz
0 9 * * 1-5 mail -s Hello me%Dear me,%%100\\% yours
`;

test("a user's crontab becomes schedules, with the variables above each", () => {
  const { entries, notes } = read(crontab);
  expect(entries.map(({ name, cron, tz, where }) => [name, cron, tz, where])).toEqual([
    ["tar", "0 5 * * 1", undefined, "line 6"],
    ["artisan", "*/10 * * * *", undefined, "line 7"],
    ["backup.sh", "@daily", "Europe/Berlin", "line 9"],
    ["backup.sh-2", "15 3 * * sun", "Europe/Berlin", "line 11"],
    ["mysqldump", "30 2 * * *", "Europe/Berlin", "line 12"],
    ["mail", "0 9 * * 1-5", "Europe/Berlin", "line 13"],
  ]);
  for (const { env } of entries) {
    expect(env).toEqual({ SHELL: "/bin/bash", PATH: "/usr/local/bin:/usr/bin:/bin" });
  }
  expect(notes).toEqual([
    expect.stringContaining("line 4: no mail is sent to admin@example.org"),
    expect.stringContaining("line 10 is left out: @reboot"),
  ]);
});

test("quotes around a variable's value are taken off where they are a pair", () => {
  expect(entryOf("A='b c'\n'D'=\"e\"\nF=\"g'\n@daily h").env).toEqual({ A: "b c", D: "e", F: "\"g'" });
});

test("only the system's own crontabs have a user in each line", () => {
  for (const path of ["/etc/crontab", "/etc/cron.d/php"])
    expect(() => refuseSystemCrontab(path)).toThrow("has a user in each line");
  for (const path of ["/etc/crontabs/root", "/home/me/etc/crontab"]) refuseSystemCrontab(path);
});

describe("a command", () => {
  const run = (command: string) => {
    const { stdout } = Bun.spawnSync(["/bin/sh", "-c", command], { env: { PATH: process.env.PATH } });
    return stdout.toString();
  };

  test("is left as it is, what looks like a comment too", () => {
    expect(entryOf("* * * * * echo a # b").command).toBe("echo a # b");
  });

  test("has the text behind % as its stdin, and \\% as a percent sign", () => {
    expect(run(entryOf("* * * * * cat -; echo 5\\%%it's%two lines").command)).toBe("it's\ntwo lines\n5%\n");
    // cron writes a line end only where there is text that lacks one.
    expect(run(entryOf("* * * * * cat -%").command)).toBe("");
    expect(run(entryOf("* * * * * cat -%it's%two lines%").command)).toBe("it's\ntwo lines\n");
    expect(run(entryOf("* * * * * cat -%%").command)).toBe("\n");
  });

  test("is run by the shell that SHELL names", () => {
    const text = "SHELL=/bin/bash\n* * * * * [[ ab = a* ]] && echo 'it''s'\n";
    expect(run(entryOf(text).command)).toBe("its\n");
  });
});

test("names are made of what is run, each once", () => {
  const names: [command: string, name: string][] = [
    ["/opt/x/report.py -v", "report.py"],
    ["python3 -u /opt/x/report.py", "report.py"],
    ["A=1 B='2' sudo -n /usr/bin/env make all", "make"],
    ["[ -x /usr/bin/x ] && /usr/bin/x", "x"],
    ["test -x /usr/sbin/anacron || run-parts /etc/cron.daily", "run-parts"],
    ["cd / && run-parts --report /etc/cron.hourly", "run-parts"],
    ["bash -c 'echo hi'", "bash"],
    ["(sleep 5; echo hi)", "sleep"],
    ["./größe.sh", "gr-e.sh"],
    ["$HOME/bin/sync", "sync"],
    ["!", "cron"],
    [`/bin/${"x".repeat(100)}`, "x".repeat(40)],
  ];
  for (const [command, name] of names)
    expect([command, entryOf(`@daily ${command}`).name]).toEqual([command, name]);
  expect(read("@daily a\n@daily a\n@daily a-2\n").entries.map(({ name }) => name)).toEqual([
    "a",
    "a-2",
    "a-2-2",
  ]);
});

test("RANDOM_DELAY is minutes of jitter, until it is taken back", () => {
  const { entries } = read("RANDOM_DELAY=5\n@daily a\nRANDOM_DELAY=\n@daily b\n");
  expect(entries.map(({ jitter, env }) => [jitter, env])).toEqual([
    [300, {}],
    [undefined, {}],
  ]);
});

test("an empty file has nothing", () => {
  expect(read('\n# nothing\nMAILTO=""\n')).toEqual({ entries: [], notes: [] });
});

const wrong: [line: string, says: string][] = [
  ["* * * * echo hi", "line 2"],
  ["61 * * * * echo", "line 2"],
  ["@often echo", "line 2"],
  ["@daily", "line 2"],
  ["hello", "neither"],
  ["0~59 * * * * echo", "line 2"],
  ["17 * * * * root cd / && run-parts --report /etc/cron.hourly", "/etc/crontab"],
  ["* * * * * %in", "no command"],
  ["0 0 * * * www-data /usr/bin/php cron.php", "/etc/crontab"],
  ["RANDOM_DELAY=x\n@daily a", "RANDOM_DELAY"],
  ["RANDOM_DELAY=5m\n@daily a", "RANDOM_DELAY"],
  ["CRON_TZ=Mars\n@daily a", "Mars"],
];
for (const [line, says] of wrong) {
  test(`${JSON.stringify(line)} is refused by its line`, () => {
    const refused = () => read(`# first\n${line}\n`);
    expect(refused).toThrow(Refusal);
    expect(refused).toThrow(says);
    expect(refused).toThrow(/^line [23]: /);
  });
}
