// What axe-core finds wrong with a page: contrast, names of controls, headings,
// tables, landmarks. It is run in the page's own world by the driver, so that the
// Content-Security-Policy stays as it is.
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";

const source = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

// findBarriers reports every violation of WCAG 2.2 A and AA and of axe's best
// practices on a page, with the first elements that break the rule.
export async function findBarriers(page, report) {
  await page.evaluate(source);
  const violations = await page.evaluate(async () => {
    const { violations } = await globalThis.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      resultTypes: ["violations"],
    });
    return violations.map(({ id, help, nodes }) => ({ id, help, at: nodes.slice(0, 3).map((node) => node.target.join(" ")) }));
  });
  for (const { id, help, at } of violations) report(`${id}: ${help}: ${at.join(", ")}`);
}
