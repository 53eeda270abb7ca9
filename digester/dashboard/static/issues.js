// Improves the issue list, which works without it: a choice beside the search box
// takes effect at once, and "/" leads into the box.
"use strict";

for (const form of document.querySelectorAll("form[data-search]")) {
  for (const select of form.querySelectorAll("select")) {
    select.addEventListener("change", () => form.requestSubmit());
  }
  // What is the default needs no place in the address.
  form.addEventListener("formdata", (event) => {
    for (const [name, value] of [...event.formData]) {
      if (name !== "q" && value === "" || name === "sort" && value === "seen" || name === "graph" && value === "24h") event.formData.delete(name);
    }
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || keysAreOff() || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target instanceof Element && event.target.closest("input, select, textarea, [contenteditable]")) return;
    event.preventDefault();
    form.elements.q.select();
    form.elements.q.focus();
  });
}
