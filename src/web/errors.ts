// What a request is refused with: the one table from an error's kind to an HTTP status, and its body after RFC 9457.

import { Refusal, type RefusalKind } from "../domain/errors.ts";

/** A refusal that only HTTP knows: no such page, no token, a foreign host … */
export class Problem extends Error {
  readonly status: number;
  /** Names the check or rule that failed, for programs. */
  readonly check: string;
  readonly advice: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  /** Where in the body the fault is, as a JSON pointer. */
  readonly pointer: string | undefined;

  constructor(
    status: number,
    check: string,
    message: string,
    advice?: string,
    extra: { headers?: Record<string, string>; pointer?: string | undefined } = {},
  ) {
    super(message);
    this.name = "Problem";
    this.status = status;
    this.check = check;
    this.advice = advice;
    this.headers = extra.headers ?? {};
    this.pointer = extra.pointer;
  }
}

const statusOf: Readonly<Record<RefusalKind, number>> = {
  usage: 422,
  not_found: 404,
  ambiguous: 409,
  conflict: 409,
  wrong_state: 409,
  unavailable: 503,
  unusable: 503,
};

const titles: Readonly<Record<number, string>> = {
  400: "The request is broken",
  401: "A token is needed",
  403: "This is not allowed",
  404: "There is nothing here",
  405: "This cannot be done here",
  409: "This cannot be done now",
  413: "This is too long",
  415: "This kind of content is not understood",
  422: "Something is wrong with what was asked",
  429: "Too many tries",
  500: "Something went wrong here",
  502: "The receiver did not take it",
  503: "The queue does not answer",
};

export interface Fault {
  readonly status: number;
  readonly title: string;
  readonly check: string;
  readonly detail: string;
  readonly advice: string | undefined;
  readonly headers: Readonly<Record<string, string>>;
  readonly pointer: string | undefined;
}

/** What to tell the caller of any error. Of a bug only that there was one: its message may hold anything. */
export function faultOf(error: unknown): Fault {
  if (error instanceof Problem) {
    const { status, check, message, advice, headers, pointer } = error;
    return { status, title: titleOf(status), check, detail: message, advice, headers, pointer };
  }
  if (error instanceof Refusal) {
    const status = statusOf[error.kind];
    const { message, advice, kind } = error;
    const check = kind.replaceAll("_", "-");
    const headers: Record<string, string> = status === 503 ? { "retry-after": "2" } : {};
    return { status, title: titleOf(status), check, detail: message, advice, headers, pointer: undefined };
  }
  return {
    status: 500,
    title: titleOf(500),
    check: "bug",
    detail: "this is a fault in queuectl; the terminal that runs it says more",
    advice: undefined,
    headers: {},
    pointer: undefined,
  };
}

const titleOf = (status: number) => titles[status] ?? "It did not work";

/** The body of an error for programs. */
export const problemJson = ({ status, title, check, detail, advice, pointer }: Fault) => ({
  type: `urn:queuectl:problem:${check}`,
  title,
  status,
  detail,
  check,
  ...(advice === undefined ? {} : { advice }),
  ...(pointer === undefined ? {} : { errors: [{ pointer, detail }] }),
});
