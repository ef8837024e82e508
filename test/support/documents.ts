// The READMEs and docs/ as tests read them: what they link to, what they have typed, and the transcripts that they show.

import { readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";

const root = resolve(import.meta.dir, "../..");

export interface Document {
  /** From the root. */
  readonly path: string;
  readonly text: string;
}

export const documents: readonly Document[] = [
  "README.md",
  "bench/README.md",
  ...new Bun.Glob("docs/*.md").scanSync(root),
]
  .sort()
  .map((path) => ({ path, text: readFileSync(join(root, path), "utf8") }));

export interface Link {
  /** The file it leads to, from the root. */
  readonly path: string;
  readonly anchor: string | undefined;
}

/** What it links to in this tree. */
export function linksOf({ path: from, text }: Document): Link[] {
  const targets = [...text.matchAll(/\]\(([^)\s:]+)\)/g)].map(([, target]) => target!);
  return targets.map((target) => {
    const [path = "", anchor] = target.split("#");
    return { path: path === "" ? from : join(dirname(from), path), anchor };
  });
}

/** The anchors that its headings make, as GitHub names them. */
export const anchorsOf = ({ text }: Document): string[] =>
  [...text.matchAll(/^#+ (.*)$/gm)].map(([, title]) =>
    title!
      .toLowerCase()
      .replace(/[^\w -]/g, "")
      .replaceAll(" ", "-"),
  );

/** Files and folders of the tree that it names as code; a star stands for any name. */
export function namedFiles({ text }: Document): string[] {
  const top = "src|test|docs|views|bench|examples|bin|\\.ci|\\.github";
  const names = text.matchAll(new RegExp(`\`((?:${top})/[^\`\\s<>…:]*)\``, "g"));
  return [...names].map(([, name]) => name!);
}

/** A fenced block and what stands in the comment right above it. */
interface Block {
  readonly kind: string;
  readonly text: string;
  readonly before: string;
}

const blocksOf = ({ text }: Document): Block[] =>
  [...text.matchAll(/(?:^<!-- before: ([^\n]*) -->\n\n?)?^```(\w+)\n(.*?)^```$/gms)].map(
    ([, before = "", kind, body]) => ({ kind: kind!, text: body!, before }),
  );

export interface Transcript {
  /** What has to be done before, as shell: `<!-- before: … -->` right above the block. */
  readonly before: string;
  readonly steps: readonly { readonly typed: string; readonly shown: string }[];
}

/** Blocks that show commands (`$ …`) with their output. */
export const transcriptsOf = (document: Document): Transcript[] =>
  blocksOf(document)
    .filter(({ kind }) => kind === "console")
    .map(({ text, before }) => ({
      before,
      steps: text
        .split(/^\$ /m)
        .slice(1)
        .map((step) => {
          const end = step.indexOf("\n");
          return { typed: step.slice(0, end), shown: step.slice(end + 1) };
        }),
    }));

/** The words of every call of queuectl that it shows, in a block or within a sentence. */
export function callsOf(document: Document): string[][] {
  const inline = [...withoutBlocks(document).matchAll(/`((?:bun )?queuectl [^`]+)`/g)]
    .map(([, code]) => code!.replace(/\s+/g, " ").replace(/<[\w-]+>/g, "word"))
    .filter((code) => !/…|queuectl word/.test(code));
  return [...blocksOf(document).flatMap(typedIn), ...inline].flatMap(callsIn);
}

const withoutBlocks = ({ text }: Document) => text.replace(/^```\w*\n.*?^```$/gms, "");

/** What is typed in a block: all of a script or of a file that has commands, and in a transcript what follows a prompt. */
function typedIn({ kind, text }: Block): string[] {
  const lines = text.replaceAll("\\\n", " ").split("\n");
  if (kind === "console") return lines.filter((line) => line.startsWith("$ ")).map((line) => line.slice(2));
  return ["sh", "ini", "yaml", "crontab"].includes(kind) ? lines : [];
}

/** What may stand between the beginning of a command and the program's name. */
const leader = String.raw`(?:sudo (?:-H |-u \S+ )*)?(?:\w+=\S* )*(?:/[\w./-]*/)?(?:bun )?`;
const callStart = new RegExp(
  String.raw`(?:^\s*|[;&|(=!] *|\b(?:if|then|do|while|exec|run:) |\* )${leader}queuectl(?= |$)`,
  "g",
);

/** The words of each call of queuectl in a line of shell, of a unit file, of a workflow or of a crontab. */
export const callsIn = (line: string): string[][] =>
  [...line.matchAll(callStart)].map((start) => wordsOf(line.slice(start.index + start[0].length)));

/** Words as a shell splits them, up to the end of the command. */
function wordsOf(text: string): string[] {
  const word = /\s*((?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|[^\s'"\\|&;<>()#]|(?<=\S)#)+)/y;
  const words: string[] = [];
  for (let match = word.exec(text); match; match = word.exec(text)) {
    words.push(match[1]!.replace(/'([^']*)'|"((?:\\.|[^"\\])*)"|\\(.)/g, (_, a, b, c) => a ?? b ?? c));
  }
  return words;
}
