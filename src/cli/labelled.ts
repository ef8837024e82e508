// Output of several jobs at once: whole lines, each behind the name of its job, whoever else prints meanwhile.

import { isTerminal, wantsColour, writeOut } from "./output.ts";
import { tamer } from "./tame.ts";

export interface LabelledOutput {
  /** Prints the lines that these bytes complete. False when nobody reads them any more. */
  print(bytes: Uint8Array): Promise<boolean>;
  /** Prints what is left without a line end, as a line; more may come. */
  end(): Promise<boolean>;
}

/** Of the terminal's colours those that can be read on light and on dark (ECMA-48 8.3.117). */
const colours = [36, 33, 32, 35, 34, 96, 93, 92, 95, 94];

/** A maker of outputs, one for each attempt of the job with this place among `ids`. */
export function labelledOutputs(ids: readonly string[]): (place: number) => LabelledOutput {
  const width = ids.reduce((most, id) => Math.max(most, id.length), 0);
  const tame = isTerminal(1);
  const isColoured = wantsColour();
  let writing = Promise.resolve(true);
  // One after another: what is written in parts must not have another's line in its midst.
  const write = (text: string) => {
    const bytes = Buffer.from(text, tame ? "utf8" : "latin1");
    writing = writing.then((isRead) => isRead && writeOut(bytes));
    return writing;
  };
  return (place) => {
    const label = `${ids[place]!.padEnd(width)} | `;
    const shown = isColoured ? `\u001b[${colours[place % colours.length]}m${label}\u001b[0m` : label;
    const makeLines = () => (tame ? tamer() : plainLines());
    let lines = makeLines();
    const labelled = (text: string) => text.replace(/[^\n]*\n/g, (line) => shown + line);
    const printed = async (text: string) => text === "" || write(labelled(text));
    return {
      print: (bytes) => printed(lines.lines(bytes)),
      end: () => {
        const rest = lines.rest();
        lines = makeLines();
        return printed(rest === "" ? "" : `${rest}\n`);
      },
    };
  };
}

/** A line is kept up to here: output without line ends must not fill the memory. */
const longestLine = 1024 ** 2;

/** The same for bytes that are printed as they are, each of them one character. */
function plainLines() {
  let held = "";
  return {
    lines(bytes: Uint8Array): string {
      const text = held + Buffer.from(bytes).toString("latin1");
      const end = text.lastIndexOf("\n") + 1;
      held = text.slice(end);
      if (held.length < longestLine) return text.slice(0, end);
      const whole = `${text}\n`;
      held = "";
      return whole;
    },
    rest: () => held,
  };
}
