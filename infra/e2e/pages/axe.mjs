// What axe-core finds wrong with a page: contrast, names of controls, headings,
// tables, landmarks. It is run in the page's own world by the driver, so that the
// Content-Security-Policy stays as it is.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// findBarriers reports every violation of WCAG 2.2 A and AA and of axe's best
// practices on a page, or of some of their rules, with the first elements that break
// the rule.
export async function findBarriers(page, { only, without = [] }, report) {
  if (!(await page.evaluate(() => "axe" in globalThis))) await page.evaluate(source);
  const runOnly = only ?? ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
  const rules = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
  const violations = await page.evaluate(async (how) => {
    const { violations } = await globalThis.axe.run(document, { ...how, resultTypes: ["violations"] });
    return violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.slice(0, 3).map((node) => node.target.join(" ")) }));
  }, { runOnly, rules });
  for (const { id, help, at } of violations) report(`${id}: ${help}: ${at.join(", ")}`);
}
