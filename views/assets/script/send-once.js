// A form is sent once, however often its button is clicked before the answer is there. What htmx sends is none of these.

(() => {
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
  addEventListener("pageshow", () => sent.clear());
})();
