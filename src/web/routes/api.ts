import { Elysia } from "elysia";
import type { Web } from "../web.ts";

export const apiRoutes = (_web: Web) => new Elysia();
