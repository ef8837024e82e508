// Rows to tick: all at once by the head's box, and how many there are.

(() => {
  const $ = (id) => document.getElementById(id);

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
  }

  document.addEventListener("change", ({ target }) => {
    if (target.id === "tick-all")
      for (const box of document.querySelectorAll(".jobs input[name=id]")) box.checked = target.checked;
    if (target.matches(".tick input, #all-matching")) showTicked();
  });
  document.addEventListener("htmx:after:swap", showTicked);
  // The browser ticks again what was ticked when the page was left.
  addEventListener("pageshow", showTicked);
  showTicked();
})();
