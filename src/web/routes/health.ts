// Whether the server answers, for whoever watches it; it says nothing else.

import { Elysia } from "elysia";
import { jsonReply } from "../reply.ts";
import { needs, type Web } from "../web.ts";

export const healthRoutes = (web: Web) =>
  new Elysia().get(
    "/healthz",
    async () => {
      await web.store.now();
      return jsonReply({ status: "ok" });
    },
    needs("public", { summary: "Whether the server and its database answer" }),
  );
