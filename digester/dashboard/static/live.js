// Keeps the numbers of issues fresh while somebody looks: the page that is shown is
// asked for again, and what the server says now takes the place of what it said.
"use strict";

const livePause = 30_000; // milliseconds between two looks
const liveFor = 30 * 60_000; // without a sign of the reader nothing is asked for, so that a session can expire

let signAt = Date.now();
for (const sign of ["pointermove", "keydown", "scroll"]) {
  addEventListener(sign, () => { signAt = Date.now(); }, { passive: true });
}

// liveParts are what can change on a page: cells of an issue's row, by its address, and
// an issue's own numbers.
function liveParts(root) {
  const parts = new Map();
  for (const row of root.querySelectorAll("table.issues tbody tr")) {
    const issue = row.querySelector("a.issue-title").getAttribute("href");
    row.querySelectorAll("td:not(.issue)").forEach((cell, i) => parts.set(`${issue} ${i}`, cell));
  }
  root.querySelectorAll(".issue-head .stats dd").forEach((number, i) => parts.set(`stats ${i}`, number));
  return parts;
}

const liveSaid = new Map([...liveParts(document)].map(([key, part]) => [key, part.innerHTML]));

function liveNews(count) {
  let notice = document.querySelector("[data-live-news]");
  if (!notice) {
    notice = document.createElement("p");
    notice.className = "notice";
    notice.dataset.liveNews = "";
    notice.setAttribute("role", "status");
    document.querySelector("table.issues").before(notice);
  }
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = count === 1 ? "Show it" : "Show them";
  notice.replaceChildren(count === 1 ? "1 more issue is in this list now. " : `${count} more issues are in this list now. `, link);
}

async function lookAgain() {
  if (document.hidden || Date.now() - signAt > liveFor) return;
  const answer = await fetch(location.href);
  if (!answer.ok || answer.redirected) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  const parts = liveParts(document);
  const news = new Set();
  for (const [key, part] of liveParts(fresh)) {
    const shown = parts.get(key);
    if (!shown) {
      news.add(key.split(" ")[0]);
    } else if (part.innerHTML !== liveSaid.get(key)) {
      liveSaid.set(key, part.innerHTML);
      shown.replaceChildren(...part.childNodes);
      localTimes(shown);
    }
  }
  news.delete("stats");
  if (news.size > 0 && document.querySelector("table.issues")) liveNews(news.size);
}

// The server may be away for a moment.
const lookLive = () => lookAgain().catch(() => {});

if (liveSaid.size > 0) {
  setInterval(lookLive, livePause);
  document.addEventListener("visibilitychange", lookLive);
}
