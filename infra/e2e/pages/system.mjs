// What an admin does who wants to know whether the installation is well.
import { somebody } from "./person.mjs";
import { follow } from "./tabs.mjs";

// readSystem goes to the page of the system by the menu, from the start page, and reads
// whether it works and what is wrong.
export function readSystem(tabs, { person: who, url, state, text }, problems) {
  return somebody(tabs, who, problems, async (page, person) => {
    await page.goto(url);
    await page.locator("header summary").click();
    await follow(page, page.locator("header").getByRole("link", { name: "System", exact: true }));
    await person.reads(page.locator("h1"), "System", "the heading");
    const verdict = page.getByRole("region", { name: "Whether it works" });
    await person.reads(verdict.locator(".verdict-head"), state, "whether it works");
    await person.reads(verdict, text, "what is wrong, or what is not");
    for (const part of ["Queue", "Digesting", "Storage", "Mail", "This process"]) {
      await page.getByRole("heading", { name: part, exact: true }).waitFor();
    }
    await follow(page, page.getByRole("link", { name: "Dead letters" }));
    await person.reads(page.locator("h1"), "Dead letters", "the heading behind the link");
  });
}
