// What a terminal showed, as a moving picture: an SVG that plays by itself wherever a picture may stand, in light and dark, and that
// shows its last moment to whoever asked their system for less motion.

import { Terminal } from "@xterm/headless";

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

interface Frame {
  /** Seconds since the beginning. */
  readonly at: number;
  /** The rows of the screen, as markup. */
  readonly rows: readonly string[];
}

/** What passes in the film between two changes at most; longer waits are cut. */
const longestPause = 1.2;
/** How long the last frame stays before it begins anew. */
const lastPause = 6;
const lookMs = 70;

export interface Camera {
  write(bytes: Uint8Array): void;
  stop(): Promise<readonly Frame[]>;
}

export function camera({ columns: cols, rows }: Size): Camera {
  const terminal = new Terminal({ cols, rows, allowProposedApi: true });
  const frames: Frame[] = [];
  let at = 0;
  let lookedAt = performance.now();
  const look = () => {
    const shown = rowsOf(terminal);
    if (shown.join("\n") === frames.at(-1)?.rows.join("\n")) return;
    const now = performance.now();
    at += frames.length === 0 ? 0 : Math.min(longestPause, (now - lookedAt) / 1000);
    lookedAt = now;
    frames.push({ at, rows: shown });
  };
  const looking = setInterval(look, lookMs);
  return {
    write: (bytes) => terminal.write(bytes),
    async stop() {
      await new Promise<void>((resolve) => terminal.write("", resolve));
      clearInterval(looking);
      look();
      return frames;
    },
  };
}

interface Style {
  readonly color: number | undefined;
  readonly isBold: boolean;
  readonly isDim: boolean;
}

function rowsOf(terminal: Terminal): string[] {
  const screen = terminal.buffer.active;
  return Array.from({ length: terminal.rows }, (_, y) => {
    const line = screen.getLine(screen.baseY + y);
    const runs: { x: number; text: string; style: Style }[] = [];
    for (let x = 0; line && x < terminal.cols; x++) {
      const cell = line.getCell(x)!;
      const character = cell.getChars() || " ";
      const style: Style = {
        color: cell.isFgPalette() ? cell.getFgColor() : undefined,
        isBold: cell.isBold() !== 0,
        isDim: cell.isDim() !== 0,
      };
      const run = runs.at(-1);
      const isSame = run && JSON.stringify(run.style) === JSON.stringify(style);
      if (isSame && !(run.text.endsWith("  ") && character !== " ")) run.text += character;
      else runs.push({ x, text: character, style });
    }
    return runs.map(markup).join("");
  });
}

const width = 8.4;
const height = 19;
const left = 18;
const top = 44;

/** Text in one style. It begins where its column is, whatever the reader's font is like. */
function markup({ x, text, style }: { x: number; text: string; style: Style }): string {
  const shown = text.trimEnd();
  if (shown === "") return "";
  const blanks = shown.length - shown.trimStart().length;
  const classes = [
    style.color === undefined ? "" : `c${style.color % 8}`,
    style.isBold ? "b" : "",
    style.isDim ? "d" : "",
  ].filter(Boolean);
  const named = classes.length > 0 ? ` class="${classes.join(" ")}"` : "";
  return `<tspan x="${column(x + blanks)}"${named}>${Bun.escapeHTML(shown.trimStart())}</tspan>`;
}

const column = (x: number) => Number((left + x * width).toFixed(1));

/** One picture of a row, for as long as it stays the same. */
interface Piece {
  readonly y: number;
  readonly row: string;
  readonly from: number;
  readonly to: number;
}

function piecesOf(frames: readonly Frame[], end: number): Piece[] {
  const rows = frames[0]?.rows.length ?? 0;
  return Array.from({ length: rows }, (_, y) => y).flatMap((y) => {
    const pieces: Piece[] = [];
    for (const { at, rows } of frames) {
      const row = rows[y]!;
      const last = pieces.at(-1);
      if (last?.row === row) continue;
      if (last) pieces[pieces.length - 1] = { ...last, to: at };
      pieces.push({ y, row, from: at, to: end });
    }
    return pieces.filter(({ row }) => row !== "");
  });
}

export function film(frames: readonly Frame[], { columns, rows }: Size, title: string): string {
  const end = (frames.at(-1)?.at ?? 0) + lastPause;
  const percent = (at: number) => `${Number(((at / end) * 100).toFixed(2))}%`;
  const pieces = piecesOf(frames, end);
  const moves: string[] = [];
  const texts = pieces.map(({ y, row, from, to }, index) => {
    const isLast = to === end;
    if (from > 0 || !isLast) {
      const hidden = "{visibility:hidden}";
      const before = from > 0 ? `0%${hidden}` : "";
      const after = isLast ? "" : `${percent(to)}${hidden}`;
      moves.push(`@keyframes m${index}{${before}${percent(from)}{visibility:visible}${after}}`);
    }
    const moving = from > 0 || !isLast ? ` style="animation-name:m${index}"` : "";
    return `<text y="${top + (y + 1) * height}" class="${isLast ? "r l" : "r"}"${moving}>${row}</text>`;
  });
  const w = Math.ceil(left * 2 + columns * width);
  const h = top + rows * height + 24;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${w} ${h}" width="${w}" height="${h}" role="img" aria-label="${Bun.escapeHTML(title)}">
<title>${Bun.escapeHTML(title)}</title>
<style>
svg{--paper:#fcfcfb;--edge:#d5d9de;--text:#24292f;--quiet:#8a9199;--c1:#c0362c;--c2:#1f7a3d;--c3:#946200;--c4:#1f5fbf;--c5:#8c3f9e;--c6:#0f7482}
@media (prefers-color-scheme:dark){svg{--paper:#15191f;--edge:#323943;--text:#d9dfe6;--quiet:#7d8793;--c1:#ff7b72;--c2:#5bc878;--c3:#e0b341;--c4:#79b0ff;--c5:#d49be3;--c6:#5cc9d6}}
text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono","Liberation Mono",monospace;fill:var(--text);white-space:pre}
.r{animation:${end.toFixed(1)}s step-end infinite;visibility:hidden}
.l{visibility:visible}
.b{font-weight:700}.d{fill:var(--quiet)}
${[1, 2, 3, 4, 5, 6].map((n) => `.c${n}{fill:var(--c${n})}`).join("")}
${moves.join("\n")}
@media (prefers-reduced-motion:reduce){.r{animation-duration:0s}}
</style>
<rect x=".5" y=".5" width="${w - 1}" height="${h - 1}" rx="9" fill="var(--paper)" stroke="var(--edge)"/>
${[0, 1, 2].map((n) => `<circle cx="${20 + n * 17}" cy="20" r="5" fill="var(--edge)"/>`).join("")}
${texts.join("\n")}
</svg>
`;
}
