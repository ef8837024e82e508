// Where the tabs do not fit, the page's own may lie beyond the edge.

(() => {
  const tabs = document.getElementById("nav");
  const own = tabs?.querySelector("[aria-current]");
  if (own) tabs.scrollLeft = own.offsetLeft - (tabs.clientWidth - own.offsetWidth) / 2;
})();
