// Keys: to places, through the rows, and for what is done most.

(() => {
  const $ = (id) => document.getElementById(id);
  const places = {
    o: "/",
    j: "/jobs",
    d: "/dlq",
    w: "/workers",
    q: "/queues",
    c: "/schedules",
    a: "/alerts",
    s: "/settings",
  };
  const keys = [
    ["/", "Search"],
    ["n", "New job"],
    ["p", "Pause or resume refreshing"],
    ["t", "Change colours"],
    ["j / k", "Next or previous job in the list"],
    ["x", "Tick the job"],
    ["r", "Retry or run the job"],
    ["g, then o j d w q c a s", "Overview, jobs, dead letters, workers, queues, schedules, alerts, settings"],
    ["?", "This help"],
  ];
  let isGoing = false;

  function moveRow(step) {
    const rows = [...document.querySelectorAll(".jobs tbody .id")];
    const at = rows.findIndex((link) => link.closest("tr").contains(document.activeElement));
    rows[Math.min(rows.length - 1, Math.max(0, at + step))]?.focus();
  }

  const ownRow = () => document.activeElement?.closest("tr");

  function showKeys() {
    const dialog = $("dialog");
    const panel = document.createElement("section");
    panel.className = "panel";
    const title = document.createElement("h2");
    title.id = "confirm-title";
    title.textContent = "Keys";
    const list = document.createElement("dl");
    list.className = "keys";
    for (const [key, about] of keys) {
      const term = document.createElement("dt");
      const mark = document.createElement("kbd");
      mark.textContent = key;
      term.append(mark);
      const text = document.createElement("dd");
      text.textContent = about;
      list.append(term, text);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.className = "button";
    close.dataset.close = "true";
    close.textContent = "Close";
    panel.append(title, list, close);
    dialog.replaceChildren(panel);
    dialog.dispatchEvent(new Event("filled"));
  }

  const actions = {
    "?": showKeys,
    "/": () => ($("q") ?? $("find"))?.focus(),
    n: () => $("new-job")?.click(),
    p: () => $("pause")?.click(),
    t: () => $("theme")?.click(),
    j: () => moveRow(1),
    k: () => moveRow(-1),
    x: () => ownRow()?.querySelector(".tick input")?.click(),
    r: () => (ownRow()?.querySelector("[id^=retry-]") ?? $("retry"))?.click(),
    g: () => {
      isGoing = true;
      setTimeout(() => {
        isGoing = false;
      }, 1500);
    },
  };

  document.addEventListener("keydown", (event) => {
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      event.target.matches("input:not([type=checkbox]), textarea, select")
    )
      return;
    if ($("dialog").open) return;
    const home = document.querySelector(".brand")?.getAttribute("href")?.replace(/\/$/, "") ?? "";
    if (isGoing && places[event.key]) {
      location.href = home + places[event.key];
      return;
    }
    const action = actions[event.key];
    if (!action) return;
    event.preventDefault();
    action();
  });
})();
