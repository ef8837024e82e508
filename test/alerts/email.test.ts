// What is sent by e-mail, to a real server.

import { expect, test } from "bun:test";
import { send } from "../../src/alerts/send.ts";
import { testMessage } from "../../src/domain/alert-message.ts";
import { effectiveSettings } from "../../src/domain/settings.ts";
import { freePort } from "../support/free-port.ts";
import { sampleAlert } from "../support/sample-alerts.ts";
import { smtpServer } from "../support/smtp-server.ts";

const letter = { id: "msg_1", message: JSON.stringify(testMessage("deaths", 0)) };
const alert = sampleAlert({ channel: "email", target: "a@example.org, b@example.org" });
const from = "The Queue <queue@example.org>";

const mail = (smtp_url: string, mail_from = from, one = letter, signal?: AbortSignal) =>
  send(alert, one, {
    ...(signal && { signal }),
    home: "/",
    environment: {},
    settings: effectiveSettings({ smtp_url, mail_from }, {}),
  });

test("a mail goes to all addresses, named after its message", async () => {
  using server = smtpServer();
  const reply = await mail(`smtp://me:p%40ssword@127.0.0.1:${server.port}`);
  expect(reply).toEqual({ kind: "accepted", answer: "250 kept" });
  const [sent] = server.mails;
  expect(sent).toMatchObject({ from: "queue@example.org", to: ["a@example.org", "b@example.org"] });
  expect(sent!.data).toContain("From: The Queue <queue@example.org>");
  expect(sent!.data).toContain("Subject: queuectl: this is a test of the alert deaths");
  expect(sent!.data).toContain("Message-ID: <msg_1@queuectl>");
  // So that nobody's notice of absence comes back.
  expect(sent!.data).toContain("Auto-Submitted: auto-generated");
  expect(sent!.data).toContain("\n\nthis is a test of the alert deaths\n");
  const [, , word] = server.said.find((line) => line.startsWith("AUTH"))!.split(" ");
  expect(atob(word!)).toBe("\0me\0p@ssword");
});

test("a mail that was accepted was, also when the password is no text with escapes", async () => {
  using server = smtpServer();
  const reply = await mail(`smtp://me:p%zz@127.0.0.1:${server.port}`);
  expect(reply).toEqual({ kind: "accepted", answer: "250 kept" });
  expect(server.mails.length).toBe(1);
  using refusing = smtpServer({ refusal: "550 no p%zz here" });
  expect((await mail(`smtp://me:p%zz@127.0.0.1:${refusing.port}`)).answer).toContain("550 no *** here");
});

test("a line end in what happened makes no header", async () => {
  using server = smtpServer();
  const message = { ...testMessage("deaths", 0), text: "one\r\nBcc: evil@example.org\r\n\r\nbody" };
  await mail(`smtp://127.0.0.1:${server.port}`, from, { id: "msg_1", message: JSON.stringify(message) });
  const [head] = server.mails[0]!.data.split("\n\n");
  expect(head).not.toMatch(/^Bcc/m);
  expect(server.mails[0]!.to).toEqual(["a@example.org", "b@example.org"]);
});

test("what a server refuses is told, without the password", async () => {
  using server = smtpServer({ refusal: "550 no such user, sesame" });
  const reply = await mail(`smtp://me:sesame@127.0.0.1:${server.port}`);
  expect(reply.kind).toBe("refused");
  expect(reply.answer).toContain("550 no such user, ***");
  using accepting = smtpServer({ kept: "250 kept for sesame" });
  expect(await mail(`smtp://me:sesame@127.0.0.1:${accepting.port}`)).toEqual({
    kind: "accepted",
    answer: "250 kept for ***",
  });
  // A user without a password leaves nothing else to be hidden.
  using odd = smtpServer({ refusal: "550 no such user" });
  expect((await mail(`smtp://me@127.0.0.1:${odd.port}`)).answer).not.toMatch(/\*\*\*.\*\*\*/);
});

test("one that is broken off is given up at once", async () => {
  const stop = new AbortController();
  const silent = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { open: () => stop.abort(), data() {} },
  });
  const reply = await mail(`smtp://127.0.0.1:${silent.port}`, from, letter, stop.signal);
  expect(reply).toEqual({ kind: "refused", answer: "no answer within 10 s" });
  silent.stop(true);
});

test("who of several is refused is told, and the mail of the others is no failure, which would come again", async () => {
  using server = smtpServer({ refusal: "550 no such user", only: "b@example.org" });
  expect(await mail(`smtp://127.0.0.1:${server.port}`)).toEqual({
    kind: "accepted",
    answer: "not for b@example.org (550 no such user): 250 kept",
  });
  expect(server.mails.map(({ to }) => to)).toEqual([["a@example.org"]]);
});

test("a server that repeats the command that it does not know is told, without the password in its letters", async () => {
  for (const sent of ["\0me\0p@ssword", "p@ssword"]) {
    using server = smtpServer({ refusal: `500 unrecognized: AUTH ${btoa(sent)}` });
    const { answer } = await mail(`smtp://me:p%40ssword@127.0.0.1:${server.port}`);
    expect(answer).toContain("500 unrecognized: AUTH ***");
  }
});

test("a server that is not there is told", async () => {
  const reply = await mail(`smtp://me:sesame@127.0.0.1:${freePort()}`);
  expect(reply).toMatchObject({ kind: "refused", answer: expect.stringContaining("ECONNREFUSED") });
});

test("without a server or a sender it says which settings are missing", async () => {
  for (const [url, sender] of [
    ["", from],
    ["smtp://127.0.0.1:9", ""],
  ])
    expect(await mail(url!, sender)).toMatchObject({
      kind: "refused",
      answer: expect.stringContaining("smtp_url and mail_from"),
    });
});
