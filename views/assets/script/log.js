// The log: follows its end as long as its end is what is looked at.

(() => {
  const $ = (id) => document.getElementById(id);
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
      document.body.dispatchEvent(new Event("tick"));
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

  document.addEventListener("change", ({ target }) => {
    if (target.id === "wrap") $("log").classList.toggle("is-wrapped", target.checked);
    if (target.closest("#attempt-picker")) target.form.requestSubmit();
  });
  document.addEventListener("click", ({ target }) => {
    if (target.closest("#jump")) $("log").scrollTop = $("log").scrollHeight;
  });
  document.addEventListener("htmx:after:swap", followLog);
  followLog();
})();
