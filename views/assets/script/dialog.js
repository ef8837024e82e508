// Dialogs: the server's own question, in place of its page, or what another script has put there and said so (`filled`).

(() => {
  const dialog = document.getElementById("dialog");

  function open() {
    if (!dialog.open) dialog.showModal();
    dialog.setAttribute("aria-labelledby", "confirm-title");
    dialog.querySelector("input:not([type=hidden]), button")?.focus();
  }

  dialog.addEventListener("filled", open);
  document.addEventListener("htmx:after:swap", ({ detail }) => {
    if (detail.ctx?.target === dialog) open();
  });
  dialog.addEventListener("click", ({ target }) => {
    if (target === dialog) dialog.close();
  });
  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-close]") || !dialog.open) return;
    event.preventDefault();
    dialog.close();
  });
})();
