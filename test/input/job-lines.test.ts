// Many jobs from one file: what each form of it gives, and which line is to blame.

import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { Refusal } from "../../src/domain/errors.ts";
import { type PlacedRequest, readJobs } from "../../src/input/job-lines.ts";

type Content = string | Uint8Array;

const bytesOf = (content: Content) => (typeof content === "string" ? Buffer.from(content) : content);

/** The bytes in pieces, cut at some places. */
async function* cutAt(content: Content, places: readonly number[] = []): AsyncIterable<Uint8Array> {
  const bytes = bytesOf(content);
  let start = 0;
  for (const end of [...places].sort((a, b) => a - b)) {
    yield bytes.subarray(start, Math.min(end, bytes.length));
    start = Math.min(end, bytes.length);
  }
  yield bytes.subarray(start);
}

const read = (content: Content, places?: readonly number[]): Promise<PlacedRequest[]> =>
  Array.fromAsync(readJobs(cutAt(content, places)));

const commands = async (content: Content) => (await read(content)).map(({ request }) => request.command);
const places = async (content: Content) => (await read(content)).map(({ where }) => where);

/** The jobs before the first refusal, and its message. */
async function upToRefusal(
  content: Content,
  cuts?: readonly number[],
): Promise<{ given: string[]; message: string }> {
  const given: string[] = [];
  try {
    for await (const { request } of readJobs(cutAt(content, cuts))) given.push(request.command);
  } catch (error) {
    if (error instanceof Refusal) return { given, message: error.message };
    throw error;
  }
  throw new Error(`accepted: ${given.length} jobs`);
}

const messageOf = async (content: Content) => (await upToRefusal(content)).message;

describe("a file may be", () => {
  test("one object", async () => {
    expect(await commands('{"command":"a"}')).toEqual(["a"]);
  });

  test("one object over several lines", async () => {
    expect(await read('{\n  "command": "a",\n  "tags": [\n    "x"\n  ]\n}\n')).toMatchObject([
      { request: { command: "a", tags: ["x"] }, where: undefined },
    ]);
  });

  test("one object over several lines, some of which are JSON by themselves", async () => {
    expect(await read('{"command": "a",\n"env":\n{"A": "1"}\n, "tags":\n[]\n}')).toMatchObject([
      { request: { command: "a", env: { A: "1" }, tags: [] } },
    ]);
  });

  test("an array, in one line or many", async () => {
    expect(await commands('[{"command":"a"},{"command":"b"}]')).toEqual(["a", "b"]);
    expect(await commands('\n [\n{"command":"a"},\n{"command":"b"}\n]\n')).toEqual(["a", "b"]);
    expect(await places('[{"command":"a"},{"command":"b"}]')).toEqual(["job 1", "job 2"]);
  });

  test("an empty array, which holds no job", async () => {
    expect(await commands("[]")).toEqual([]);
  });

  test("JSON Lines, with or without an end of the last one", async () => {
    expect(await commands('{"command":"a"}\n{"command":"b"}\n')).toEqual(["a", "b"]);
    expect(await commands('{"command":"a"}\n{"command":"b"}')).toEqual(["a", "b"]);
  });

  test("JSON Lines with blank lines anywhere, which count as lines", async () => {
    const text = '\n  \n{"command":"a"}\n\n\t\n{"command":"b"}\n\n';
    expect(await commands(text)).toEqual(["a", "b"]);
    expect(await places(text)).toEqual(["line 3", "line 6"]);
  });

  test("JSON Lines written on Windows", async () => {
    expect(await commands('{"command":"a"}\r\n\r\n{"command":"b"}\r\n')).toEqual(["a", "b"]);
  });

  test("with a byte order mark in front, in every form", async () => {
    expect(await commands('\ufeff{"command":"a"}\n{"command":"b"}')).toEqual(["a", "b"]);
    expect(await commands('\ufeff{\n"command":"a"\n}')).toEqual(["a"]);
    expect(await commands('\ufeff[{"command":"a"}]')).toEqual(["a"]);
  });

  test("JSON Lines with line separators of Unicode inside texts", async () => {
    expect(await commands('{"command":"a\u2028b"}\n{"command":"c\u0085d"}')).toEqual([
      "a\u2028b",
      "c\u0085d",
    ]);
  });
});

