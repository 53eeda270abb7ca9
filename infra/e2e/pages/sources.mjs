// What people see of errors in minified scripts.
import { hasException, visit } from "./journey.mjs";

// readSource looks an event up, waits until its page shows frames of the source and it is
// in an issue, if that is said, and reads the page. text is the file. It returns the
// address of the event and its issue.
export function readSource(tabs, { want, text, issue, ...command }, problems) {
  return visit(tabs, command, problems, async (page, person) => {
    const at = new URL(`/events/${want.eventId}`, command.url).href;
    const frame = page.locator("section.exception").first().locator(".frame", { has: page.locator(".function", { hasText: want.function }) });
    const there = async () => (await frame.count()) > 0 && (!issue || (await issueOf(page)) === issue);
    await page.goto(at);
    for (const until = Date.now() + 20_000; !(await there()) && Date.now() < until; await page.goto(at)) {
      await page.waitForTimeout(250);
    }
    if (!(await there())) person.problem(`the event is in ${await issueOf(page)}, want ${issue || "any"}, with a call of ${want.function}`);
    await hasException(page, person, want);
    await person.reads(frame.locator(".place"), text, "the file of the call");
    await person.reads(page.locator("#maps"), "read from the source", "what is said of source maps");
    const event = page.url();
    await page.goto(`${event}?as=sent`);
    await person.reads(page.locator("section.exception").first().locator(".frame .place").first(), "main.js", "the call as it was sent");
    return { event, issue: await readTitle(page, person, want) };
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
    return { event, issue: await issueOf(page) };
  });
}

// readTitle reads how the issue of the event is called that a page shows, and returns its
// address.
async function readTitle(page, person, want) {
  const issue = await issueOf(page);
  await page.goto(issue);
  await person.reads(page.locator("h1"), `${want.type}: ${want.value}`, "the issue's heading");
  await person.reads(page.locator(".issue-head"), want.function, "the head of the issue, which names where it is");
  return issue;
}

// issueOf is the address of the issue whose event a page shows: where the one leads that
// the event came with, which may be part of another by now.
async function issueOf(page) {
  return (await page.request.get(page.url().replace(/\/events\/.*$/, ""))).url();
}
