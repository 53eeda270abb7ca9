// What admins and others see of limits.
import { somebody } from "./person.mjs";
import { follow } from "./tabs.mjs";

// A page knows some seconds later how much was accepted.
const counted = 20_000;

// setLimits has an admin find the limits of a project, and say
// how many events there may be in five minutes.
export function setLimits(tabs, { person: who, project, value }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(project + "/issues");
    await follow(page, page.getByRole("link", { name: "Settings", exact: true }));
    await follow(page, page.getByRole("link", { name: "Limits", exact: true }));
    const field = page.getByLabel("Events in 5 minutes");
    await field.fill(value);
    await page.getByLabel("Events a minute of one issue").fill("5");
    await follow(page, page.getByRole("button", { name: "Save" }));
    await person.reads(page.getByRole("status"), "Saved", "what the page says");
    await person.reads(page.locator(".quota-uses"), `of ${value} events in 5 minutes`, "how far the limit is used up");
  });
}

// readLimited looks at a project that has reached its limit, and at an issue of which
// not all events are stored.
export function readLimited(tabs, { person: who, project, value, issue }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    const banner = page.locator(".quota-over");
    for (const late = Date.now() + counted; ; ) {
      await page.goto(project + "/issues");
      if ((await banner.count()) > 0 || Date.now() > late) break;
      await page.waitForTimeout(500);
    }
    await person.reads(banner, `has reached its limit of ${value} events in 5 minutes`, "the banner");
    await person.reads(banner, "are refused until", "the banner");
    await person.reads(page.locator(".quota-line"), "refused or dropped in the last 24 hours", "the line below it");
    await page.goto(issue + "/events");
    await person.reads(page.locator("main"), "of them stored", "the list of an issue's events");
  });
}

// readOpen looks at a project that accepts again.
export function readOpen(tabs, { person: who, project, value }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(project + "/issues");
    await person.reads(page.locator(".quota-line"), `of ${value} events in 5 minutes`, "how far the limit is used up");
    if (await page.locator(".quota-over").count()) person.problem("the banner is still there");
  });
}
