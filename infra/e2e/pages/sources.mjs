// What people see of errors in minified scripts.
import { hasException, visit } from "./journey.mjs";

// readSource looks an event up, waits until its page shows frames of the source, and
// reads the page. text is the file. It returns the address of the event and its issue.
export function readSource(tabs, { want, text, ...command }, problems) {
  return visit(tabs, command, problems, async (page, person) => {
    const at = new URL(`/events/${want.eventId}`, command.url).href;
    const frame = page.locator("section.exception").first().locator(".frame", { has: page.locator(".function", { hasText: want.function }) });
    await page.goto(at);
    for (const until = Date.now() + 20_000; (await frame.count()) === 0 && Date.now() < until; await page.goto(at)) {
      await page.waitForTimeout(250);
    }
    await hasException(page, person, want);
    await person.reads(frame.locator(".place"), text, "the file of the call");
    await person.reads(page.locator("#maps"), "read from the source", "what is said of source maps");
    const event = page.url();
    await page.goto(`${event}?as=sent`);
    await person.reads(page.locator("section.exception").first().locator(".frame .place").first(), "main.js", "the call as it was sent");
    return { event, ...(await readTitle(page, person, event, want)) };
  });
}

// readMinified looks an event up whose script has no source map and returns the same,
// after it has read why there is none: text.
export function readMinified(tabs, { want, text, ...command }, problems) {
  return visit(tabs, command, problems, async (page, person) => {
    await page.goto(new URL(`/events/${want.eventId}`, command.url).href);
    const event = page.url();
    await person.reads(page.locator("section.exception").first().locator(".note-unmapped"), "no source map", "the note of a call without a source");
    await page.getByRole("link", { name: "Explain each script" }).click();
    await person.reads(page.locator("#maps"), text, "what is said of source maps");
    await person.reads(page.locator("#maps .advice"), "What to do", "the advice");
    return { event, issue: issueOf(event) };
  });
}

// readTitle reads how an event's issue is called.
async function readTitle(page, person, event, want) {
  const issue = issueOf(event);
  await page.goto(issue);
  await person.reads(page.locator("h1"), `${want.type}: ${want.value}`, "the issue's heading");
  await person.reads(page.locator(".issue-head"), want.function, "the head of the issue, which names where it is");
  return { issue };
}

function issueOf(event) {
  return event.replace(/\/events\/.*$/, "");
}
