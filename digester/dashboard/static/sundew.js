// Improves pages that work without it: times in the reader's zone, buttons to
// copy, and a button that folds all frames of a stack at once.
"use strict";

function localTimes(root) {
  for (const time of root.querySelectorAll("time[datetime]")) {
    const at = new Date(time.dateTime);
    if (Number.isNaN(at.getTime())) continue;
    const local = at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "long" });
    if ("full" in time.dataset) {
      time.title = time.textContent;
      time.textContent = local;
    } else if ("clock" in time.dataset) {
      time.textContent = at.toLocaleTimeString(undefined, { hour12: false, fractionalSecondDigits: 3, hour: "2-digit", minute: "2-digit", second: "2-digit" });
    } else {
      time.title = local;
    }
  }
}
localTimes(document);

for (const zone of document.querySelectorAll("[data-zone]")) {
  zone.textContent = `Graphs are in UTC, times of events in ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
}

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

for (const button of document.querySelectorAll("button[data-copy], button[data-copy-text], button[data-copy-from]")) {
  const source = button.dataset.copy && document.getElementById(button.dataset.copy);
  if (button.dataset.copy && !source) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    const { copyText: text = source?.textContent, copyFrom: from } = button.dataset;
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

for (const button of document.querySelectorAll("button[data-fold]")) {
  const frames = document.querySelectorAll("details.frame, details.run");
  if (frames.length === 0) continue;
  const label = () => {
    const anyClosed = [...frames].some((frame) => !frame.open);
    button.textContent = anyClosed ? "Unfold all" : "Fold all";
    return anyClosed;
  };
  label();
  document.addEventListener("toggle", label, true); // a frame folded by hand
  button.hidden = false;
  button.addEventListener("click", () => {
    const open = label();
    for (const frame of frames) frame.open = open;
    label();
  });
}
