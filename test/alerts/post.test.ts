// What is posted to webhooks and to Slack, and what is made of the answers.

import { describe, expect, test } from "bun:test";
import { createHmac } from "node:crypto";
import { signatureOf } from "../../src/alerts/post.ts";
import { send } from "../../src/alerts/send.ts";
import { type NewAlert, newSecret } from "../../src/domain/alert.ts";
import { messageOf, testMessage } from "../../src/domain/alert-message.ts";
import type { Job } from "../../src/domain/job.ts";
import { effectiveSettings } from "../../src/domain/settings.ts";
import { freePort } from "../support/free-port.ts";
import { receiver } from "../support/receiver.ts";
import { sampleAlert } from "../support/sample-alerts.ts";
import { newJob } from "../support/sample-jobs.ts";

const surroundings = { home: "/", environment: {}, settings: effectiveSettings({}, {}) };
const letter = { id: "msg_1", message: JSON.stringify(testMessage("deaths", 0)) };
const post = (alert: Partial<NewAlert>, one = letter, signal?: AbortSignal) =>
  send(sampleAlert(alert), one, { ...surroundings, ...(signal && { signal }) });

/** Answers whatever comes with these bytes, and hangs up. */
function rawServer(answer: string): Disposable & { readonly url: string } {
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: { data: (socket) => void socket.end(answer) },
  });
  return { url: `http://127.0.0.1:${server.port}`, [Symbol.dispose]: () => server.stop(true) };
}

