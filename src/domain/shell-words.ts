// Words as a shell reads them back unchanged.

/** A word, in quotes where it needs them. */
export const quoted = (word: string) => (/^[A-Za-z0-9_./:=@%+,-]+$/.test(word) ? word : inQuotes(word));

/** A word that names a program; unquoted, a shell could take it for an assignment or a word of its own language. */
export const quotedProgram = (word: string) =>
  word.includes("=") || shellWords.has(word) ? inQuotes(word) : quoted(word);

/** The command that runs a program with exactly these words. */
export const commandOf = (words: readonly string[]) =>
  words.map((word, index) => (index === 0 ? quotedProgram(word) : quoted(word))).join(" ");

/** A word in quotes, whatever it is. */
export const inQuotes = (word: string) => `'${withinQuotes(word)}'`;

/** A text as it stands between single quotes. */
export const withinQuotes = (text: string) => text.replaceAll("'", `'\\''`);

/** A text as it stands between double quotes. */
export const withinDoubleQuotes = (text: string) => text.replace(/[\\$`"]/g, "\\$&");

const shellWords: ReadonlySet<string> = new Set(
  "if then else elif fi do done case esac while until for in function select time coproc".split(" "),
);
