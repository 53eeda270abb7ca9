// What admins do with a project.
import { refused, somebody } from "./person.mjs";
import { follow } from "./tabs.mjs";

// changeProject renames a project, gives it another key in place of the first, and
// records a deploy of a release. It returns the new key's DSN.
export function changeProject(tabs, { person: who, project, name, release }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(project + "/issues");
    await follow(page, page.getByRole("link", { name: "Settings", exact: true }));
    await page.locator("main").getByLabel("Name", { exact: true }).fill(name);
    await follow(page, page.getByRole("button", { name: "Save" }));
    await person.reads(page.locator("h1"), name, "the heading after the change of the name");

    await follow(page, page.getByRole("link", { name: "Keys" }));
    await page.getByLabel("Name of the key").fill("Mobile app");
    await follow(page, page.getByRole("button", { name: "Add key" }));
    const keys = page.locator(".keys > li");
    const added = keys.filter({ hasText: "Mobile app" });
    const dsn = (await added.locator("code.select").innerText()).trim();
    await follow(page, keys.filter({ hasNotText: "Mobile app" }).getByRole("button", { name: "Disable" }));
    await person.reads(keys.filter({ hasNotText: "Mobile app" }), "disabled", "the first key");

    await follow(page, page.getByRole("link", { name: "Allowed domains" }));
    await save(page, person, problems, "Allowed domains", "https://*:nonsense", "nonsense");
    await save(page, person, problems, "Allowed domains", "shop.example.com\n*.example.org");
    await follow(page, page.getByRole("link", { name: "Grouping" }));
    await save(page, person, problems, "Fingerprint rules", "type:StockError stock", "Line 1");
    await page.getByLabel("Fingerprint rules").fill("type:StockError -> stock");
    await follow(page, page.getByRole("button", { name: "Try on recent issues" }));
    await person.reads(page.locator(".tried"), "StockError", "what the rule matches");
    await save(page, person, problems, "Fingerprint rules", "type:NothingLikeIt -> nothing");

    await follow(page, page.getByRole("link", { name: "Releases", exact: true }));
    await follow(page, page.getByRole("link", { name: release }));
    await page.getByText("Record a deploy").click();
    await page.getByLabel("Environment").fill("production");
    await follow(page, page.getByRole("button", { name: "Record", exact: true }));
    await person.reads(page.locator(".deploys"), "production", "the release's deploys");
    return { dsn };
  });
}

// save fills a field of the settings and saves it: with what is wrong the form comes
// back and says so, else the field keeps what was written.
async function save(page, person, problems, label, text, wrong) {
  await page.getByLabel(label).fill(text);
  const press = () => follow(page, page.getByRole("button", { name: "Save", exact: true }));
  if (wrong) {
    await refused(page, problems, 422, press);
    await person.reads(page.getByRole("alert"), wrong, `what is said of ${text}`);
  } else {
    await press();
  }
  const kept = await page.getByLabel(label).inputValue();
  if (kept.trim() !== text) person.problem(`${label} has ${JSON.stringify(kept)} after saving ${JSON.stringify(text)}`);
}

// deleteProject deletes a project, for which its name has to be typed, and takes that
// back.
export function deleteProject(tabs, { person: who, url, project, name }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(project + "/settings");
    await follow(page, page.getByRole("link", { name: "Delete…" }));
    await page.getByLabel("Type the project's name").fill(name);
    await follow(page, page.getByRole("button", { name: "Delete the project" }));
    await page.goto(new URL("/projects/deleted", url).href);
    await follow(page, page.getByRole("button", { name: `Restore ${name}` }));
    await page.goto(project + "/issues");
    await person.reads(page.locator("h1"), name, "the heading of the restored project");
  });
}
