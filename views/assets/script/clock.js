// One clock for all that refreshes itself: an event `tick` each time. It stands still while a swap would be in somebody's way, and says why.

(() => {
  const $ = (id) => document.getElementById(id);
  const body = document.body;
  const refreshMs = Number(body.dataset.refresh) * 1000;
  const refreshes = refreshMs > 0 && $("live").hasAttribute("hx-get");

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
  });

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

  document.addEventListener("click", ({ target }) => {
    if (target.closest("#pause")) togglePause();
  });
  document.addEventListener("visibilitychange", tick);
  $("dialog").addEventListener("close", tick);
  document.addEventListener("notice", ({ detail }) => {
    if (detail.look !== "fault" && refreshes) body.dispatchEvent(new Event("tick"));
  });
  document.addEventListener("htmx:after:swap", () => {
    setUpPause();
    showState();
  });
  // What keeps it from ticking may have begun or ended.
  document.addEventListener("change", showState);
  setInterval(showState, 1000);
  setUpPause();
  showState();
  schedule();
})();
