// What somebody does who has a question that no page answers.
import { readFile } from "node:fs/promises";

import { refused, somebody } from "./person.mjs";
import { follow } from "./tabs.mjs";

// askSQL finds the page of SQL by the menu, is told what is wrong with a statement, runs
// one, saves it and runs it from the list, and downloads its answer.
export function askSQL(tabs, { person: who, url, text, value, refusal, name }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(url);
    await page.locator("header summary").click();
    await follow(page, page.locator("header .menu").getByRole("link", { name: "SQL", exact: true }));
    const statement = page.getByLabel("Statement");
    const run = page.locator(".sql-form").getByRole("button", { name: "Run", exact: true });
    await statement.fill("SELECT wrong FROM issues");
    await refused(page, problems, 422, () => follow(page, run));
    await person.reads(page.locator(".sql-form [role=alert]"), refusal, "what is wrong with the statement");
    await statement.fill(text);
    await follow(page, run);
    await person.reads(page.locator(".sql-result tbody"), value, "the answer");
    await page.getByText("Save it", { exact: true }).click();
    await page.getByLabel("Name", { exact: true }).fill(name);
    await follow(page, page.getByRole("button", { name: "Save", exact: true }));
    await follow(page, page.getByRole("button", { name: `Run the query “${name}”` }));
    await person.reads(page.locator(".sql-result tbody"), value, "the answer to the saved query");
    const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Download CSV" }).click()]);
    return { files: { [download.suggestedFilename()]: (await readFile(await download.path())).toString("base64") } };
  });
}
