// The worker as a unit of systemd's user manager.
//
// Stopping the unit must not stop what the worker runs: the next worker takes it over. So only the worker itself is signalled
// (KillMode), with the signal that has it leave at once (src/worker/shutdown.ts); a command that uses up the memory is ended alone
// (OOMPolicy); and what the worker keeps in control groups of its own is left to it (Delegate).

import { existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { misuse, Refusal } from "../../domain/errors.ts";
import type { Environment } from "../../self.ts";
import { leaveSignal } from "../../worker/shutdown.ts";
import { ask, order, type ServiceManager, type ServicePlan } from "./manager.ts";

const unit = "queuectl.service";

export function systemd(given: Environment): ServiceManager {
  const runtime = given.XDG_RUNTIME_DIR || `/run/user/${process.getuid!()}`;
  // Also for who came by su or from cron: the manager is found by its folder.
  const environment = { ...given, XDG_RUNTIME_DIR: runtime };
  const user = ask(["id", "-un"], environment).stdout.trim();
  const lingers = () => existsSync(join("/var/lib/systemd/linger", user));
  const why = `journalctl --user -u ${unit} -n 20 shows more`;
  const control = (...words: string[]) => order(["systemctl", "--user", ...words], environment, why);

  return {
    path: join(given.XDG_CONFIG_HOME || join(homedir(), ".config"), "systemd", "user", unit),
    file: unitFile,
    check() {
      if (!existsSync("/run/systemd/system"))
        throw new Refusal(
          "unavailable",
          "systemd does not run on this machine",
          "have whatever starts programs here, such as cron at @reboot, start: queuectl worker --detach",
        );
      if (!existsSync(join(runtime, "systemd", "private")))
        throw new Refusal(
          "unavailable",
          `systemd runs no user manager for ${user}`,
          `log in as ${user}, or have it started: sudo loginctl enable-linger ${user}`,
        );
    },
    start() {
      control("daemon-reload");
      control("enable", "--quiet", unit);
      control("restart", unit);
      if (!lingers()) ask(["loginctl", "enable-linger"], environment);
    },
    stop: () => control("disable", "--quiet", "--now", unit),
    forget: () => control("daemon-reload"),
    state() {
      const fields = ["ActiveState", "MainPID", "UnitFileState"].map((name) => `--property=${name}`);
      const { stdout } = ask(["systemctl", "--user", "show", ...fields, unit], environment);
      const pid = Number(/^MainPID=(\d+)$/m.exec(stdout)?.[1] ?? 0);
      const enabled = /^UnitFileState=enabled$/m.test(stdout);
      return {
        running: /^ActiveState=active$/m.test(stdout),
        pid: pid || null,
        starts: !enabled ? "hand" : lingers() ? "boot" : "login",
      };
    },
    advice: () => [
      ...(lingers()
        ? []
        : [`it ends when you log out; this keeps it running: sudo loginctl enable-linger ${user}`]),
      `restarting it leaves commands running: systemctl --user restart ${unit}`,
      `what it says: journalctl --user -u ${unit} -f`,
    ],
  };
}

/** Every value is quoted, and nothing in it means something to systemd: see systemd.syntax(7), systemd.unit(5) on `%`. */
export function unitFile({ command, environment, home }: ServicePlan): string {
  return `# Written by queuectl service install, which writes it anew.
[Unit]
Description=queuectl: runs the commands of its queue
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${command.map((word) => quoted(word).replaceAll("$", "$$$$")).join(" ")}
WorkingDirectory=${folder(home)}
${Object.entries(environment)
  .map(([name, value]) => `Environment=${quoted(`${name}=${value}`)}`)
  .join("\n")}
KillMode=process
KillSignal=${leaveSignal}
Restart=always
RestartSec=2
# It was started wrongly, and would be again.
RestartPreventExitStatus=2
OOMPolicy=continue
Delegate=yes

[Install]
WantedBy=default.target
`;
}

const quoted = (text: string) =>
  `"${percent(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;

/** The one value that systemd takes as it stands. */
function folder(path: string): string {
  if (path.includes("\n")) throw misuse("systemd takes no folder with a line end in its name");
  return percent(path);
}

const percent = (text: string) => text.replaceAll("%", "%%");
