// Files that came with an event.
import { readFile } from "node:fs/promises";

import { watchRequests } from "./tabs.mjs";

// downloadAll opens an event's page, whose feedback must have a text, and saves every
// file that it offers, by the names that the browser gives to them.
export function downloadAll(tabs, { url, text }, problems) {
  return tabs.with("downloads", { watch: watchRequests }, problems, async (page) => {
    await page.goto(url);
    const feedback = await page.locator("#feedback").innerText();
    if (!feedback.includes(text)) problems.push(`the feedback is ${JSON.stringify(feedback)}, without ${JSON.stringify(text)}`);
    const files = {};
    for (const link of await page.locator("#attachments a[download], #feedback a[download]").all()) {
      const [download] = await Promise.all([page.waitForEvent("download"), link.click()]);
      files[download.suggestedFilename()] = (await readFile(await download.path())).toString("base64");
    }
    if (page.url() !== url && !(await page.locator("#attachments").count())) problems.push(`a file was shown at ${page.url()}`);
    return { files };
  });
}
