// A disk that loses its power. Real processes run under strace; what they did to files is done again on a model of a disk that keeps
// nothing but what was synced: a file's bytes when the file was, a name when its folder was. Whatever was not may be there after a
// cut, or not, or in part.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";

/** Why nothing can be traced here, so that no power cuts can be tried either; undefined where it can, and under CI, where it must. */
export const noStrace: string | undefined =
  Bun.which("strace") || process.env.CI === "true" ? undefined : "strace is missing (apt-get install strace)";

if (noStrace) console.warn(`skipped what is traced: ${noStrace}`);
if (!Bun.which("strace") && !noStrace) throw new Error("strace is missing: apt-get install strace");

const traced =
  "openat,mkdir,mkdirat,write,pwrite64,writev,pwritev,ftruncate,truncate,rename,renameat,renameat2,unlink,unlinkat,rmdir,link,linkat,fsync,fdatasync";

/** The words that run a program so that `replay` can read from a file what it and its children did. */
export const tracing = (file: string): string[] => [
  ..."strace -f -y -s 10000000 -qq -e signal=none -e".split(" "),
  `trace=${traced}`,
  "-o",
  file,
];

interface FileNode {
  readonly kind: "file";
  now: Buffer;
  synced: Buffer;
  /** What was done to the bytes since they were synced. */
  unsynced: ((bytes: Buffer) => Buffer)[];
}

interface FolderNode {
  readonly kind: "folder";
  readonly now: Map<string, Node>;
  synced: Map<string, Node>;
}

type Node = FileNode | FolderNode;

/** What decides, for each thing that was not synced, whether it survives. */
export type Fate = () => boolean;

export interface Moment {
  /** What the last call was. */
  readonly call: string;
  /** Lines written to stdout so far. */
  readonly said: readonly string[];
  /** Writes what a power cut at this moment leaves of the folder to another one. */
  leaveIn(folder: string, fate: Fate): void;
}

/** Goes through a trace, and stops at every sync and at every word on stdout. `root` was there and empty before. */
export function* replay(trace: string, root: string): Generator<Moment> {
  const top: FolderNode = { kind: "folder", now: new Map(), synced: new Map() };
  const said: string[] = [];
  for (const call of callsIn(readFileSync(trace, "latin1"))) {
    const isSync = call.name === "fsync" || call.name === "fdatasync";
    const saying = call.name === "write" && call.descriptor === 1 && !isBelow(call.paths[0] ?? "", root);
    if (saying) said.push(...text(call).split("\n").filter(Boolean));
    else apply(call, top, root);
    if (!isSync && !saying) continue;
    yield {
      call: `${call.name} ${call.paths[0] ?? ""}`,
      said,
      leaveIn: (folder, fate) => leave(top, folder, fate),
    };
  }
}

interface Call {
  readonly name: string;
  readonly descriptor: number | undefined;
  /** Of descriptors and names, in the order of the arguments. */
  readonly paths: readonly string[];
  readonly data: Buffer | undefined;
  readonly args: string;
  readonly result: number;
}

function* callsIn(trace: string): Generator<Call> {
  const unfinished = new Map<string, string>();
  for (const line of trace.split("\n")) {
    const [, pid, rest] = /^(\d+)\s+(.*)$/s.exec(line) ?? [];
    if (pid === undefined || rest === undefined) continue;
    if (rest.endsWith(" <unfinished ...>")) {
      unfinished.set(pid, rest.slice(0, -" <unfinished ...>".length));
      continue;
    }
    const resumed = /^<\.\.\. \w+ resumed>(.*)$/s.exec(rest);
    const whole = resumed ? `${unfinished.get(pid) ?? ""}${resumed[1]}` : rest;
    const [, name, args, result] = /^(\w+)\((.*)\)\s+= (-?\d+)/s.exec(whole) ?? [];
    if (name === undefined || args === undefined || Number(result) < 0) continue;
    yield parsed(name, args, Number(result));
  }
}

function parsed(name: string, args: string, result: number): Call {
  const descriptor = /^(\d+)</.exec(args);
  const opened = descriptor ? args.slice(args.indexOf("<") + 1, args.indexOf(">")) : undefined;
  const strings = [...args.matchAll(/"((?:[^"\\]|\\.)*)"/g)].map((match) => match[1]!);
  const isWrite = /^p?write/.test(name);
  return {
    name,
    args,
    result,
    descriptor: descriptor ? Number(descriptor[1]) : undefined,
    paths: opened !== undefined ? [opened] : strings.map((string) => unescaped(string).toString()),
    data: isWrite ? Buffer.concat(strings.map(unescaped)) : undefined,
  };
}

const escapes: Readonly<Record<string, number>> = { n: 10, t: 9, r: 13, v: 11, f: 12, '"': 34, "\\": 92 };

