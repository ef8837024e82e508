// Messages by e-mail, over the server of the setting `smtp_url`.

import { createTransport } from "nodemailer";
import { addressesIn, type NewAlert } from "../domain/alert.ts";
import { detailLines } from "../domain/alert-message.ts";
import { cutText, oneLine } from "../domain/one-line.ts";
import { hidden } from "../domain/secrets.ts";
import {
  type Letter,
  limitOf,
  meant,
  patienceMs,
  type Reply,
  readMessage,
  refused,
  type Surroundings,
  tooLate,
} from "./send.ts";

const longestSubject = 150;
const longestAnswer = 200;

export async function sendEmail(alert: NewAlert, letter: Letter, surroundings: Surroundings): Promise<Reply> {
  const { smtp_url, mail_from } = surroundings.settings;
  if (smtp_url === "" || mail_from === "")
    return refused("the settings smtp_url and mail_from do not say by which server and from whom");
  // Before anything is sent: a mail that was accepted must not come again because its answer cannot be put into words.
  const inWords = wordsWithout(secretsIn(smtp_url));
  const limit = limitOf(surroundings);
  const transport = createTransport({
    url: smtp_url,
    connectionTimeout: patienceMs,
    greetingTimeout: patienceMs,
    socketTimeout: patienceMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  const late = new Promise<Reply>((resolve) => {
    limit.addEventListener("abort", () => resolve(tooLate), { once: true });
  });
  try {
    return await Promise.race([
      late,
      transport.sendMail(mailOf(alert, letter, mail_from)).then(
        (sent): Reply => ({ kind: "accepted", answer: inWords(answerOf(sent)) }),
        (error: Error): Reply => refused(inWords(error.message)),
      ),
    ]);
  } finally {
    transport.close();
  }
}

/** What comes back for a mail that the server took. */
interface Sent {
  readonly response: string;
  readonly rejectedErrors?: readonly { readonly recipient?: string; readonly response?: string }[];
}

/** Whom the server refused comes first: that it took the mail for the others is no word about these. */
function answerOf({ response, rejectedErrors = [] }: Sent): string {
  const refusals = rejectedErrors.map(({ recipient, response: why }) => `${recipient} (${why})`);
  return refusals.length === 0 ? response : `not for ${refusals.join(", ")}: ${response}`;
}

function mailOf({ name, target }: NewAlert, letter: Letter, from: string) {
  const message = readMessage(letter);
  const lines = detailLines(message);
  const details = lines.length > 0 ? ["", ...lines] : [];
  return {
    from,
    to: addressesIn(target),
    subject: cutText(oneLine(`queuectl: ${message.text}`), longestSubject),
    text: [message.text, ...details, "", `-- \nalert ${name} of queuectl`].join("\n"),
    // The same at every try: a mail system that gets it twice can tell.
    messageId: `<${letter.id}@queuectl>`,
    headers: { "auto-submitted": "auto-generated" },
  };
}

/** As they are, and as the commands AUTH PLAIN and AUTH LOGIN have them. */
function secretsIn(smtpUrl: string): string[] {
  const { username, password } = new URL(smtpUrl);
  if (username === "" && password === "") return [];
  const [user, word] = [meant(username), meant(password)];
  const sent = [`\0${user}\0${word}`, word, user].map((text) => Buffer.from(text).toString("base64"));
  return [...sent, word, password, user].filter((secret) => secret !== "");
}

/** A server may repeat what it was told. */
const wordsWithout = (secrets: readonly string[]) => (text: string) =>
  cutText(oneLine(secrets.reduce((rest, secret) => rest.replaceAll(secret, hidden), text)), longestAnswer);
