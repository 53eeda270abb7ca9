// What people do with issues: one by one, several at once, and by keys.
import { refused, somebody } from "./person.mjs";
import { follow, pathname } from "./tabs.mjs";

// workOn goes through everything that can be done to the issues of a list, each with
// the way back, and leaves them as they were.
export function workOn(tabs, { person: who, issues, titles, deletes }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    const list = new List(page, person, issues);
    const [first, second, third] = titles;
    await list.open(titles.length);
    await follow(page, list.title(first));
    await decide(page, person);
    await assignAndComment(page, person, who);
    await takePermalink(page, person);
    await mergeAndPart(list, first, second, titles.length);
    await list.choose(first, third);
    await follow(page, list.bar.getByRole("button", { name: "Resolve", exact: true }));
    await list.holds(titles.length - 2, "resolving two");
    await undo(page, person);
    await list.holds(titles.length, "taking that back");
    if (deletes) await deleteAndRestore(list, third, titles.length, problems);
    if (!who.plain && who.look === "light") await useKeys(list, titles.length);
  });
}

// List is a list of issues.
class List {
  constructor(page, person, url) {
    Object.assign(this, { page, person, url, bar: page.locator("form.bulk") });
  }

  async open(count) {
    await this.page.goto(this.url);
    await this.holds(count, "opening it");
  }

  title(text) {
    return this.page.locator("a.issue-title", { hasText: text });
  }

  async choose(...titles) {
    for (const title of titles) {
      await this.page.locator("table.issues tbody tr", { has: this.title(title) }).getByRole("checkbox").check();
    }
  }

  async holds(count, what) {
    const n = await this.page.locator("a.issue-title").count();
    if (n !== count) this.person.problem(`${what} leaves ${n} issues in the list, want ${count}`);
  }
}

// decide resolves and mutes in every way, and takes each back.
async function decide(page, person) {
  await pick(page, "Resolve in a release", "Resolve", (menu) => menu.getByLabel("In release").selectOption({ index: 0 }));
  await person.reads(page.locator(".decided"), "Resolved in shop@1.", "the state");
  await follow(page, page.getByRole("button", { name: "Reopen" }));
  await pick(page, "Resolve in a release", "In the next release");
  await person.reads(page.locator(".decided"), "Resolved in the next release", "the state");
  await follow(page, page.getByRole("button", { name: "Reopen" }));
  await person.reads(page.locator(".eyebrow"), "open", "the state after reopening");
  await pick(page, "Mute", "1 day");
  await person.reads(page.locator(".decided"), "Muted until ", "the state");
  await follow(page, page.getByRole("button", { name: "Unmute" }));
  await pick(page, "Mute", "Mute", async (menu) => {
    await menu.getByLabel("Number of events").fill("7");
    await menu.getByLabel("Within").selectOption("day");
  });
  await person.reads(page.locator(".decided"), "Muted until 7 events in a day", "the state");
  await follow(page, page.getByRole("button", { name: "Unmute" }));
  await pick(page, "Mute", "It gets worse");
  await person.reads(page.locator(".decided"), "Muted until it gets worse", "the state");
  await follow(page, page.getByRole("button", { name: "Unmute" }));
  await person.reads(page.locator(".eyebrow"), "open", "the state after unmuting");
}

// pick opens a menu of the issue, fills it in, and presses a button in it.
async function pick(page, menu, button, fill = () => {}) {
  const drop = page.locator(".acts details.drop", { has: page.locator("summary", { hasText: menu }).or(page.locator(`summary[aria-label="${menu}"]`)) });
  await drop.locator("summary").click();
  await fill(drop);
  await follow(page, drop.getByRole("button", { name: button, exact: true }));
}

