// The focus: where what has it goes away, such as the row of a job that was retried, what came behind it has it then.

(() => {
  const isLive = ({ ctx }) => ctx?.sourceElement?.id === "live";
  let focused = [];

  function rememberFocus() {
    const all = [
      ...document
        .getElementById("live")
        .querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]"),
    ];
    const at = all.indexOf(document.activeElement);
    focused = at < 0 ? [] : all.slice(at);
  }

  function keepFocus() {
    const [held] = focused;
    if (held && !held.isConnected && document.activeElement === document.body)
      focused.find((next) => next.isConnected && next.checkVisibility())?.focus();
    focused = [];
  }

  document.addEventListener("htmx:before:swap", (event) => {
    if (isLive(event.detail) && !event.defaultPrevented) rememberFocus();
  });
  document.addEventListener("htmx:after:swap", ({ detail }) => {
    if (isLive(detail)) keepFocus();
  });
})();