describe("the line to blame is named", () => {
  test("when a line is broken; the jobs before it were read", async () => {
    expect(await upToRefusal('{"command":"a"}\n\n{"command":\n{"command":"c"}')).toEqual({
      given: ["a"],
      message: "line 3: broken JSON: unexpected end at column 12",
    });
  });

  test("when the first of many lines is broken", async () => {
    expect(await messageOf('\n{"command":\n{"command":"b"}\n')).toBe(
      "line 2: broken JSON: unexpected end at column 12",
    );
  });

  test("when the first of many lines is no object", async () => {
    expect(await messageOf('"a"\n{"command":"b"}\n')).toBe("line 1: a job is a JSON object, not a string");
  });

  test("when a line is no job", async () => {
    expect(await messageOf('{"command":"a"}\n{"comand":"b"}')).toStartWith(
      'line 2: a job has no key "comand"',
    );
    expect(await messageOf('{"command":"a"}\n[{"command":"b"}]')).toBe(
      "line 2: a job is a JSON object, not an array",
    );
  });

  test("when an array holds what is no job", async () => {
    expect(await messageOf('[{"command":"a"},\n3]')).toBe("job 2: a job is a JSON object, not a number");
  });

  test("when an object or array over several lines is broken, as an editor counts them", async () => {
    expect(await messageOf('{\n"command": }')).toBe("broken JSON: value expected at line 2, column 12");
    expect(await messageOf('\n\n{\n"command": }')).toBe("broken JSON: value expected at line 4, column 12");
    expect(await messageOf('\r\n[{"command":"a"},\n{"command": }]')).toBe(
      "broken JSON: value expected at line 3, column 13",
    );
  });

  test("when a line is not UTF-8, wherever the bytes were cut", async () => {
    const before = Buffer.from('{"command":"a"}\n{"command":"b"}\n{"command":"');
    const content = Buffer.concat([before, Buffer.from([0xff]), Buffer.from('"}\n{"command":"d"}')]);
    for (const cuts of [[], [5], [before.length], [before.length + 1], Array.from(content.keys())]) {
      expect(await upToRefusal(content, cuts)).toEqual({
        given: ["a", "b"],
        message: "line 3: the file is not UTF-8 text",
      });
    }
  });

  test("when it ends in the middle of a letter", async () => {
    const content = bytesOf('{"command":"a"}\n{"command":"ä').subarray(0, -1);
    expect(await messageOf(content)).toBe("line 2: the file is not UTF-8 text");
  });

  test("when a byte order mark stands where a file was pasted to another", async () => {
    expect(await messageOf('{"command":"a"}\n\ufeff{"command":"b"}')).toStartWith("line 2: broken JSON: ");
  });
});

test.each(["", "\n", " \n\r\n\t", "\ufeff", "\ufeff\n", "[]"])("%j has no job in it", async (content) => {
  expect(await commands(content)).toEqual([]);
});

describe("refused", () => {
  test("UTF-16, which no one can tell from a broken file", async () => {
    expect(await messageOf(Buffer.from('\ufeff{"command":"a"}', "utf16le"))).toContain("not UTF-8");
  });

  test("an array that is broken or followed by something", async () => {
    expect(await messageOf('[{"command":"a"}')).toStartWith("broken JSON: ");
    expect(await messageOf('[{"command":"a"}]\n[{"command":"b"}]')).toBe(
      "broken JSON: end of file expected at line 2, column 1",
    );
  });

  test("two objects in one line", async () => {
    expect(await messageOf('{"command":"a"}{"command":"b"}\n')).toBe(
      "broken JSON: end of file expected at line 1, column 16",
    );
  });
});

describe("wherever the bytes are cut", () => {
  const text = fc.string({ unit: "grapheme", maxLength: 20 });
  const job = fc.record(
    { command: text, tags: fc.array(text, { maxLength: 3 }) },
    { requiredKeys: ["command"] },
  );
  const form = fc.constantFrom("lines", "windows lines", "array", "indented array");
  const written = (jobs: readonly unknown[], form: string): string => {
    if (form === "array") return JSON.stringify(jobs);
    if (form === "indented array") return JSON.stringify(jobs, null, 2);
    return jobs.map((job) => JSON.stringify(job)).join(form === "lines" ? "\n\n" : "\r\n");
  };

  test("the jobs are the same", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(job, { minLength: 1, maxLength: 6 }),
        form,
        fc.boolean(),
        fc.array(fc.nat(400), { maxLength: 30 }),
        async (jobs, form, marked, cuts) => {
          const content = (marked ? "\ufeff" : "") + written(jobs, form);
          const requests = (await read(content, cuts)).map(({ request }) =>
            JSON.parse(JSON.stringify(request)),
          );
          expect(requests).toEqual(jobs);
          expect(await read(content, cuts)).toEqual(await read(content));
        },
      ),
      { numRuns: 300 },
    );
  });

  test("each byte alone gives the same jobs too", async () => {
    const content = '\ufeff{"command":"echo 💡 é"}\r\n\n{"command":"b"}';
    expect(await read(content, Array.from(bytesOf(content).keys()))).toEqual(await read(content));
  });

  test("what was read does not change when its bytes are written over", async () => {
    async function* reused(): AsyncIterable<Uint8Array> {
      const buffer = new Uint8Array(8);
      const content = bytesOf('{"command":"first"}\n{"command":"second"}\n');
      for (let start = 0; start < content.length; start += buffer.length) {
        const part = content.subarray(start, start + buffer.length);
        buffer.set(part);
        yield buffer.subarray(0, part.length);
      }
    }
    const requests = await Array.fromAsync(readJobs(reused()));
    expect(requests.map(({ request }) => request.command)).toEqual(["first", "second"]);
  });
});

test("jobs are given as lines come, before the file has ended", async () => {
  let pulled = 0;
  async function* endless(): AsyncIterable<Uint8Array> {
    for (;;) {
      pulled++;
      yield Buffer.from(`{"command":"echo ${pulled}"}\n`);
    }
  }
  for await (const { request, where } of readJobs(endless())) {
    if (where === "line 5") {
      expect(request.command).toBe("echo 5");
      break;
    }
  }
  expect(pulled).toBe(5);
});
