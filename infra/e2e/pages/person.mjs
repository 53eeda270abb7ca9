// People who work at the same time, each in a browser of their own: at a desk, with a
// phone, in the dark, without JavaScript.
import { looks } from "./pictures.mjs";
import { Reader } from "./reader.mjs";
import { watch } from "./tabs.mjs";

// somebody calls act(page, person) with the page on which that person was last.
export function somebody(tabs, { name, look = "light", plain = false }, problems, act) {
  const options = { ...looks[look], javaScriptEnabled: !plain };
  return tabs.with(`person ${name}`, { options, watch }, problems, (page) => act(page, new Reader(page, problems)));
}

// refused calls act, which has to lead to a page with that status, and takes what was
// reported because of it back.
export async function refused(page, problems, status, act) {
  const before = problems.length;
  const said = page.waitForEvent("console", (message) => message.text().includes(`status of ${status}`));
  await Promise.all([said, act()]);
  const others = problems.slice(before).filter((problem) => !problem.includes(`${status}`));
  problems.splice(before, Infinity, ...others);
}
