// Reading a page as a person does: what cannot be seen is not there.
import { pathname } from "./tabs.mjs";

// Reader adds a sentence to problems for everything that is not as it should be.
// It does not wait, because pages are complete when they have loaded.
export class Reader {
  #page;
  #problems;

  constructor(page, problems) {
    this.#page = page;
    this.#problems = problems;
  }

  problem(text) {
    this.#problems.push(`${pathname(this.#page.url())}: ${text}`);
  }

  // sees reports unless the first match of locator can be seen.
  async sees(locator, what) {
    const found = await locator.count();
    if (found > 0 && (await locator.first().isVisible())) return true;
    this.problem(`${what} is ${found > 0 ? "hidden" : "missing"}`);
    return false;
  }

  // reads reports unless the first match of locator can be seen with text in it.
  async reads(locator, text, what) {
    if (!(await this.sees(locator, what))) return;
    const shown = (await locator.first().innerText()).trim();
    if (!shown.includes(text)) this.problem(`${what} is ${JSON.stringify(shown)}, want ${JSON.stringify(text)}`);
  }
}