/** A string of C, as strace prints it. */
function unescaped(string: string): Buffer {
  const bytes: number[] = [];
  for (let at = 0; at < string.length; at++) {
    if (string[at] !== "\\") {
      bytes.push(string.charCodeAt(at));
      continue;
    }
    const octal = /^[0-7]{1,3}/.exec(string.slice(at + 1, at + 4))?.[0];
    if (octal === undefined) bytes.push(escapes[string[++at]!]!);
    else {
      bytes.push(Number.parseInt(octal, 8));
      at += octal.length;
    }
  }
  return Buffer.from(bytes);
}

const text = ({ data }: Call) => data?.toString() ?? "";

function apply(call: Call, top: FolderNode, root: string): void {
  const [path, target] = call.paths;
  if (path === undefined || !isBelow(path, root)) return;
  switch (call.name) {
    case "openat":
      if (/O_CREAT/.test(call.args) && !find(top, root, path)) put(top, root, path, newFile());
      if (/O_TRUNC/.test(call.args)) change(top, root, path, () => Buffer.alloc(0));
      return;
    case "mkdir":
    case "mkdirat":
      put(top, root, path, { kind: "folder", now: new Map(), synced: new Map() });
      return;
    case "pwrite64": {
      const offset = Number(/, (\d+)$/.exec(call.args)?.[1]);
      change(top, root, path, (bytes) => written(bytes, call.data!.subarray(0, call.result), offset));
      return;
    }
    case "write":
      // Only logs are written without a place, and only at their end.
      change(top, root, path, (bytes) => Buffer.concat([bytes, call.data!.subarray(0, call.result)]));
      return;
    case "ftruncate":
    case "truncate": {
      const size = Number(/, (\d+)$/.exec(call.args)?.[1]);
      change(top, root, path, (bytes) => resized(bytes, size));
      return;
    }
    case "unlink":
    case "unlinkat":
    case "rmdir":
      folderOf(top, root, path)?.now.delete(basename(path));
      return;
    case "rename":
    case "renameat":
    case "renameat2": {
      const node = find(top, root, path);
      if (!node || target === undefined) return;
      folderOf(top, root, path)!.now.delete(basename(path));
      put(top, root, target, node);
      return;
    }
    case "fsync":
    case "fdatasync": {
      const node = find(top, root, path);
      if (node?.kind === "folder") node.synced = new Map(node.now);
      else if (node) Object.assign(node, { synced: node.now, unsynced: [] });
      return;
    }
    default:
      throw new Error(`the model of the disk does not know ${call.name}`);
  }
}

const isBelow = (path: string, root: string) => path === root || path.startsWith(`${root}/`);

const newFile = (): FileNode => ({
  kind: "file",
  now: Buffer.alloc(0),
  synced: Buffer.alloc(0),
  unsynced: [],
});

function find(top: FolderNode, root: string, path: string): Node | undefined {
  if (path === root) return top;
  return folderOf(top, root, path)?.now.get(basename(path));
}

function folderOf(top: FolderNode, root: string, path: string): FolderNode | undefined {
  const node = find(top, root, dirname(path));
  return node?.kind === "folder" ? node : undefined;
}

function put(top: FolderNode, root: string, path: string, node: Node): void {
  folderOf(top, root, path)?.now.set(basename(path), node);
}

function change(top: FolderNode, root: string, path: string, step: (bytes: Buffer) => Buffer): void {
  const node = find(top, root, path);
  if (node?.kind !== "file") return;
  node.now = step(node.now);
  node.unsynced.push(step);
}

function written(bytes: Buffer, data: Buffer, offset: number): Buffer {
  const result = resized(bytes, Math.max(bytes.length, offset + data.length));
  data.copy(result, offset);
  return result;
}

function resized(bytes: Buffer, size: number): Buffer {
  const result = Buffer.alloc(size);
  bytes.copy(result, 0, 0, size);
  return result;
}

/** Names: the synced ones, each later change by fate. Bytes: the synced ones, each later write by fate, in their order. */
function leave(folder: FolderNode, to: string, fate: Fate): void {
  mkdirSync(to, { recursive: true });
  const names = new Set([...folder.synced.keys(), ...folder.now.keys()]);
  for (const name of names) {
    const [before, now] = [folder.synced.get(name), folder.now.get(name)];
    const node = before === now || fate() ? now : before;
    // What processes share in memory is no part of the disk's promise: SQLite makes it anew.
    if (!node || name.endsWith("-shm")) continue;
    const path = join(to, name);
    if (node.kind === "folder") leave(node, path, fate);
    else {
      writeFileSync(
        path,
        node.unsynced.reduce((bytes, step) => (fate() ? step(bytes) : bytes), node.synced),
        { mode: 0o600 },
      );
    }
  }
}
