// The disk below the home folder: of which kind, how full, how fast.

import {
  closeSync,
  existsSync,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { formatDuration } from "../domain/duration.ts";
import { formatSize } from "../domain/size.ts";
import { fileMode, jobLogsFolder, logsFolder } from "../home.ts";
import type { Patient } from "./doctor.ts";
import { broken, type Finding, ok, warning } from "./finding.ts";

export function whichFileSystem({ home }: Patient): Finding {
  if (process.platform !== "linux") return ok("not looked at on this system");
  return judgeFileSystem(fileSystemOf(folderOf(home), readFileSync("/proc/self/mountinfo", "utf8")));
}

/** Locks over a network are not to be trusted, and the memory that readers and writers share is not shared at all. */
const overNetwork =
  /^(nfs\d?|cifs|smb\d?|smbfs|ncpfs|9p|afs|ceph|lustre|gfs2?|ocfs2|beegfs|glusterfs|fuse\.(sshfs|glusterfs|ceph|s3fs|rclone|gcsfuse|juicefs|davfs2?|curlftpfs))$/;
const inMemory = /^(tmpfs|ramfs|devtmpfs)$/;

export function judgeFileSystem(type: string | undefined): Finding {
  if (type === undefined) return ok("of a kind that cannot be told");
  if (overNetwork.test(type)) {
    return warning(
      `${type} lies across a network, where a SQLite database gets damaged sooner or later`,
      "point QUEUECTL_HOME to a local disk; for several machines use PostgreSQL",
    );
  }
  if (inMemory.test(type)) {
    return warning(
      `${type} is memory: all jobs are gone when the machine restarts`,
      "point QUEUECTL_HOME to a disk",
    );
  }
  return ok(type);
}

/** The type of the file system that holds a path, by the table in proc_pid_mountinfo(5). */
export function fileSystemOf(path: string, mountinfo: string): string | undefined {
  const mounts = mountinfo.split("\n").flatMap((line) => {
    const [left, right] = line.split(" - ");
    const point = left
      ?.split(" ")[4]
      ?.replace(/\\([0-7]{3})/g, (_, code) => String.fromCharCode(Number.parseInt(code, 8)));
    const type = right?.split(" ")[0];
    return point === undefined || type === undefined ? [] : [{ point, type }];
  });
  const holders = mounts.filter(({ point }) => `${path}/`.startsWith(point === "/" ? "/" : `${point}/`));
  // Of mounts at the same place the last one is seen.
  return holders.reduce<(typeof holders)[number] | undefined>(
    (best, mount) => (best && best.point.length > mount.point.length ? best : mount),
    undefined,
  )?.type;
}

/** A full write-ahead log and some output. */
const littleBytes = 512 * 1024 ** 2;
const tooLittleBytes = 8 * 1024 ** 2;

export function freeSpace({ home }: Patient): Finding {
  const judged = [folderOf(home), logsFolder(home)].filter(existsSync).map((folder, place) => {
    const { bavail, bsize, files, ffree } = statfsSync(folder);
    return judgeSpace({
      bytes: bavail * bsize,
      names: files === 0 ? undefined : ffree,
      logs: jobLogsFolder(home),
      where: place === 0 ? "" : ` in ${folder}`,
    });
  });
  const worst = (["broken", "warning", "ok"] as const).flatMap((level) =>
    judged.filter((finding) => finding.level === level),
  );
  return worst[0]!;
}

interface Space {
  readonly bytes: number;
  /** How many more files may be made; undefined where there is no limit. */
  readonly names: number | undefined;
  /** The folder of the output of jobs. */
  readonly logs: string;
  /** Said of the logs, which a link may have put on another disk. */
  readonly where?: string;
}

export function judgeSpace({ bytes, names, logs, where = "" }: Space): Finding {
  const mend = "make room: queuectl dlq purge, a shorter retention, a smaller log_limit, or a larger disk";
  // On a full disk nothing can be stored, not even that something is to go.
  const urgent = `remove old files below '${logs}', or empty one that grows (: > …); then ${mend}`;
  const text = `${formatSize(bytes)} free${where}`;
  if (names !== undefined && names < 100)
    return broken(`the disk takes only ${names} more files${where}`, urgent);
  if (bytes < tooLittleBytes) return broken(text, urgent);
  return bytes < littleBytes ? warning(text, mend) : ok(text);
}

/** Every enqueue, and every turn of a worker, waits for one sync. */
const slowMs = 100;

export function syncTime({ home }: Patient): Finding {
  if (!existsSync(home)) return ok("nothing to try yet");
  const path = join(home, `.doctor-${process.pid}`);
  const file = openSync(path, "w", fileMode);
  try {
    const times = Array.from({ length: 5 }, () => {
      const before = performance.now();
      writeSync(file, Buffer.alloc(4096));
      fsyncSync(file);
      return performance.now() - before;
    });
    return judgeSync(times.toSorted((a, b) => a - b)[2]!);
  } finally {
    closeSync(file);
    rmSync(path, { force: true });
  }
}

export function judgeSync(ms: number): Finding {
  const text = `a write is on disk in ${formatDuration(Math.round(ms * 100) / 100_000)}`;
  return ms < slowMs
    ? ok(text)
    : warning(
        `${text}, so at most ${Math.floor(1000 / ms)} jobs can be stored in a second`,
        "use a faster disk",
      );
}

/** The home folder, or the nearest folder above that exists. */
export function folderOf(home: string): string {
  return existsSync(home) || dirname(home) === home ? realpathSync(home) : folderOf(dirname(home));
}
