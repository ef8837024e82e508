// A text of somebody else's, with what is in it but cannot be seen made visible: a command that reads one way and runs another.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { cutText } from "../../src/domain/one-line.ts";

/** Control characters except line ends and tabs, marks that turn the writing direction, and characters of no width. */
const unseen = /[\p{Cc}\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]/u;

/** Which of them a text contains, by name. */
export const unseenCharacters = (text: string): string[] =>
  [...new Set([...text.replaceAll("\r\n", "\n")].filter(isUnseen).map(codeName))].slice(0, 5);

/** As much of a text as a row of a table has room for. */
export const shortened = (text: string) => cutText(text, 200);

export function VisibleText({ text }: { text: string }) {
  const parts = text.split(
    /([^\P{Cc}\n\t]|[\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff])/u,
  );
  return (
    <>
      {parts.map((part) =>
        isUnseen(part) ? (
          <mark class="unseen-character" title="a character that cannot be seen" safe>
            {codeName(part)}
          </mark>
        ) : (
          <bdi safe>{part}</bdi>
        ),
      )}
    </>
  );
}

const isUnseen = (part: string) => part.length === 1 && part !== "\n" && part !== "\t" && unseen.test(part);

/** `U+202E`. */
const codeName = (character: string) =>
  `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, "0")}`;
