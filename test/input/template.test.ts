// Commands made from a template: what the shell makes of them, and that GNU parallel would make the same.

// biome-ignore-all lint/suspicious/noTemplateCurlyInString: what looks like one is a shell's

import { describe, expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { Refusal } from "../../src/domain/errors.ts";
import { readEach } from "../../src/input/each.ts";

setDefaultTimeout(180_000);

interface Options {
  readonly colsep?: string;
  readonly isNull?: boolean;
}

async function commands(template: string, list: string, { colsep, isNull = false }: Options = {}) {
  async function* bytes() {
    yield Buffer.from(list);
  }
  const jobs = await Array.fromAsync(readEach(bytes(), { template, colsep, isNull }));
  return jobs.map(({ request }) => request.command);
}

const command = async (template: string, line: string) => (await commands(template, line))[0]!;

async function refusal(template: string, list = "a", options: Options = {}): Promise<string> {
  try {
    return `accepted: ${await commands(template, list, options)}`;
  } catch (error) {
    if (error instanceof Refusal) return error.message;
    throw error;
  }
}

function printed(script: string, shell = "/bin/sh"): string {
  const { exitCode, stdout, stderr } = Bun.spawnSync([shell, "-c", script], {
    env: { PATH: "/usr/bin:/bin" },
  });
  if (exitCode !== 0) throw new Error(`${script} ended with ${exitCode}: ${stderr}`);
  return stdout.toString();
}

/** Texts in which what means something to a shell is more frequent than elsewhere. */
const anyText = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        "'",
        '"',
        "\\",
        "$(echo x)",
        "`id`",
        "$HOME",
        "!",
        "*",
        "~",
        "-n",
        "--",
        " ",
        "\t",
        "\n",
        "#",
      ),
      fc.constantFrom(
        "{}",
        "{1}",
        "if",
        "A=1",
        "2",
        ">",
        ";",
        "&",
        "|",
        "ü€😀",
        "e\u0301",
        "\u202e",
        "\ufeff",
        "%s",
      ),
      fc.string({ unit: "binary", maxLength: 5 }),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((pieces) => pieces.join("").replaceAll("\0", ""))
  .filter((text) => text !== "" && text.isWellFormed());

const shells = ["/bin/sh", ...(Bun.which("bash") ? ["bash"] : [])];

describe("whatever a value holds, the shell reads it back byte for byte", () => {
  // Each prints the value alone, wherever it stands.
  const templates = [
    "printf %s {}",
    "printf %s",
    "printf %s '{}'",
    'printf %s "{}"',
    `printf %s ''{}""`,
    "printf %s \"$(printf %s {}; echo .)\" | sed '$s/.$//'",
    `printf %s "$(printf %s '{}'; echo .)" | sed '$s/.$//'`,
    `printf %s "$(printf %s "{}"; echo .)" | sed '$s/.$//'`,
    'x={}; printf %s "$x"',
    "(printf %s {})",
    "x=; printf %s $x{}",
    "printf %s {}>&1",
    "printf %s {}&wait",
    "printf %s \\\n{}",
    "if true; then printf %s {};fi",
    "printf %s ${x:+y}{}",
  ];
  for (const template of templates) {
    test(`in ${template}`, async () => {
      const value = anyText.filter((text) => !template.includes("sed") || !text.includes("\n"));
      await fc.assert(
        fc.asyncProperty(value, async (text) => {
          const [made] = await commands(template, `${text}\0`, { isNull: true });
          for (const shell of shells) expect(printed(made!, shell)).toBe(text);
        }),
        { numRuns: 40 },
      );
    });
  }

  test("in a column of its own", async () => {
    // In a list of lines, what Windows puts around them is no part of a value.
    const value = anyText.filter((text) => !/[,\n]|^\uFEFF|\r$/.test(text));
    await fc.assert(
      fc.asyncProperty(value, value, async (one, two) => {
        const [made] = await commands("printf '%s,' {2} '{1}'", `${one},${two}`, { colsep: "," });
        expect(printed(made!)).toBe(`${two},${one},`);
      }),
      { numRuns: 40 },
    );
  });

  test("as a program: neither an assignment nor a word of the shell", async () => {
    expect(await command("{} x", "A=1")).toBe("'A=1' x");
    expect(await command("{} x", "if")).toBe("'if' x");
    expect(await command("{} x", "./a.sh")).toBe("./a.sh x");
  });
});

