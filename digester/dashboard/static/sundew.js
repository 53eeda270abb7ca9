// Improves pages that work without it: times in the reader's zone, buttons to
// copy, and a button that folds all frames of a stack at once.
"use strict";

for (const time of document.querySelectorAll("time[datetime]")) {
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

for (const zone of document.querySelectorAll("[data-zone]")) {
  zone.textContent = `Graphs are in UTC, times of events in ${Intl.DateTimeFormat().resolvedOptions().timeZone}`;
}

// Pages over plain HTTP have no navigator.clipboard, except on localhost.
async function copy(element) {
  if (navigator.clipboard) return navigator.clipboard.writeText(element.textContent);
  getSelection().selectAllChildren(element);
  document.execCommand("copy");
}

for (const button of document.querySelectorAll("button[data-copy]")) {
  const source = document.getElementById(button.dataset.copy);
  if (!source) continue;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await copy(source);
    button.textContent = "Copied";
    setTimeout(() => { button.textContent = "Copy"; }, 1500);
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
