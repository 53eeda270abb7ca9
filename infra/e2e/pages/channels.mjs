// Where messages go: people set up channels and try them.
import { refused, somebody } from "./person.mjs";
import { follow } from "./tabs.mjs";

// addChannel adds a channel of a kind, which leads to an address, sends a test message
// by it and reads what came of that. It returns the secret that was shown, if any.
export function addChannel(tabs, { person: who, project, value: kind, name, url, text, state }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await openForm(page, project, kind);
    await page.getByLabel("Name", { exact: false }).fill(name);
    await page.getByLabel("address", { exact: false }).fill(url);
    await follow(page, page.getByRole("button", { name: "Save" }));
    await person.reads(page.locator("main"), "The channel is there", "the page of the new channel");
    const shown = page.locator("#new-secret");
    const link = (await shown.count()) > 0 ? (await shown.innerText()).trim() : "";

    await follow(page, page.getByRole("button", { name: "Send a test message" }));
    await person.reads(page.getByRole("status"), text, "what came of the test");
    await follow(page, page.getByRole("navigation", { name: "Settings" }).getByRole("link", { name: "Channels" }));
    await person.reads(page.locator(".channels > li").filter({ hasText: name }), state, "the list of channels");
    await follow(page, page.getByRole("link", { name }));
    return { link, at: page.url() };
  });
}

// refuseChannel tries to add a channel that leads where it must not.
export function refuseChannel(tabs, { person: who, project, value: kind, name, url, text }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await openForm(page, project, kind);
    await page.getByLabel("Name", { exact: false }).fill(name);
    await page.getByLabel("address", { exact: false }).fill(url);
    await refused(page, problems, 422, () => follow(page, page.getByRole("button", { name: "Save" })));
    await person.reads(page.getByRole("alert"), text, "why the channel is refused");
  });
}

// retryMessage tries a message of a channel again that was given up, and waits until it
// is sent.
export function retryMessage(tabs, { person: who, url }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(url);
    await follow(page, page.getByRole("button", { name: "Try “Test message” again" }));
    const newest = page.locator(".channel-messages > li").first();
    for (let left = 50; left > 0 && !(await newest.innerText()).includes("sent"); left--) {
      await page.waitForTimeout(100);
      await page.goto(url);
    }
    await person.reads(newest, "sent", "the newest message");
  });
}

async function openForm(page, project, kind) {
  await page.goto(project + "/issues");
  await follow(page, page.getByRole("link", { name: "Settings", exact: true }));
  await follow(page, page.getByRole("link", { name: "Channels" }));
  await follow(page, page.getByRole("link", { name: kind, exact: true }));
}
