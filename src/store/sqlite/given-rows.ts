// One statement for many rows, which it finds in a table of its own, `given`: bound values are read in half the time that JSON takes
// (bench/README.md, cycle).

import type { Connection } from "./connection.ts";

type Value = string | number | null;

/** So many at once: fewer values than SQLite binds (32,766), and as many statements are prepared as this has powers of two below it. */
const most = 64;

/** Runs `text` once for all rows, or for some at a time; each has the columns. A row of nothing but null may be among those it is given. */
export function forGiven<const Column extends string>(
  columns: readonly Column[],
  text: string,
): (connection: Connection, rows: readonly Readonly<Record<Column, Value>>[]) => void {
  const row = `(${columns.map(() => "?").join(", ")})`;
  const texts = new Map<number, string>();

  function textFor(size: number): string {
    const known = texts.get(size);
    if (known !== undefined) return known;
    const made = `with given (${columns.join(", ")}) as (values ${Array(size).fill(row).join(", ")}) ${text}`;
    texts.set(size, made);
    return made;
  }

  return ({ sql }, rows) => {
    for (let from = 0; from < rows.length; from += most) {
      const some = rows.slice(from, from + most);
      const size = 2 ** Math.ceil(Math.log2(some.length));
      const values: Value[] = [];
      for (const one of some) for (const column of columns) values.push(one[column]);
      while (values.length < size * columns.length) values.push(null);
      sql(textFor(size)).run(...values);
    }
  };
}
