// Text from users and commands, where one line of it is shown.

/**
 * A text in one line, with control characters and marks of writing direction made visible: what a command contains must not
 * steer a terminal, nor read other than it is.
 */
export const oneLine = (text: string) =>
  text.replace(/\r?\n|\t/g, " ").replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu, "\ufffd");

/** A text of at most so many characters. */
export const cutText = (text: string, length: number) =>
  text.length > length ? `${text.slice(0, length - 1)}…` : text;
