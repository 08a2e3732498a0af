// What the pages can do without, and do better with: copying to the clipboard, and
// parts that follow the server by server-sent events.
"use strict";
for (const button of document.querySelectorAll("button[data-copy]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(button.dataset.copy);
    const said = button.textContent;
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = said; }, 1500);
  });
}
for (const part of document.querySelectorAll("[data-live]")) {
  const source = new EventSource(part.dataset.live);
  source.addEventListener("part", (event) => {
    const focus = document.activeElement;
    if (focus === part || !part.contains(focus)) part.innerHTML = event.data; // a person is at a link in it
  });
  source.addEventListener("end", () => source.close());
}
for (const form of document.querySelectorAll("form[data-confirm]")) {
  form.addEventListener("submit", (event) => { if (!confirm(form.dataset.confirm)) event.preventDefault(); });
}
if (matchMedia("(max-width: 56rem)").matches) {
  for (const menu of document.querySelectorAll("details.menu")) menu.open = false;
}
