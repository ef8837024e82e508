// Times: the server says the moment, the page says how long ago that is.

(() => {
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

  document.addEventListener("htmx:after:swap", showTimes);
  setInterval(showTimes, 1000);
  showTimes();
})();
