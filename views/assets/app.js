// What the dashboard does in the browser beside htmx: one clock for all that refreshes itself, times that go on, dialogs, keys, and
// a log that follows its end. Pages work without any of it.

(() => {
  const $ = (id) => document.getElementById(id);
  const body = document.body;
  const refreshMs = Number(body.dataset.refresh) * 1000;
  const refreshes = refreshMs > 0 && $("live").hasAttribute("hx-get");

  // ---- The clock: one for the whole page. It stands still while a swap would be in somebody's way, and says why.

  let pausedByHand = sessionStorage.getItem("paused") === "yes";
  let failures = 0;
  /** What the page is about was deleted: there is nothing to look for any more. */
  let gone = false;
  /** Why the page should be left, and is not, as something is typed that would be lost. */
  let overdue;
  let lastTick = Date.now();
  let timer;

  function reasonToWait() {
    if (pausedByHand) return "Paused";
    if (document.hidden) return "Paused: the tab is hidden";
    if ($("dialog").open) return "Paused while a question is open";
    if (document.querySelector(".jobs input[name=id]:checked, #all-matching:checked"))
      return "Paused while rows are ticked";
    const selection = getSelection();
    if (selection && !selection.isCollapsed && $("live").contains(selection.anchorNode))
      return "Paused while text is selected";
    return undefined;
  }

  function say(text, stale = false) {
    const place = $("freshness");
    if (!place) return;
    if (place.textContent !== text) place.textContent = text;
    place.classList.toggle("is-stale", stale);
  }

  function showState() {
    if (!refreshes) return;
    const why = reasonToWait();
    if (gone) say("What this page shows is gone", true);
    else if (overdue) say(overdue, true);
    // A screen reader says it anew whenever it changes, so it does not count on.
    else if (failures >= 3) say(`No answer since ${new Date(lastTick).toLocaleTimeString()}`, true);
    else say(why ?? "");
  }

  function tick() {
    schedule();
    showState();
    if (refreshes && !gone && reasonToWait() === undefined) body.dispatchEvent(new Event("tick"));
  }

  function schedule() {
    clearTimeout(timer);
    if (refreshes && !gone)
      timer = setTimeout(tick, Math.max(500, refreshMs) * Math.min(8, 2 ** Math.max(0, failures - 2)));
  }

  const isTick = (ctx) => ctx?.sourceElement?.id === "live";

  const isTyped = (field) => field.type !== "hidden" && field.value !== field.defaultValue;
  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    if (!isTick(ctx)) return;
    const { status, headers } = ctx.response;
    const leave =
      status === 401 ? "Logged out" : headers.has("hx-refresh") ? "Updated: reload the page" : undefined;
    overdue = [...$("live").querySelectorAll("input, textarea")].some(isTyped) ? leave : undefined;
    if (overdue) event.preventDefault();
    if (status === 404) {
      gone = true;
      clearTimeout(timer);
      showState();
      return;
    }
    const ok = status < 400;
    failures = ok ? 0 : failures + 1;
    if (ok) lastTick = Date.now();
    showState();
  });
  document.addEventListener("htmx:error", ({ detail }) => {
    if (isTick(detail.ctx)) failures++;
    showState();
  });
  // What was asked for before the reader ticked a row or opened a dialog must not be swapped in under them.
  document.addEventListener("htmx:before:swap", (event) => {
    if (!isTick(event.detail.ctx)) return;
    if (reasonToWait() !== undefined) event.preventDefault();
    else rememberFocus();
  });

  // ---- The focus: where what has it goes away, such as the row of a job that was retried, what came behind it has it then.
  let focused = [];

  function rememberFocus() {
    const all = [
      ...$("live").querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]"),
    ];
    const at = all.indexOf(document.activeElement);
    focused = at < 0 ? [] : all.slice(at);
  }

  function keepFocus() {
    const [held] = focused;
    if (held && !held.isConnected && document.activeElement === body)
      focused.find((next) => next.isConnected && next.checkVisibility())?.focus();
    focused = [];
  }

  document.addEventListener("visibilitychange", tick);

  function setUpPause() {
    const button = $("pause");
    if (!button || !refreshes) return;
    button.hidden = false;
    button.setAttribute("aria-pressed", String(pausedByHand));
    button.textContent = pausedByHand ? "Resume" : "Pause";
  }

  function togglePause() {
    pausedByHand = !pausedByHand;
    sessionStorage.setItem("paused", pausedByHand ? "yes" : "no");
    setUpPause();
    tick();
  }

  // ---- Times: the server says the moment, the page says how long ago that is.

  const units = [
    ["d", 86_400],
    ["h", 3600],
    ["min", 60],
    ["s", 1],
  ];

  function words(ms) {
    const seconds = Math.max(0, Math.round(ms / 1000));
    const [unit, size] = units.find(([, size]) => seconds >= size) ?? ["s", 1];
    const count = Math.floor(seconds / size);
    return `${count} ${unit}`;
  }

  /** The same to the second, for what is being waited for. */
  function exactWords(ms) {
    const seconds = Math.max(0, Math.round(ms / 1000));
    if (seconds < 60 || seconds >= 3600) return words(ms);
    return seconds % 60 === 0 ? `${seconds / 60} min` : `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  }

  function timeText(as, moment) {
    const ms = Date.now() - moment;
    if (as === "clock") return moment.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
    if (as === "age") return exactWords(Math.abs(ms));
    if (Math.abs(ms) < 1000) return "now";
    return ms > 0 ? `${words(ms)} ago` : `in ${exactWords(-ms)}`;
  }

  function showTimes() {
    for (const time of document.querySelectorAll("time[data-as]")) {
      const moment = new Date(time.dateTime);
      const text = timeText(time.dataset.as, moment);
      if (time.textContent !== text) time.textContent = text;
      if (!time.title)
        time.title = moment.toLocaleString(undefined, { dateStyle: "full", timeStyle: "long" });
    }
  }

  // ---- What was done, said in a corner.

  function notify(text, look = "done") {
    const line = document.createElement("p");
    line.className = `notice is-${look}`;
    line.textContent = text.charAt(0).toUpperCase() + text.slice(1);
    $("notices").append(line);
    fade(line, look === "fault" ? 12_000 : 6000);
  }

  function fade(line, ms) {
    const remove = () => (line.matches(":hover") ? setTimeout(remove, 1000) : line.remove());
    setTimeout(remove, ms);
  }

  document.addEventListener("notice", ({ detail }) => {
    notify(detail.text, detail.look);
    if (detail.look !== "fault" && refreshes) body.dispatchEvent(new Event("tick"));
  });

  // ---- Dialogs: the server's own question, in place of its page.

  function openDialog() {
    const dialog = $("dialog");
    if (!dialog.open) dialog.showModal();
    dialog.setAttribute("aria-labelledby", "confirm-title");
    dialog.querySelector("input:not([type=hidden]), button")?.focus();
    showState();
  }

  document.addEventListener("htmx:after:swap", ({ detail }) => {
    if (detail.ctx?.target?.id === "dialog") openDialog();
    if (isTick(detail.ctx)) keepFocus();
    settled();
  });
  $("dialog").addEventListener("close", tick);
  $("dialog").addEventListener("click", (event) => {
    if (event.target === $("dialog")) $("dialog").close();
  });

  // ---- Rows to tick.

  function showTicked() {
    const all = document.querySelectorAll(".jobs input[name=id]");
    const ticked = [...all].filter((box) => box.checked).length;
    const head = $("tick-all");
    if (head) {
      head.hidden = false;
      head.checked = all.length > 0 && ticked === all.length;
      head.indeterminate = ticked > 0 && ticked < all.length;
    }
    const words = $("ticked");
    if (words)
      words.textContent =
        ticked === 0 ? "With ticked rows" : `With ${ticked} ticked ${ticked === 1 ? "row" : "rows"}`;
    showState();
  }

  document.addEventListener("change", ({ target }) => {
    if (target.id === "tick-all") {
      for (const box of document.querySelectorAll(".jobs input[name=id]")) box.checked = target.checked;
    }
    if (target.matches(".tick input, #all-matching")) showTicked();
    if (target.id === "wrap") $("log").classList.toggle("is-wrapped", target.checked);
    if (target.closest("#attempt-picker")) target.form.requestSubmit();
  });

  // ---- The log: follows its end as long as its end is what is looked at.

  const mostLines = 5000;
  let follows = true;

  const isAtEnd = (log) => log.scrollHeight - log.scrollTop - log.clientHeight < 24;

  function followLog() {
    const log = $("log");
    if (!log || log.dataset.followed) return;
    log.dataset.followed = "yes";
    follows = true;
    if (location.hash.startsWith("#L")) {
      follows = false;
      goToLine(location.hash.slice(2));
    } else log.scrollTop = log.scrollHeight;
    log.addEventListener("scroll", () => {
      follows = isAtEnd(log);
      $("jump").hidden = follows || !$("log-live");
    });
    new MutationObserver(() => {
      const lines = $("log-lines");
      if (follows) while (lines.childElementCount > mostLines) lines.firstElementChild.remove();
      if (follows) log.scrollTop = log.scrollHeight;
    }).observe(log, { childList: true, subtree: true, characterData: true });
    log.addEventListener("tail", ({ detail }) => {
      $("log-tail").textContent = JSON.parse(detail.data);
    });
    log.addEventListener("done", () => {
      // htmx connects again to whatever has the attribute whenever it looks over the page.
      log.removeAttribute("hx-sse:connect");
      $("log-live")?.remove();
      $("jump").hidden = true;
      body.dispatchEvent(new Event("tick"));
    });
  }

  /** A link to a line may be older than what is shown now. */
  function goToLine(line) {
    const address = new URL(location.href);
    if ($(`L${line}`) || !/^\d+$/.test(line) || address.searchParams.has("line")) return;
    for (const other of ["from", "to"]) address.searchParams.delete(other);
    address.searchParams.set("line", line);
    location.replace(address);
  }

  // A second stream for the same log would show each line twice.
  const streams = new WeakMap();
  document.addEventListener("htmx:sse:before:connection", (event) => {
    const { connection } = event.detail;
    const known = streams.get(event.target);
    if (known && known !== connection) event.preventDefault();
    else streams.set(event.target, connection);
  });

  // ---- A form is sent once, however often its button is clicked before the answer is there. What htmx sends is none of these.

  const patienceMs = 10_000;
  const sent = new Set();

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.method !== "post") return;
    if (sent.has(form)) return event.preventDefault();
    sent.add(form);
    // The reader may have stopped it, or come back to the page as it was left.
    setTimeout(() => sent.delete(form), patienceMs);
  });
  addEventListener("pageshow", () => {
    sent.clear();
    // The browser ticks again what was ticked when the page was left.
    showTicked();
  });

  // ---- Clicks and keys.

  document.addEventListener("click", (event) => {
    const { target } = event;
    if (target.closest("#pause")) togglePause();
    if (target.closest("#jump")) $("log").scrollTop = $("log").scrollHeight;
    if (target.closest("[data-close]") && $("dialog").open) {
      event.preventDefault();
      $("dialog").close();
    }
  });

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
    [
      "g o, g j, g d, g w, g q, g c, g a, g s",
      "Overview, jobs, dead letters, workers, queues, schedules, alerts, settings",
    ],
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
    openDialog();
  }

  const actions = {
    "?": showKeys,
    "/": () => ($("q") ?? $("find"))?.focus(),
    n: () => $("new-job")?.click(),
    p: togglePause,
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

  // ---- After each swap, and at first.

  function settled() {
    showTimes();
    showTicked();
    setUpPause();
    followLog();
  }

  // Where the tabs do not fit, the page's own may lie beyond the edge.
  const tabs = $("nav");
  const ownTab = tabs?.querySelector("[aria-current]");
  if (ownTab) tabs.scrollLeft = ownTab.offsetLeft - (tabs.clientWidth - ownTab.offsetWidth) / 2;
  for (const line of document.querySelectorAll("#notices .notice")) fade(line, 6000);
  if (location.search.includes("notice=")) {
    const address = new URL(location.href);
    address.searchParams.delete("notice");
    history.replaceState(null, "", address);
  }
  settled();
  setInterval(() => {
    showTimes();
    showState();
  }, 1000);
  schedule();
})();
