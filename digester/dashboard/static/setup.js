// The set-up page waits for a project's first event, and leads on to it.
"use strict";

const waiting = document.querySelector("[data-waiting]");

async function look() {
  if (document.hidden) return false;
  const answer = await fetch(waiting.dataset.waiting, { headers: { Accept: "application/json" } });
  if (!answer.ok) return false;
  const status = await answer.json();
  if (!status.events || !status.next) return false;
  waiting.querySelector("[data-waiting-text]").textContent = "It is here.";
  location.assign(status.next);
  return true;
}

// Often at first, then ever less: somebody may leave the page open.
async function wait(pause) {
  let arrived = false;
  try {
    arrived = await look();
  } catch {
    // The server may be away for a moment.
  }
  if (!arrived) setTimeout(wait, pause, Math.min(pause * 1.05, 30000));
}

if (waiting) setTimeout(wait, 1000, 1500);