describe("a webhook", () => {
  test("is signed as the specification's own example is", () => {
    const example = { id: "msg_p5jXN8AQM9LWM0D4loKWxJek", message: '{"test": 2432232314}' };
    for (const secret of ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"]) {
      expect(signatureOf(secret, example, 1614265330)).toBe(
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
      );
    }
  });

  test("gets the very text that is signed, with the time of this try", async () => {
    using server = receiver();
    const secret = newSecret();
    const before = Math.floor(Date.now() / 1000);
    expect(await post({ target: `${server.url}/hook`, secret })).toEqual({
      kind: "accepted",
      answer: "200 OK: ok",
    });
    const [got] = server.received;
    const { "webhook-id": id, "webhook-timestamp": time, "webhook-signature": signature } = got!.headers;
    expect(got).toMatchObject({ path: "/hook", body: letter.message });
    expect(got!.headers["content-type"]).toBe("application/json");
    expect(id).toBe("msg_1");
    expect(Number(time)).toBeGreaterThanOrEqual(before);
    const key = Buffer.from(secret.slice("whsec_".length), "base64");
    const expected = createHmac("sha256", key).update(`msg_1.${time}.${got!.body}`).digest("base64");
    expect(signature).toBe(`v1,${expected}`);
  });

  test("gets user and password of its address in the way of HTTP", async () => {
    using server = receiver();
    await post({ target: `http://me:p%40ss@127.0.0.1:${server.port}/` });
    expect(server.received[0]!.headers.authorization).toBe(`Basic ${btoa("me:p@ss")}`);
    expect(await post({ target: `http://me:p%zz@127.0.0.1:${server.port}/` })).toHaveProperty(
      "kind",
      "accepted",
    );
    expect(server.received[1]!.headers.authorization).toBe(`Basic ${btoa("me:p%zz")}`);
  });

  test.each([
    [200, "accepted"],
    [204, "accepted"],
    [404, "refused"],
    [500, "refused"],
  ] as const)("that answers %d has %s it", async (status, kind) => {
    using server = receiver();
    server.answer = () => new Response(status === 204 ? null : "because", { status });
    const reply = await post({ target: server.url });
    expect(reply.kind).toBe(kind);
    expect(reply.answer).toStartWith(String(status));
  });

  test("that answers 410 wants no more of it, and one that says when is left alone until then", async () => {
    using server = receiver();
    server.answer = () => new Response("", { status: 410 });
    expect(await post({ target: server.url })).toMatchObject({ kind: "refused", isFinal: true });
    server.answer = () => new Response("", { status: 429, headers: { "retry-after": "7" } });
    expect(await post({ target: server.url })).toMatchObject({ isFinal: false, retryAfterMs: 7000 });
    server.answer = () => new Response("", { status: 503, headers: { "retry-after": "99999999" } });
    expect(await post({ target: server.url })).toMatchObject({ retryAfterMs: 3_600_000 });
    const inTwoHours = new Date(Date.now() + 2 * 3_600_000).toUTCString();
    server.answer = () => new Response("", { status: 503, headers: { "retry-after": inTwoHours } });
    expect(await post({ target: server.url })).toMatchObject({ retryAfterMs: 3_600_000 });
    for (const none of [new Date(0).toUTCString(), "soon", "-5", "0"]) {
      server.answer = () => new Response("", { status: 503, headers: { "retry-after": none } });
      expect(await post({ target: server.url })).not.toHaveProperty("retryAfterMs");
    }
  });

  test("is not followed elsewhere", async () => {
    using other = receiver();
    using server = receiver();
    server.answer = () => Response.redirect(`${other.url}/stolen`, 307);
    const reply = await post({ target: server.url, secret: newSecret() });
    expect(reply).toMatchObject({ kind: "refused", answer: expect.stringContaining("307") });
    expect(other.received).toEqual([]);
  });

  test("that cannot be reached is told of without its address", async () => {
    const target = `http://me:secretpass@127.0.0.1:${freePort()}/secret-path`;
    const reply = await post({ target });
    expect(reply).toEqual({ kind: "refused", answer: "the connection was refused" });
    const unknown = await post({ target: "http://nowhere.invalid/secret-path" });
    expect(unknown.kind).toBe("refused");
    expect(unknown.answer).not.toContain("secret");
  });

  test("that repeats its address and what it was signed by is not repeated", async () => {
    using server = receiver();
    const secret = newSecret();
    const target = `${server.url}/secret-path?key=12345`;
    server.answer = () => new Response(`no ${target} /secret-path?key=12345 ${secret}`, { status: 400 });
    expect((await post({ target, secret })).answer).toBe("400 Bad Request: no *** *** ***");
  });

  test("that repeats the headers, or what it reads in its address, is not repeated either", async () => {
    using server = receiver();
    const target = `${server.url.replace("://", "://me:p%40ssword@")}/path?key=a%20secret&on=a&k=6chars`;
    server.answer = () => {
      const authorization = `Basic ${btoa("me:p@ssword")}`;
      return Response.json(
        { authorization, password: "p@ssword", key: "a secret", k: "6chars" },
        { status: 401 },
      );
    };
    const { answer } = await post({ target });
    expect(answer).toContain('{"authorization":"Basic ***","password":"***","key":"***","k":"***"}');
  });

  test("that repeats a key in which the user's name stands gives no part of it away", async () => {
    using server = receiver();
    const target = `${server.url.replace("://", "://me:word@")}/?key=sesame`;
    server.answer = () => new Response("no key sesame", { status: 401 });
    expect((await post({ target })).answer).toBe("401 Unauthorized: no key ***");
  });

  const halves: readonly [string, (status: number) => string][] = [
    ["is cut off", (status) => `HTTP/1.1 ${status} Said\r\ncontent-length: 100\r\n\r\nhalf of`],
    [
      "cannot be decoded",
      (status) => `HTTP/1.1 ${status} Said\r\ncontent-encoding: gzip\r\ncontent-length: 8\r\n\r\nno gzip!`,
    ],
  ];
  test.each(halves)("whose answer %s has said all that counts", async (_, said) => {
    using accepting = rawServer(said(200));
    expect(await post({ target: accepting.url })).toMatchObject({ kind: "accepted" });
    using refusing = rawServer(said(410));
    const reply = await post({ target: refusing.url });
    expect(reply).toMatchObject({ kind: "refused", isFinal: true });
    expect(reply.answer).toStartWith("410 Said");
  });

  test("whose answer never ends has said all that counts", async () => {
    using server = receiver();
    server.answer = () =>
      new Response(new ReadableStream({ start: (controller) => controller.enqueue("on its ") }));
    expect(await post({ target: server.url })).toEqual({ kind: "accepted", answer: "200 OK: on its" });
  });

  test("that does not answer before it is broken off is given up at once", async () => {
    const stop = new AbortController();
    using server = receiver();
    server.answer = () => {
      stop.abort();
      return new Promise<Response>(() => {});
    };
    expect(await post({ target: server.url }, letter, stop.signal)).toEqual({
      kind: "refused",
      answer: "no answer within 10 s",
    });
  });

  test("that answers without end is not read to it", async () => {
    using server = receiver();
    server.answer = () =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(Buffer.alloc(10_000, "x")),
        }),
      );
    const reply = await post({ target: server.url });
    expect(reply.kind).toBe("accepted");
    expect(reply.answer.length).toBeLessThanOrEqual(200);
  });
});

test("Slack gets plain text, in which nothing is a link, a mention or a style", async () => {
  using server = receiver();
  const command = "echo '<!channel> & <https://evil|click>' *bold*\nsecond line";
  const job: Job = {
    ...newJob({ command }),
    seq: 1,
    id: "a",
    state: "dead",
    attempts: 1,
    unmet: 0,
    run_at: 0,
    next_run_at: null,
    created_at: 0,
    updated_at: 0,
    started_at: 0,
    finished_at: 0,
    last_exit_code: 1,
    last_error: "exit status 1",
    last_duration: 1,
    worker_id: null,
  };
  const message = JSON.stringify(
    messageOf({ alert: "deaths", event: "dead", count: 7, at: 0, jobs: [job], queues: [] }),
  );
  await post({ channel: "slack", target: server.url }, { id: "msg_1", message });
  const { text, mrkdwn } = server.received[0]!.json;
  expect(mrkdwn).toBe(false);
  expect(text.split("\n")).toEqual([
    "queuectl: 7 jobs are dead",
    "a (default): echo '&lt;!channel&gt; &amp; &lt;https://evil|click&gt;' *bold* second line - exit status 1",
    "and 6 more",
  ]);
  expect(server.received[0]!.headers["webhook-signature"]).toBeUndefined();
});
