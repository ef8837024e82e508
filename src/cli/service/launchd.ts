// The worker as an agent of launchd. Written by its manual (launchd.plist(5)); nobody has tried it on a Mac yet.

import { homedir } from "node:os";
import { join } from "node:path";
import type { Environment } from "../../self.ts";
import { leaveSignal } from "../../worker/shutdown.ts";
import { ask, order, type ServiceManager, type ServicePlan } from "./manager.ts";

const label = "queuectl.worker";

export function launchd(environment: Environment): ServiceManager {
  const path = join(homedir(), "Library", "LaunchAgents", `${label}.plist`);
  const domain = `gui/${process.getuid!()}`;
  const target = `${domain}/${label}`;
  const why = `launchctl print ${target} shows more`;
  const print = () => ask(["launchctl", "print", target], environment);

  function stop(): void {
    if (!print().ok) return;
    // What it gets from launchd itself would have it wait for its commands.
    ask(["launchctl", "kill", leaveSignal, target], environment);
    order(["launchctl", "bootout", target], environment, why);
  }

  return {
    path,
    file: agentFile,
    check: () => order(["launchctl", "print", domain], environment, "log in at the screen first"),
    start() {
      stop();
      order(["launchctl", "bootstrap", domain, path], environment, why);
    },
    stop,
    forget: () => {},
    state() {
      const { stdout } = print();
      const pid = /^\s*pid = (\d+)$/m.exec(stdout)?.[1];
      return { running: pid !== undefined, pid: pid === undefined ? null : Number(pid), starts: "login" };
    },
    advice: () => [`restarting it leaves commands running: launchctl kill ${leaveSignal} ${target}`],
  };
}

export function agentFile({ command, environment, home }: ServicePlan): string {
  const text = (value: string) => `<string>${Bun.escapeHTML(value)}</string>`;
  const variables = Object.entries(environment).map(([name, value]) => `<key>${name}</key>${text(value)}`);
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Written by queuectl service install, which writes it anew. -->
<plist version="1.0">
<dict>
  <key>Label</key>${text(label)}
  <key>ProgramArguments</key>
  <array>
    ${command.map(text).join("\n    ")}
  </array>
  <key>WorkingDirectory</key>${text(home)}
  <key>EnvironmentVariables</key>
  <dict>
    ${variables.join("\n    ")}
  </dict>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><true/>
  <!-- Commands that the worker runs outlive it, and the next one takes them over. -->
  <key>AbandonProcessGroup</key><true/>
  <key>ThrottleInterval</key><integer>2</integer>
</dict>
</plist>
`;
}
