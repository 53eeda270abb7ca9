// What people are told of: they set up a rule, and follow a message to its issue.
import { refused, somebody } from "./person.mjs";
import { follow } from "./tabs.mjs";

// addAlertRule makes a rule about new and returning issues of an environment, and about
// numbers, which sends to one channel. It is mistyped first.
export function addAlertRule(tabs, { person: who, project, name, value: channel, text: environment }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(project + "/issues");
    await follow(page, page.getByRole("link", { name: "Settings", exact: true }));
    await follow(page, page.getByRole("link", { name: "Alerts" }));
    await follow(page, page.getByRole("link", { name: "Add a rule" }));
    await page.getByLabel("Name").fill(name);
    await page.getByLabel("comes back after it was resolved").check();
    await page.getByLabel("is seen").fill("often");
    await page.getByLabel("times in").selectOption({ label: "10 minutes" });
    await page.getByLabel("Other environments").fill(environment);
    await page.getByLabel("the level is").selectOption({ label: "error or above" });
    await page.getByLabel("these", { exact: true }).check();
    await page.getByLabel(channel, { exact: true }).check();
    const save = page.getByRole("button", { name: "Save" });
    await refused(page, problems, 422, () => follow(page, save));
    await person.reads(page.getByRole("alert"), "the number of events is a whole number", "why the rule comes back");
    await page.getByLabel("is seen").fill("3");
    await follow(page, save);
    await person.reads(page.getByRole("status"), "The rule is there.", "what is said of the new rule");
    const rule = page.locator(".alert-rules > li").filter({ hasText: name });
    await person.reads(rule, `is new, comes back after it was resolved or is seen 3 times in 10 minutes in ${environment} at level error or above: send to ${channel}`, "the new rule");
    return { at: page.url() };
  });
}

// deleteAlertRule deletes a rule of the list.
export function deleteAlertRule(tabs, { person: who, url, name }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(url);
    await remove(page, person, page.locator(".alert-rules > li").filter({ hasText: name }));
  });
}

async function remove(page, person, rule) {
  await follow(page, rule.getByRole("button", { name: "Delete" }));
  await person.reads(page.getByRole("status"), "The rule is deleted.", "what is said of the deleted rule");
  if ((await rule.count()) > 0) person.problem("the rule is still there");
}

// followMessage opens the address that a message brought, reads what is there and
// resolves the issue.
export function followMessage(tabs, { person: who, url, text }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(url);
    await person.reads(page.locator("h1"), text, "the heading of the message's issue");
    await follow(page, page.getByRole("button", { name: "Resolve", exact: true }).first());
    return { at: page.url() };
  });
}

// readAlerts reads the log of what was told: lines with these texts, the newest first,
// all of them sent. Then it switches the rule off and on, and deletes it.
export function readAlerts(tabs, { person: who, url, name, titles }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    const lines = page.locator(".alert-log > li").filter({ hasText: name });
    await page.goto(url);
    for (let left = 50; left > 0 && (await page.locator(".alert-log").innerText()).includes("waiting"); left--) {
      await page.waitForTimeout(100);
      await page.goto(url);
    }
    for (const [i, title] of titles.entries()) {
      await person.reads(lines.nth(i), title, `line ${i + 1} of the log`);
      await person.reads(lines.nth(i).locator(".alert-fate"), "sent", `what became of line ${i + 1}`);
    }
    const rule = page.locator(".alert-rules > li").filter({ hasText: name });
    await person.reads(rule, `told ${titles.length} times`, "how often the rule told");
    await follow(page, rule.getByRole("button", { name: "Switch off" }));
    await person.reads(rule, "off", "the rule that is switched off");
    await follow(page, rule.getByRole("button", { name: "Switch on" }));
    await remove(page, person, rule);
  });
}