describe("a value that needs no quotes gets none", () => {
  test("where it stands alone, or beside what cannot become one with it", async () => {
    expect(await command("flac {} -o out/{/.}.flac --n={#}", "a/b.wav")).toBe(
      "flac a/b.wav -o out/b.flac --n=1",
    );
  });

  test("elsewhere it does: a 2 before > is no descriptor, and no part of a variable's name", async () => {
    expect(await command("echo {}>out", "2")).toBe("echo '2'>out");
    expect(await command("echo $x{}", "y")).toBe("echo $x'y'");
    expect(await command("echo {y,z/{}.x}", "a,b")).toBe("echo {y,z/'a,b'.x}");
  });
});

const paths = [
  ..."a.wav dir.x/b dir/a.b.c /a a/b/ / . .. .bashrc dir/.x a//b //a ./a.b a. ../x.y/ -x.y ü.é a:b".split(
    " ",
  ),
  "a b.c d",
  "it's.x",
];
const asParallel = [
  "{}",
  "{.}",
  "{/}",
  "{//}",
  "{/.}",
  "{#}",
  "{1}",
  "{1.}",
  "{1/}",
  "{1//}",
  "{1/.}",
  "{-1}",
];

/** Another program of that name (moreutils) does other things. */
const hasParallel =
  Bun.which("parallel") !== null &&
  Bun.spawnSync(["parallel", "--version"]).stdout.toString().startsWith("GNU parallel");

describe.skipIf(!hasParallel)("GNU parallel makes the same", () => {
  const parallel = (words: readonly string[], input: string) => {
    const child = Bun.spawnSync(["parallel", "-k", ...words], { stdin: Buffer.from(input) });
    return child.stdout.toString();
  };

  test("of every placeholder, for paths of every kind", async () => {
    for (const placeholder of asParallel) {
      const template = `printf '<%s>\\n' ${placeholder}`;
      const ours = (await commands(template, paths.join("\n"))).map((made) => printed(made));
      expect(`${placeholder} ${ours.join("")}`).toBe(
        `${placeholder} ${parallel([template], paths.join("\n"))}`,
      );
    }
  });

  test("of columns, and of a template without a placeholder", async () => {
    const lines = "a b,c,d\n1,2,3\n";
    for (const template of [
      "printf '<%s>'",
      "printf '<%s>' {2} {1}",
      "printf '<%s>' {} {-1}",
      "printf '<%s>' {/}",
    ]) {
      const ours = (await commands(template, lines, { colsep: "," })).map((made) => printed(made));
      expect(ours.join("")).toBe(parallel(["--colsep", ",", template], lines));
    }
  });
});

describe("placeholders", () => {
  test("take of a path what GNU parallel's documentation says", async () => {
    const of = (placeholder: string) => command(`x ${placeholder}`, "sub.dir/file.tar.gz");
    expect(await of("{}")).toBe("x sub.dir/file.tar.gz");
    expect(await of("{.}")).toBe("x sub.dir/file.tar");
    expect(await of("{/}")).toBe("x file.tar.gz");
    expect(await of("{//}")).toBe("x sub.dir");
    expect(await of("{/.}")).toBe("x file.tar");
    expect(await command("x {.}", "sub.dir/file")).toBe("x sub.dir/file");
    expect(await command("x {//}", "file")).toBe("x .");
  });

  test("that are none stay what they are, as do escaped ones", async () => {
    expect(await command("awk '{print $1}' {x} {} {0} \\{}", "a")).toBe("awk '{print $1}' {x} a {0} \\{}");
  });

  test("count jobs and not lines: empty lines are left out", async () => {
    expect(await commands("x {#} {}", "a\n\n\nb\n")).toEqual(["x 1 a", "x 2 b"]);
    expect(await commands("x {}", "a\0\0b", { isNull: true })).toEqual(["x a", "x b"]);
    expect(await commands("x {}", "")).toEqual([]);
  });

  test("of columns: one character is a text, more are a regular expression, whose groups are no columns", async () => {
    expect(await commands("x {2} {1}", "a|b", { colsep: "|" })).toEqual(["x b a"]);
    expect(await commands("x {2} {1}", "a\tb", { colsep: "\\t" })).toEqual(["x b a"]);
    expect(await commands("x {2} {1}", "a , b", { colsep: "\\s*(,|;)\\s*" })).toEqual(["x b a"]);
    expect(await commands("x {2} {1}", "a😀b", { colsep: "[😀;]" })).toEqual(["x b a"]);
    expect(await commands('x "{}" {}', "a b,c", { colsep: "," })).toEqual([`x "a b c" 'a b' c`]);
  });
});

