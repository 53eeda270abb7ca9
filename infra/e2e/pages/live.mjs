// Numbers that stay fresh while somebody looks at them.
import { somebody } from "./person.mjs";

// openPage opens a page and leaves it open.
export function openPage(tabs, { person: who, url }, problems) {
  return somebody(tabs, who, problems, (page) => page.goto(url).then(() => ({})));
}

// readLive comes back to the page that is open and waits until it shows a number of
// events, of an issue of its list or of the issue itself, without being loaded again.
export function readLive(tabs, { person: who, text, value }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    const list = page.locator("table.issues tbody tr", { hasText: text }).locator('td[data-label="Events"]');
    const own = page.locator(".issue-head .stats > div", { hasText: "Events" }).locator("dd");
    await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
    await list.or(own).filter({ hasText: new RegExp(`^${value}$`) }).waitFor({ timeout: 5000 }).catch(() => {
      person.problem(`the number of events of ${text} does not become ${value} by itself`);
    });
    return {};
  });
}
