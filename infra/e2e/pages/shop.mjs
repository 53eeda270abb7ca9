// The page that reports with @sentry/browser, from an origin of its own.
import { watchRequests } from "./tabs.mjs";

// Errors are what this page is for, except these.
function watch(page, report) {
  watchRequests(page, report);
  page.on("console", (message) => {
    if (/CORS|Content Security Policy/.test(message.text())) report(`the console says: ${message.text()}`);
  });
}

// pressButton opens the page, presses one button and returns the ids of the
// events that this led to, after the SDK has been told that they arrived.
export function pressButton(tabs, { url, button }, problems) {
  return tabs.with("shop", { watch }, problems, async (page) => {
    await page.goto(url);
    await page.click(`#${button}`);
    return { eventIds: await page.evaluate(() => window.reported()) };
  });
}
