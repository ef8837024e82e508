// queuectl alert add: of what somebody wants to be told, and by which way.

import { readFileSync } from "node:fs";
import {
  type Channel,
  channels,
  checkAlert,
  defaultGather,
  type NewAlert,
  newSecret,
  readEvents,
} from "../../domain/alert.ts";
import { isSystemError, misuse, unavailable } from "../../domain/errors.ts";
import { alertJson } from "../../domain/json.ts";
import type { Commands } from "../command.ts";
import type { Context } from "../context.ts";
import { done } from "../exit-status.ts";
import { jsonFlag, note, printJson, printLine } from "../output.ts";
import { seconds, wholeNumber } from "../values.ts";

export const commands: Commands = {
  "alert add": {
    usage:
      "alert add <name> --on <what> --webhook <url> | --slack <url> | --email <addresses> | --command <command>",
    examples: [
      "queuectl alert add deaths --on dead --slack https://hooks.slack.com/services/T0/B0/x",
      "queuectl alert add late --on slow --longer-than 2h --on backlog --older-than 30m --email ops@example.org",
      "queuectl alert add done --on completed --tag release --command './announce.sh' --gather 0",
    ],
    flags: [
      ["--on <what>", "What to tell of: dead, completed, slow or backlog; may be repeated", "repeatable"],
      ["--queue <name>", "Only of this queue and its jobs"],
      ["--tag <tag>", "Only of jobs with this label"],
      ["--longer-than <duration>", "From when on a run is slow"],
      ["--more-than <n>", "A queue backs up when more jobs than this could run and wait"],
      ["--older-than <duration>", "A queue backs up when a job has waited for longer"],
      [
        "--gather <duration>",
        "What follows a message within this time is one message; 1m by default, 0 for each its own",
      ],
      ["--webhook <url>", "Post it as JSON, signed"],
      [
        "--secret-file <file>",
        "What a webhook is signed by, in base64; without it one is made and shown; - is stdin",
      ],
      ["--slack <url>", "Post it to a Slack channel's incoming webhook"],
      ["--email <addresses>", "Send it to these addresses, with commas between"],
      ["--command <command>", "Run this, with the message as JSON on its stdin"],
      jsonFlag,
    ],
    run: alertAdd,
  },
};

export interface AlertOptions extends Partial<Readonly<Record<Channel, string>>> {
  readonly on?: readonly string[];
  readonly queue?: string;
  readonly tag?: string;
  readonly longerThan?: string;
  readonly moreThan?: string;
  readonly olderThan?: string;
  readonly gather?: string;
  readonly secretFile?: string;
  readonly json?: boolean;
}

async function alertAdd(context: Context, [name]: readonly string[], options: AlertOptions): Promise<number> {
  const alert = readAlert(name!, options, context.cwd);
  await using store = await context.openStore();
  const added = await store.alerts.add(alert);
  const fresh = alert.secret !== null && options.secretFile === undefined ? alert.secret : undefined;
  if (options.json) await printJson({ ...alertJson(added), ...(fresh ? { secret: fresh } : {}) });
  else await printLine(alert.name);
  if (fresh && !options.json)
    note(`the receiver can check who it is from by this secret, which is shown this once: ${fresh}`);
  const { smtp_url, mail_from } = await context.settings(store);
  if (alert.channel === "email" && (smtp_url === "" || mail_from === ""))
    note("e-mail needs the settings smtp_url and mail_from: queuectl config set smtp_url smtps://…");
  return done;
}

function readAlert(name: string, options: AlertOptions, cwd: string): NewAlert {
  const channel = channelOf(options);
  const duration = (flag: string, text: string | undefined) =>
    text === undefined ? null : seconds(flag, text);
  if (options.secretFile !== undefined && channel !== "webhook")
    throw misuse("--secret-file is for --webhook: nothing else is signed");
  return checkAlert({
    name,
    events: readEvents(options.on ?? []),
    queue: options.queue ?? null,
    tag: options.tag ?? null,
    longer_than: duration("longer-than", options.longerThan),
    more_than:
      options.moreThan === undefined ? null : wholeNumber("more-than", options.moreThan, 0, 1_000_000_000),
    older_than: duration("older-than", options.olderThan),
    gather: duration("gather", options.gather) ?? defaultGather,
    channel,
    target: options[channel]!,
    secret: channel === "webhook" ? secretOf(options) : null,
    cwd: channel === "command" ? cwd : null,
  });
}

function channelOf(options: AlertOptions): Channel {
  const given = channels.filter((one) => options[one] !== undefined);
  if (given.length === 1) return given[0]!;
  const all = channels.map((one) => `--${one}`).join(", ");
  throw misuse(
    given.length === 0 ? "it does not say where to tell" : `one alert goes one way, not ${given.length}`,
    `give one of ${all}`,
  );
}

/** Of a file, so that it stands in no list of processes and in no history; a new one without. */
function secretOf({ secretFile }: AlertOptions): string {
  if (secretFile === undefined) return newSecret();
  try {
    return readFileSync(secretFile === "-" ? 0 : secretFile, "utf8").trim();
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw unavailable(error);
  }
}
