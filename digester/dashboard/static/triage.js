// Improves what people do with issues, which works without it: choosing all issues of
// a page, menus that close, and keys. See /shortcuts for what the keys do.
"use strict";

const shortcutsAddress = document.currentScript.dataset.shortcuts;
const keysOff = "sundew-keys-off";

function keysAreOff() {
  try { return localStorage.getItem(keysOff) === "1"; } catch { return false; } // storage may be forbidden
}

// A setting of the browser, wherever the list of keys is shown.
function offerSetting(page) {
  for (const label of page.querySelectorAll("label[data-shortcuts]")) {
    const box = label.querySelector("input");
    box.checked = !keysAreOff();
    label.hidden = false;
    box.addEventListener("change", () => {
      try { localStorage.setItem(keysOff, box.checked ? "0" : "1"); } catch { box.checked = !box.checked; }
    });
  }
}
offerSetting(document);

// What a form has done is said once: an address that is passed on says it no more.
if (document.querySelector("[data-deed]")) {
  const address = new URL(location.href);
  for (const name of ["did", "n", "same", "denied", "head", "undo"]) address.searchParams.delete(name);
  history.replaceState(null, "", address);
}

document.addEventListener("click", (event) => {
  for (const open of document.querySelectorAll("details.drop[open], details.menu[open]")) {
    if (!open.contains(event.target)) open.open = false;
  }
});

const form = document.querySelector("form[data-bulk]");
const boxes = form ? [...document.querySelectorAll('input[form="bulk"]')] : [];

function chosen() { return boxes.filter((box) => box.checked).length; }

function showChosen() {
  const n = chosen();
  form.querySelector(".bulk-count").textContent = n === 0 ? "Choose issues to change them" : `${n} chosen`;
  for (const button of form.querySelectorAll("button:not([hidden])")) button.disabled = n === 0;
  for (const menu of form.querySelectorAll("details.drop")) {
    menu.inert = n === 0;
    if (n === 0) menu.open = false;
  }
  const all = form.querySelector(".bulk-all input");
  all.checked = n > 0 && n === boxes.length;
  all.indeterminate = n > 0 && n < boxes.length;
}

if (form) {
  const all = form.querySelector(".bulk-all");
  all.hidden = false;
  all.addEventListener("change", (event) => {
    for (const box of boxes) box.checked = event.target.checked;
    showChosen();
  });
  document.addEventListener("change", (event) => { if (boxes.includes(event.target)) showChosen(); });
  addEventListener("pageshow", showChosen); // browsers keep what was chosen when one comes back
  showChosen();
}

const rows = [...document.querySelectorAll("table.issues tbody tr")];

function rowAt() { return rows.findIndex((row) => row.classList.contains("at")); }

function goTo(index) {
  const row = rows[index];
  if (!row) return false;
  for (const other of rows) other.classList.toggle("at", other === row);
  row.querySelector("a.issue-title").focus({ preventScroll: true });
  row.scrollIntoView({ block: "nearest" });
  return true;
}

function toggle(row) {
  const box = row?.querySelector(".bulk-box input");
  if (!box) return false;
  box.checked = !box.checked;
  showChosen();
  return true;
}

// In a list a key is about what is chosen, or else about the issue one is at.
function press(key) {
  const target = document.querySelector(`[data-key-press="${key}"]`);
  if (!target) return false;
  if (form?.contains(target) && chosen() === 0 && !toggle(rows[rowAt()])) return false;
  if (target.matches("summary")) {
    target.parentElement.open = true;
    target.parentElement.querySelector("button:not([hidden])")?.focus();
  } else if (target.matches("textarea")) {
    target.scrollIntoView({ block: "center" });
    target.focus();
  } else {
    target.click();
  }
  return true;
}

async function showShortcuts() {
  const answer = await fetch(shortcutsAddress);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const list = page.querySelector("#shortcuts");
  if (!list || document.querySelector("dialog")) return;
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", "Keyboard shortcuts");
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "Close";
  close.addEventListener("click", () => dialog.close());
  dialog.append(close, document.adoptNode(list));
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  offerSetting(dialog);
  dialog.showModal();
}

function run(key, event) {
  switch (key) {
    case "j": case "ArrowDown": return rows.length > 0 && (key === "j" || rowAt() >= 0) && goTo(rowAt() + 1);
    case "k": case "ArrowUp": return rows.length > 0 && (key === "k" || rowAt() >= 0) && goTo(Math.max(0, rowAt() - 1));
    case "o": case "Enter": {
      const link = rows[rowAt()]?.querySelector("a.issue-title");
      if (!link || event.target.closest("a, button, summary") && event.target !== link) return false;
      link.click();
      return true;
    }
    case "x": return toggle(rows[rowAt()]);
    case "e": case "m": case "a": case "c": return press(key);
    case "?": showShortcuts(); return true;
  }
  return false;
}

addEventListener("keydown", (event) => {
  if (event.key === "Escape") {
    const open = document.querySelector("details.drop[open], details.menu[open]");
    if (open) { open.open = false; open.querySelector("summary").focus(); }
    return;
  }
  if (keysAreOff() || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.target.closest("input:not([type=checkbox]), textarea, select, [contenteditable], dialog")) return;
  if (run(event.key, event)) event.preventDefault();
});
