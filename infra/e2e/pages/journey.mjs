// What people do in the dashboard: make a project, find an event, read it, resolve
// its issue and open it again. With {"plain": true} they do it without JavaScript.
import { Reader } from "./reader.mjs";
import { follow, watch } from "./tabs.mjs";

// visit calls act(page, person) with the page of a person who uses the dashboard.
export function visit(tabs, { plain = false }, problems, act) {
  const kind = { options: { javaScriptEnabled: !plain }, watch };
  return tabs.with(plain ? "plain" : "usual", kind, problems, (page) => act(page, new Reader(page, problems)));
}

// createProject makes a project on the start page and returns the DSN that its
// set-up page shows.
export function createProject(tabs, command, problems) {
  return visit(tabs, command, problems, async (page, person) => {
    await page.goto(command.url);
    await page.getByLabel("New project").fill(command.name);
    await follow(page, page.getByRole("button", { name: "Create" }));
    await person.reads(page.locator("h1"), command.name, "the heading");
    await person.sees(page.getByText("Waiting for the first event"), "the note that nothing was sent yet");
    const dsn = page.locator("code.select");
    await person.sees(dsn, "the DSN");
    return { dsn: (await dsn.first().innerText()).trim() };
  });
}

// readEvent looks an event up by its id, reads its page, goes to the issue list
// above and from there to the issue. It returns the addresses of the three.
export function readEvent(tabs, { want, ...command }, problems) {
  return visit(tabs, command, problems, async (page, person) => {
    await page.goto(new URL(`/events/${want.eventId}`, command.url).href);
    const event = page.url();
    await hasException(page, person, want);
    await hasScope(page, person, want);

    await follow(page, page.getByRole("navigation", { name: "Breadcrumbs" }).getByRole("link").nth(1));
    const issues = page.url();
    const title = page.locator("a.issue-title", { hasText: want.type }).filter({ hasText: want.value }).first();
    if (!(await person.sees(title, `the issue "${want.type}: ${want.value}"`))) return { event, issues };
    await follow(page, title);
    await person.reads(page.locator("h1"), want.value, "the issue's heading");
    await hasException(page, person, want);
    return { event, issues, issue: page.url() };
  });
}

// hasException reads what went wrong in the event that a page shows.
export async function hasException(page, person, want) {
  await person.reads(page.locator(".event-head"), want.eventId, "the event's id");
  const thrown = page.locator("section.exception").first();
  await person.reads(thrown.locator("h3"), want.type, "the exception's type");
  await person.reads(thrown.locator(".said"), want.value, "the exception's value");
  if (want.handled) await person.reads(thrown.locator("h3 .note"), want.handled, "whether it was handled");
  if (want.cause) {
    const cause = page.locator("section.exception", { has: page.locator("h3", { hasText: want.cause }) });
    await person.reads(cause.locator(".relation"), "Caused by", `the relation of ${want.cause}`);
    await person.reads(cause.locator(".said"), want.causeValue, `the value of ${want.cause}`);
  }
  await hasFrame(page, person, thrown, want);
}

// hasScope reads what the program said about its circumstances.
async function hasScope(page, person, want) {
  await person.reads(page.locator("#breadcrumbs"), want.breadcrumb, "the breadcrumbs");
  for (const text of want.user) await person.reads(page.locator("#user"), text, "the user");
  for (const [key, value] of Object.entries(want.tags)) {
    const tag = page.locator("#tags li", { has: page.locator(".tag-key", { hasText: exactly(key) }) });
    await person.reads(tag, value, `the tag ${key}`);
  }
  for (const [key, value] of Object.entries(want.facts)) {
    await person.reads(field(page.locator("#facts"), key), value, key);
  }
  if (want.request) await person.reads(page.locator("#request"), want.request, "the request");
}

// hasFrame reads the call in which it happened: it must be unfolded, with the
// source and the local variables that the SDK sent.
async function hasFrame(page, person, thrown, want) {
  const frame = thrown.locator(".frame.in-app", { has: page.locator(".function", { hasText: exactly(want.function) }) }).first();
  if (!(await person.sees(frame.locator(".function"), `the in-app call ${want.function}`))) return;
  if (want.source) await person.reads(frame.locator(".source mark"), want.source, `the source of ${want.function}`);
  for (const [name, value] of Object.entries(want.variables ?? {})) {
    await person.reads(field(frame.locator(".vars"), name), value, `the local variable ${name}`);
  }
}

// setState presses an issue's button "Resolve" or "Reopen", and reads the issue and
// the list afterwards.
export function setState(tabs, { issue, issues, button, state, ...command }, problems) {
  return visit(tabs, command, problems, async (page, person) => {
    await page.goto(issue);
    await follow(page, page.locator(".acts").getByRole("button", { name: button, exact: true }));
    await hasState(page, person, { issue, issues, state });
  });
}

// readState reads an issue's state and the newest entry of its history.
export function readState(tabs, { issue, issues, state, history, ...command }, problems) {
  return visit(tabs, command, problems, async (page, person) => {
    await page.goto(issue);
    await person.reads(page.locator(".history .entry").first(), history, "the newest entry of the history");
    await hasState(page, person, { issue, issues, state });
  });
}

// hasState reads the issue's page, which must be open, and the lists: an issue
// is in the list of its state and not in the other.
async function hasState(page, person, { issue, issues, state }) {
  const here = new URL(page.url()).pathname;
  const other = state === "resolved" ? "open" : "resolved";
  await person.reads(page.locator(".issue-head .state"), state, "the issue's state");
  await person.sees(
    page.locator(".acts").getByRole("button", { name: state === "resolved" ? "Reopen" : "Resolve", exact: true }),
    "the button for the other state",
  );
  const path = new URL(issue).pathname;
  if (here !== path) person.problem(`the button led to ${here}, want ${path}`);
  for (const tab of [state, other]) {
    await page.goto(`${issues}?q=is:${tab === "open" ? "unresolved" : tab}`);
    const listed = await page.locator(`a.issue-title[href="${path}"]`).count();
    if ((listed > 0) !== (tab === state)) person.problem(`the ${state} issue is ${listed > 0 ? "" : "not "}in the list of ${tab} ones`);
  }
}

// field is the value that a list of names and values shows for a name.
function field(list, name) {
  return list.locator("dl.fields > div", { has: list.page().locator("dt", { hasText: exactly(name) }) }).locator("dd");
}

// exactly matches an element whose whole text it is.
function exactly(text) {
  return new RegExp(`^\\s*${text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}\\s*$`);
}
