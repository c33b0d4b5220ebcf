// Keeps the operators' page as it is now, for as long as it is open. The server
// renders each section; what didn't change isn't sent.
(() => {
  const live = document.getElementById("live");
  const say = (text) => {
    if (live.textContent !== text) live.textContent = text; // said aloud only when it changes
  };
  const stream = new EventSource("/ops/events");
  stream.addEventListener("sections", (event) => {
    for (const [id, html] of Object.entries(JSON.parse(event.data))) {
      const section = document.getElementById(id);
      if (section) section.innerHTML = html;
    }
    say("Live.");
  });
  stream.addEventListener("error", () => {
    say(stream.readyState === EventSource.CLOSED
      ? "No longer live: reload the page."
      : "The connection is lost. Trying again …");
  });
})();
