// Improves the event page, which works without it: filters breadcrumbs where they
// are, and lets keys lead to other events.
"use strict";

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
  if (keysAreOff() || event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, [contenteditable], dialog")) return;
  for (const link of document.querySelectorAll("a[data-key]")) {
    if (link.dataset.key === event.key) link.click();
  }
});
