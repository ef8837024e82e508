// What was done, said in a corner, and gone after a while.

(() => {
  function notify(text, look = "done") {
    const line = document.createElement("p");
    line.className = `notice is-${look}`;
    line.textContent = text.charAt(0).toUpperCase() + text.slice(1);
    document.getElementById("notices").append(line);
    fade(line, look === "fault" ? 12_000 : 6000);
  }

  function fade(line, ms) {
    const remove = () => (line.matches(":hover") ? setTimeout(remove, 1000) : line.remove());
    setTimeout(remove, ms);
  }

  document.addEventListener("notice", ({ detail }) => notify(detail.text, detail.look));

  for (const line of document.querySelectorAll("#notices .notice")) fade(line, 6000);
  if (location.search.includes("notice=")) {
    const address = new URL(location.href);
    address.searchParams.delete("notice");
    history.replaceState(null, "", address);
  }
})();
