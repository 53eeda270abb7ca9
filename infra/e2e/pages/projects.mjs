// What people do with projects and lists of issues.
import { refused, somebody } from "./person.mjs";
import { follow, pathname } from "./tabs.mjs";

// startProject makes a project on the start page and stays on its set-up page.
export function startProject(tabs, { person: who, url, name }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(url);
    await page.getByLabel("New project").fill(name);
    await follow(page, page.getByRole("button", { name: "Create" }));
    await person.reads(page.locator("h1"), name, "the heading");
    await person.sees(page.getByText("Waiting for the first event"), "the note that nothing was sent yet");
    return { dsn: (await page.locator("code.select").first().innerText()).trim(), at: page.url() };
  });
}

// awaitFirstEvent is on a set-up page after an event was sent, and gets to the event's
// issue: with scripts by waiting.
export function awaitFirstEvent(tabs, { person: who, text }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    if (who.plain) {
      await follow(page, page.getByRole("link", { name: "Check again" }));
      await person.sees(page.getByText("1 event received"), "the note that the event came");
      await follow(page, page.getByRole("link", { name: "View issues" }));
      await follow(page, page.locator("a.issue-title").first());
    } else {
      await page.waitForURL((to) => !to.pathname.endsWith("/setup"));
      await page.waitForLoadState();
    }
    await person.reads(page.locator("main"), text, "where the first event led to");
    return { at: page.url() };
  });
}

// search types each query into a list's box and reads the titles, or what is wrong.
export function search(tabs, { person: who, issues, searches }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    for (const { query, environment, titles, wrong } of searches) {
      await page.goto(issues);
      const box = page.getByRole("searchbox", { name: "Search issues" });
      if (who.plain) await box.focus();
      else await page.keyboard.press("/");
      await box.fill(query);
      const press = () => Promise.all([page.waitForEvent("load"), page.keyboard.press("Enter")]);
      if (wrong) {
        await refused(page, problems, 422, press);
        await person.reads(page.locator("#query-error mark"), wrong, `what is marked in ${query}`);
        continue;
      }
      await press();
      if (environment) await choose(page, who, "Environment", environment);
      const shown = (await page.locator("a.issue-title").allInnerTexts()).map((title) => title.trim()).sort();
      if (shown.join() !== [...titles].sort().join()) person.problem(`${query} in ${environment ?? "all"} finds ${JSON.stringify(shown)}, want ${JSON.stringify(titles)}`);
    }
  });
}

// choose takes a choice beside the box; without scripts it has to be sent.
async function choose(page, who, name, value) {
  const select = page.locator("form.search").getByLabel(name);
  if (who.plain) {
    await select.selectOption(value);
    await follow(page, page.getByRole("button", { name: "Search", exact: true }));
    return;
  }
  await Promise.all([page.waitForEvent("load"), select.selectOption(value)]);
}

// saveSearch saves a search, deletes it, takes that back, and deletes it for good.
export function saveSearch(tabs, { person: who, issues, value: query, name }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    const saved = page.getByRole("list", { name: "Saved searches" }).getByRole("link", { name });
    const remove = page.getByRole("button", { name: `Delete the search “${name}”` });
    await page.goto(`${issues}?q=${encodeURIComponent(query)}`);
    await page.getByText("Save this search").click();
    await page.locator("details.save").getByLabel("Name").fill(name);
    await follow(page, page.locator("details.save").getByRole("button", { name: "Save" }));
    await page.goto(issues);
    await follow(page, saved);
    const now = new URL(page.url()).searchParams.get("q");
    if (now !== query) person.problem(`the saved search asks for ${now}, want ${query}`);
    await follow(page, remove);
    await follow(page, page.getByRole("button", { name: "Undo" }));
    await person.sees(saved, "the search that was taken back");
    await follow(page, remove);
    if (await saved.count()) person.problem(`${pathname(page.url())}: the deleted search is still there`);
  });
}
