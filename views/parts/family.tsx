// The jobs that one comes after, and those that come after it.
/** @jsxRuntime automatic @jsxImportSource @kitajs/html */

import type { Relative, Relatives } from "../../src/domain/dependencies.ts";
import { StateBadge } from "./badge.tsx";
import { link, type Ui } from "./ui.ts";

export function Family({ ui, relatives: { after, before } }: { ui: Ui; relatives: Relatives }) {
  if (after.length + before.length === 0) return "";
  return (
    <section class="panel family" id="family" aria-labelledby="family-title">
      <h2 id="family-title">Order</h2>
      <Side ui={ui} title="Comes after" jobs={after} />
      <Side ui={ui} title="Comes before" jobs={before} />
    </section>
  );
}

function Side({ ui, title, jobs }: { ui: Ui; title: string; jobs: readonly Relative[] }) {
  if (jobs.length === 0) return "";
  return (
    <>
      <h3 safe>{title}</h3>
      <ul class="named">
        {jobs.map(({ id, state }) => (
          <li>
            <a class="id" href={link(ui, `/jobs/${id}`)} safe>
              {id}
            </a>{" "}
            <StateBadge state={state} />
          </li>
        ))}
      </ul>
    </>
  );
}
