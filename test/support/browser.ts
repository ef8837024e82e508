// A real browser on a page of the dashboard, which fails the test when a page breaks its own policy or says an error.

import { existsSync } from "node:fs";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";

const path = process.env.CHROMIUM ?? "/usr/bin/chromium";

export const hasBrowser = existsSync(path);

if (!hasBrowser) {
  const how = `browser tests need Chromium at ${path}: apt-get install chromium, or name another in CHROMIUM`;
  if (process.env.CI === "true") throw new Error(how);
  console.error(`${how}; they are left out`);
}

let shared: Promise<Browser> | undefined;

/** One browser for all tests of a file; each page has a context of its own. */
const browser = () => {
  // Root may not use Chromium's sandbox; the pages are our own.
  shared ??= chromium.launch({
    executablePath: path,
    args: process.geteuid?.() === 0 ? ["--no-sandbox"] : [],
  });
  return shared;
};

export async function closeBrowser(): Promise<void> {
  await (await shared)?.close();
  shared = undefined;
}

export interface OpenPage extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What the page complained about: errors, and breaches of its policy. */
  readonly complaints: string[];
}

export interface PageOptions {
  readonly scripts?: boolean;
  readonly dark?: boolean;
  readonly phone?: boolean;
}

export async function openPage(
  url: string,
  { scripts = true, dark = false, phone = false }: PageOptions = {},
): Promise<OpenPage> {
  const context = await (await browser()).newContext({
    javaScriptEnabled: scripts,
    colorScheme: dark ? "dark" : "light",
    viewport: phone ? { width: 390, height: 844 } : { width: 1280, height: 800 },
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on("console", (message) => {
    // A refusal is an answer like others; Chromium reports its status as an error of the page.
    if (message.type() === "error" && !message.text().startsWith("Failed to load resource"))
      complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  if (scripts) {
    await page.addInitScript(() => {
      const scope = globalThis as unknown as {
        document: { addEventListener(name: string, listen: (event: never) => void): void };
      };
      scope.document.addEventListener(
        "securitypolicyviolation",
        (event: { violatedDirective: string; blockedURI: string }) => {
          console.error(`policy violated: ${event.violatedDirective} ${event.blockedURI}`);
        },
      );
    });
  }
  await page.goto(url);
  return {
    page,
    context,
    complaints,
    async [Symbol.asyncDispose]() {
      await context.close();
    },
  };
}
