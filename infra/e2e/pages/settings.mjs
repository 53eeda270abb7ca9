// What admins do with a project.
import { somebody } from "./person.mjs";
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

    await follow(page, page.getByRole("link", { name: "Releases", exact: true }));
    await follow(page, page.getByRole("link", { name: release }));
    await page.getByText("Record a deploy").click();
    await page.getByLabel("Environment").fill("production");
    await follow(page, page.getByRole("button", { name: "Record", exact: true }));
    await person.reads(page.locator(".deploys"), "production", "the release's deploys");
    return { dsn };
  });
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
