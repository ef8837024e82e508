// Whether a place in a command is read by a shell a second time: quoted for the first one, a value would be code for the second.

/** A part of a word that is whole: quoted, escaped, or a character that means itself. */
const piece = /\\.|"(?:\\.|[^"\\])*"|'[^']*'|[^\s"'\\]/s.source;

/** The beginning of a word, also in the midst of a quoted part. */
const begun = `(?:(?:${piece})+|(?=["']))(?:"(?:\\\\.|[^"\\\\])*|'[^']*)?`;

/**
 * Shells that run the word behind `-c`, in which the place is; su(1) and its like hand it to one. A place that is the whole word is
 * meant to be code.
 */
const byOption = new RegExp(
  String.raw`(?:^|\s)(?:\S*\/)?((?:ba|da|a|z|k|mk|fi)?sh|su|runuser|script)\s(?:(?:${piece}|\s)*\s)?` +
    String.raw`-\w*c(?:\s+(?:-\S*\s+)*|(?=["']))${begun}$`,
  "s",
);

/** What joins all of its words and has a shell read them. */
const byWords = /(?:^|\s)(?:\S*\/)?(eval|watch)\s.*$/s;

/** Options of ssh(1) whose value is the next word. */
const sshOption = /^-[BbcDEeFIiJLlmOoPpQRSWw]$/;

/** Whether a word of ssh(1) would be a part of the command that it has a shell of the host read: the first one behind the host. */
function isBehindHost(words: string): boolean {
  const given = /(?:^|\s)(?:\S*\/)?ssh\s(.*)$/s.exec(words)?.[1];
  if (given === undefined) return false;
  // What follows the last blank is the word in which the place is.
  const before = given.split(/\s+/).slice(0, -1).filter(Boolean);
  return before.some((word, n) => !word.startsWith("-") && !sshOption.test(before[n - 1] ?? ""));
}

/** The program that has what follows these first words of a simple command read once more; undefined when none is known to. */
export const readTwiceBy = (words: string): string | undefined =>
  byOption.exec(words)?.[1] ?? byWords.exec(words)?.[1] ?? (isBehindHost(words) ? "ssh" : undefined);