describe("what is refused", () => {
  test("a line, by its number", async () => {
    expect(await refusal("x {3}", "a,b,c\n\na,b\n", { colsep: "," })).toBe(
      "line 3: there is no column {3}; it has 2",
    );
    expect(await refusal("x {}", "a\nb\0c")).toBe("line 2: it contains a NUL byte");
  });

  test("a template in which a value could not be quoted for sure", async () => {
    const templates = [
      "x `cat {}`",
      "cat <<E\n{}\nE",
      "x ${y:-{}}",
      "x ${1}",
      "x ${}",
      "x $'{}'",
      "x {} # it's",
      "x {} # {}",
      "# {}",
      'x "$(case y in y) echo {};; esac)"',
      "x '{}",
      'x "{}',
      "x $({}",
      "x {} \\",
      " ",
    ];
    for (const template of templates) expect(await refusal(template)).toContain("--each");
    expect(await refusal("x $'{}'")).toContain("has $'");
  });

  test("a value in what a second shell reads as code", async () => {
    const templates = [
      "sh -c 'echo {}'",
      'sh -c "echo {}"',
      "sh -c \"echo '{}'\"",
      "sh -ec 'cd /tmp; echo {}'",
      "/bin/bash -l -c 'echo {}'",
      "cd /tmp && sudo -u me dash -c 'echo {}'",
      "find . -exec sh -c 'echo {}' \\;",
      "(zsh -c 'x | y {}')",
      "x \"$(sh -c 'echo {}')\"",
      'sh -c "$(date) {}"',
      "su - me -c 'echo {}'",
      'sh -c "echo \\"{}\\""',
      "sh -c 'echo '{}",
      "sh -c 'echo \"'{}'\"'",
      'bash -c "echo "{}" there"',
      "sh -c echo\\ {}",
      "sh -c -- 'echo {}'",
      "su -c'echo {}'",
      "ash -c 'echo {}'",
      "runuser -c 'echo {}' me",
      "eval echo {}",
      "watch echo {}",
      "/usr/bin/watch echo {}",
      "ssh host rm {}",
      "ssh -p 22 me@host 'rm {}'",
      "ssh host rm",
      "/usr/bin/ssh host rm {}",
    ];
    for (const template of templates) expect(await refusal(template)).toContain("as code");
  });

  test("but not one that is handed to it as a word, or that is all of it", async () => {
    const templates = [
      "sh -c 'echo \"$1\"' sh {}",
      "sh -c {}",
      "su me -c {}",
      "sh -c 'grep -c \"$1\"' sh {}",
      "sh -c 'grep -c \"$1\" x' sh x{}",
      "sh ./script {}",
      "sh -c 'echo' ; echo '{}'",
      "sh -c 'echo' | grep {}",
      "eval x && echo {}",
      "eval x\necho {}",
      'echo "\\"{}\\""',
      "x $(sh -c 'echo') {}",
      "ssh {} uptime",
      "ssh me@{} uptime",
      "ssh -P tag {} uptime",
      "ssh -p 22 -o BatchMode=yes {} uptime",
      "scp {} host:",
      "fish {}",
      "echo evaluate {}",
      "grep -c '{}' file",
    ];
    for (const template of templates) expect(await refusal(template)).toContain("accepted");
  });

  test("a column without --colsep, and a separator that is none", async () => {
    for (const column of ["{2}", "{-2}"]) expect(await refusal(`x ${column}`)).toContain("--colsep");
    expect(await refusal("x {1}", "a", { colsep: "a(" })).toContain("no regular expression");
    expect(await refusal("x {1}", "a", { colsep: "x*" })).toContain("between any two characters");
  });
});
