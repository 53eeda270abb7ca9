// What admins do about how long things are kept, and about people's data.
import { somebody } from "./person.mjs";
import { follow } from "./tabs.mjs";

// The program removes in the background.
const removed = 30_000;

// again opens an address until what its page says is right.
async function again(page, address, right) {
  for (const late = Date.now() + removed; ; ) {
    await page.goto(address);
    const said = await page.locator("main").innerText();
    if (right(said) || Date.now() > late) return;
    await page.waitForTimeout(500);
  }
}

// keepAtMost has an admin find how much a project keeps, say otherwise, and see that
// the rest goes.
export function keepAtMost(tabs, { person: who, project, value, issue }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(project + "/issues");
    await follow(page, page.getByRole("link", { name: "Settings", exact: true }));
    await follow(page, page.getByRole("link", { name: "Retention", exact: true }));
    await page.getByLabel("A number of events of this project's own").check();
    await page.getByLabel("events", { exact: true }).fill(value);
    await follow(page, page.getByRole("button", { name: "Save" }));
    await person.reads(page.getByRole("status").first(), "Saved", "what the page says");
    const main = page.locator("main");
    const left = Math.floor(value * 0.95);
    await again(page, project + "/settings/retention", (said) => said.includes(`${left} events of this project are stored`));
    await person.reads(main, `${left} events of this project are stored`, "how much is stored");
    await page.goto(issue);
    await person.reads(main, "Event ", "the issue's newest event");
    await follow(page, page.getByRole("link", { name: "First", exact: true }));
    await person.reads(main, "Event 1", "the issue's first event");
  });
}

// removePerson has an admin search for what is stored about somebody, download it, and
// have it removed.
export function removePerson(tabs, { person: who, url: at, email, text: events }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(at);
    const main = page.locator("main");
    await page.getByLabel("Its value").fill(email);
    await follow(page, page.getByRole("button", { name: "Search" }));
    await again(page, at, (said) => said.includes("Found: "));
    await person.reads(main, `Found: ${events}`, "what is found");
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("link", { name: "Download the events" }).click()]);
    if (!download.suggestedFilename().endsWith(".json")) person.problem(`the file is called ${download.suggestedFilename()}`);
    await follow(page, page.getByRole("button", { name: "Remove all of it" }));
    await again(page, at, (said) => !said.includes(email));
    await person.reads(main, `: ${events}`, "what was removed");
    if ((await main.innerText()).includes(email)) person.problem("the page still says whom it was about");
  });
}
