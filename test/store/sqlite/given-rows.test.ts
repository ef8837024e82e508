import { Database } from "bun:sqlite";
import { expect, test } from "bun:test";
import { connect } from "../../../src/store/sqlite/connection.ts";
import { forGiven } from "../../../src/store/sqlite/given-rows.ts";

const rename = forGiven(
  ["id", "name"],
  "update things set name = given.name, touched = touched + 1 from given where things.id = given.id",
);
const add = forGiven(
  ["id", "name"],
  "insert into things (id, name) select id, name from given where id is not null",
);

test.each([0, 1, 2, 3, 63, 64, 65, 200])("%d rows are written once each, and no others", (count) => {
  using db = new Database(":memory:", { strict: true });
  db.run(
    "create table things (id integer primary key, name text, touched integer not null default 0) strict",
  );
  db.run("insert into things (id) values (1000000)");
  const connection = connect(":memory:", db, Date.now);
  const rows = Array.from({ length: count }, (_, n) => ({ id: n + 1, name: n % 2 ? `it's ${n}` : null }));
  add(connection, rows);
  const renamed = rows.map(({ id }) => ({ id, name: `now ${id}` }));
  expect(db.query("select id, name from things where id < 1000000 order by id").all()).toEqual(rows);
  rename(connection, renamed);
  expect(db.query("select * from things order by id").all()).toEqual([
    ...renamed.map((row) => ({ ...row, touched: 1 })),
    { id: 1_000_000, name: null, touched: 0 },
  ]);
});
