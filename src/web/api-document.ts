// The API in the words of OpenAPI 3.1, made from what its routes declare: what is not declared does not start, so nothing is missing.

import { jsonSchema, problem } from "../input/api.ts";
import type { RouteInfo } from "./app.ts";
import type { RouteDoc } from "./web.ts";

type Shape = Parameters<typeof jsonSchema>[0];

export function apiDocument(routes: readonly RouteInfo[], version: string, base: string) {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const { method, path, scope, doc } of routes) {
    if (doc === undefined) continue;
    const place = path.slice(base.length).replace(/:(\w+)/g, "{$1}");
    paths[place] = { ...paths[place], [method.toLowerCase()]: operation(place, scope, doc as RouteDoc) };
  }
  return {
    openapi: "3.1.0",
    info: { title: "queuectl", version, description: "A durable queue of shell commands." },
    servers: [{ url: base || "/" }],
    security: [{ token: [] }, {}],
    paths,
    components: {
      securitySchemes: {
        token: {
          type: "http",
          scheme: "bearer",
          description: "queuectl web token shows it; the same user on the same machine needs none",
        },
      },
      schemas: { Problem: jsonSchema(problem) },
    },
  };
}

function operation(place: string, scope: string, { summary, body, query = {}, answers = {} }: RouteDoc) {
  const inPath = [...place.matchAll(/\{(\w+)\}/g)].map(([, name]) => ({
    name,
    in: "path",
    required: true,
    schema: { type: "string" },
  }));
  const inQuery = Object.entries(query).map(([name, description]) => ({
    name,
    in: "query",
    description,
    schema: { type: "string" },
  }));
  const given = Object.entries(answers).map(([status, shape]) => [status, answer(shape)] as const);
  return {
    summary,
    "x-scope": scope,
    parameters: [...inPath, ...inQuery],
    ...(body === undefined
      ? {}
      : { requestBody: { content: { "application/json": { schema: jsonSchema(body as Shape) } } } }),
    responses: {
      ...Object.fromEntries(given.length > 0 ? given : [["200", { description: "As asked" }]]),
      default: {
        description: "Why not",
        content: { "application/problem+json": { schema: { $ref: "#/components/schemas/Problem" } } },
      },
    },
  };
}

function answer(shape: unknown) {
  if (shape === null) return { description: "Done" };
  if (typeof shape === "string")
    return { description: "As asked", content: { [shape]: { schema: { type: "string" } } } };
  return { description: "As asked", content: { "application/json": { schema: jsonSchema(shape as Shape) } } };
}