async function assignAndComment(page, person, who) {
  const assigned = page.locator(".stats > div", { hasText: "Assigned to" });
  await pick(page, "Assign", "Assign", (menu) => menu.getByRole("combobox").selectOption({ index: 0 }));
  await person.reads(assigned, "#", "the team that it is assigned to");
  await pick(page, "Assign", "Me");
  await person.reads(assigned, who.plain ? "Ada" : who.name, "who it is assigned to");
  await page.getByLabel("Comment", { exact: true }).fill("It is **the provider**, see <b onclick=alert(1)>status</b>");
  await follow(page, page.getByRole("button", { name: "Comment" }));
  const comment = page.locator("#history .prose").first();
  await person.reads(comment.locator("strong"), "the provider", "what is bold in the comment");
  await person.reads(comment, "<b onclick=alert(1)>", "the comment's HTML, which is text");
  await person.reads(page.locator("#history"), "Muted until it gets worse", "the history");
  await follow(page, page.locator("#history").getByRole("link", { name: "Edit" }));
  await page.getByLabel("Your comment").fill("It is **the network**");
  await follow(page, page.getByRole("button", { name: "Save" }));
  await person.reads(comment.locator("strong"), "the network", "what is bold in the changed comment");
  await follow(page, page.locator("#history").getByRole("button", { name: "Delete" }));
  await follow(page, page.locator(".taken-back").getByRole("button", { name: "Undo" }));
  await person.reads(comment.locator("strong"), "the network", "the comment that was deleted and is back");
}

// takePermalink follows the issue's short id.
async function takePermalink(page, person) {
  const issue = pathname(page.url());
  await follow(page, page.locator("a.id"));
  if (pathname(page.url()) !== issue) person.problem(`the permanent address leads to ${pathname(page.url())}, want ${issue}`);
}

async function undo(page, person) {
  const button = page.locator(".deed").getByRole("button", { name: "Undo" });
  if (await person.sees(button, "the way back")) await follow(page, button);
}

// mergeAndPart makes one issue of two and two of one.
async function mergeAndPart(list, one, other, count) {
  const { page, person } = list;
  await list.open(count);
  await list.choose(one, other);
  const merge = list.bar.getByRole("button", { name: "Merge", exact: true });
  if (!(await merge.isVisible())) await list.bar.getByText("More", { exact: true }).click();
  await follow(page, merge);
  await page.goto(list.url);
  await list.holds(count - 1, "merging");
  await follow(page, list.title(one).or(list.title(other)));
  await page.locator(".acts").getByText("More", { exact: true }).click();
  await follow(page, page.getByRole("link", { name: "Merge or take apart…" }));
  await page.locator("#members").getByRole("checkbox").check();
  await follow(page, page.getByRole("button", { name: "Make them issues of their own again" }));
  await person.sees(page.locator("[data-deed], .notice"), "what was done");
  await list.open(count);
}

async function deleteAndRestore(list, title, count, problems) {
  const { page, person } = list;
  await follow(page, list.title(title));
  const issue = page.url();
  await page.locator(".acts").getByText("More", { exact: true }).click();
  await follow(page, page.locator(".acts").getByRole("button", { name: "Delete" }));
  await list.open(count - 1);
  await refused(page, problems, 410, () => page.goto(issue));
  await person.reads(page.locator("h1"), "was deleted", "the heading of a deleted issue");
  await follow(page, page.getByRole("button", { name: "Undo the deletion" }));
  await list.open(count);
}

// useKeys resolves the second issue of the list without a pointer, and asks for help.
async function useKeys(list, count) {
  const { page, person } = list;
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("e")]);
  await list.holds(count - 1, "the key e");
  await undo(page, person);
  await page.keyboard.press("?");
  const help = page.getByRole("dialog", { name: "Keyboard shortcuts" });
  await help.waitFor();
  await page.keyboard.press("Escape");
  await help.waitFor({ state: "detached" }); // keys are the dialog's until then
  await page.keyboard.press("j");
  await Promise.all([page.waitForEvent("load"), page.keyboard.press("o")]);
  await person.sees(page.locator(".issue-head"), "the issue that the key o opens");
}
