// Improves the event page, which works without it: copies links and Markdown,
// filters breadcrumbs where they are, and lets keys lead to other events.
"use strict";

function said(button, text) {
  const before = button.textContent;
  button.textContent = text;
  setTimeout(() => { button.textContent = before; }, 1500);
}

// Pages over plain HTTP have no navigator.clipboard, except on localhost.
function copyText(text) {
  if (navigator.clipboard) return navigator.clipboard.writeText(text);
  const area = document.createElement("textarea");
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  return done ? Promise.resolve() : Promise.reject(new Error("not copied"));
}

for (const button of document.querySelectorAll("button[data-copy-text], button[data-copy-from]")) {
  button.hidden = false;
  button.addEventListener("click", async () => {
    const { copyText: text, copyFrom: from } = button.dataset;
    try {
      if (from) {
        const answer = await fetch(from);
        if (!answer.ok) throw new Error(answer.statusText);
        await copyText(await answer.text());
      } else {
        await copyText(text);
      }
      said(button, "Copied");
    } catch {
      if (from) location.href = from; // to be copied by hand
      else said(button, text);
    }
  });
}

for (const list of document.querySelectorAll("[data-crumb-filters]")) {
  const section = list.closest("section");
  const lets = (row, name) => name === "" || (name === "notable" ? "notable" in row.dataset : name === "kind:" + row.dataset.kind);
  list.addEventListener("click", (event) => {
    const link = event.target.closest("a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return;
    event.preventDefault();
    const name = link.dataset.crumbs;
    for (const other of list.querySelectorAll("a")) other.removeAttribute("aria-current");
    link.setAttribute("aria-current", "true");
    for (const row of section.querySelectorAll("tbody tr")) row.hidden = !lets(row, name);
    for (const older of section.querySelectorAll("details.more")) older.open = name !== "";
    history.replaceState(null, "", link.href);
  });
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable]")) return;
  for (const link of document.querySelectorAll("a[data-key]")) {
    if (link.dataset.key === event.key) link.click();
  }
});
