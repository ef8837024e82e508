// The stylesheet, the script and the icon, inside of the program: named by their content, so that a browser may keep them for ever.

import csp from "htmx.org/dist/ext/hx-csp.min.js" with { type: "text" };
import ptag from "htmx.org/dist/ext/hx-ptag.min.js" with { type: "text" };
import sse from "htmx.org/dist/ext/hx-sse.min.js" with { type: "text" };
import htmx from "htmx.org/dist/htmx.min.js" with { type: "text" };
import type { Assets } from "../../views/assets/assets.ts";
import icon from "../../views/assets/icon.svg" with { type: "text" };
import { script as own } from "../../views/assets/script.ts";
import { style } from "../../views/assets/style.ts";
import { shieldHeaders } from "./reply.ts";

interface Asset {
  readonly path: string;
  readonly type: string;
  readonly plain: Uint8Array<ArrayBuffer>;
  readonly zipped: Uint8Array<ArrayBuffer>;
}

function asset(name: string, type: string, text: string): Asset {
  const digest = new Bun.CryptoHasher("sha256").update(text).digest("hex").slice(0, 12);
  const plain = new TextEncoder().encode(text);
  return { path: `/assets/${digest}/${name}`, type, plain, zipped: Bun.gzipSync(plain, { level: 9 }) };
}

/** What others wrote, as it was published; a test compares it with known digests. */
export const vendored = {
  "htmx.min.js": htmx,
  "hx-csp.min.js": csp,
  "hx-ptag.min.js": ptag,
  "hx-sse.min.js": sse,
};

const withoutMap = (text: string) => text.replace(/\n?\/\/# sourceMappingURL=\S+\s*$/, "");

const script = [htmx, csp, sse, ptag, own].map(withoutMap).join("\n;\n");

const all = {
  style: asset("queuectl.css", "text/css; charset=utf-8", style),
  script: asset("queuectl.js", "text/javascript; charset=utf-8", script),
  icon: asset("icon.svg", "image/svg+xml", icon),
};

export const assets: Assets = {
  style: all.style.path,
  script: all.script.path,
  icon: all.icon.path,
  build: Bun.hash(all.style.path + all.script.path).toString(36),
};

/** The asset of a path, or undefined. */
export function assetReply(path: string, request: Request): Response | undefined {
  const found = Object.values(all).find((one) => one.path === path);
  if (!found) return undefined;
  const zip = /\bgzip\b/.test(request.headers.get("accept-encoding") ?? "");
  return new Response(zip ? found.zipped : found.plain, {
    headers: {
      ...shieldHeaders(),
      "content-type": found.type,
      "cache-control": "public, max-age=31536000, immutable",
      vary: "accept-encoding",
      ...(zip ? { "content-encoding": "gzip" } : {}),
    },
  });
}
