// A question before something that cannot be undone, as a page of its own or as what a dialog shows.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import { Confirm, type Question } from "../../views/confirm.tsx";
import type { Call, MakeScreen } from "./screens.tsx";

export const asking =
  (questionOf: (call: Call) => Promise<Question>): MakeScreen =>
  async (call) => {
    const question = await questionOf(call);
    return { title: question.title, body: <Confirm ui={call.ui} question={question} />, refreshes: false };
  };
