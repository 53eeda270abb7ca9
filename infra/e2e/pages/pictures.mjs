// Screenshots for people to look at.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { findBarriers } from "./axe.mjs";
import { watch } from "./tabs.mjs";

const desk = { width: 1280, height: 900 };
const phone = { viewport: { width: 390, height: 844 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true };

// looks are the screens that people have.
export const looks = {
  light: { viewport: desk, colorScheme: "light" },
  dark: { viewport: desk, colorScheme: "dark" },
  phone: { ...phone, colorScheme: "light" },
  night: { ...phone, colorScheme: "dark" },
};

// checks are axe-core's rules to run in a look: all, only these, or all but these. What
// does not depend on colours or widths is looked at once.
const checks = {
  light: {},
  dark: { only: ["color-contrast", "link-in-text-block"] },
  phone: { without: ["color-contrast", "link-in-text-block"] },
};

// takePictures photographs each of pages, a name with an address, in every look,
// as somebody who is signed in or as a stranger, and reports pages that are wider than the screen or that axe-core objects to.
export async function takePictures(tabs, { pages, directory, stranger }, problems) {
  await mkdir(directory, { recursive: true });
  const name = stranger ? "pictures for strangers" : "pictures";
  await tabs.with(name, { options: looks.light, watch, stranger }, problems, async (page) => {
    for (const [name, url] of Object.entries(pages)) {
      await page.emulateMedia({ colorScheme: "light" });
      await page.setViewportSize(looks.light.viewport);
      await page.goto(url);
      for (const look of ["light", "dark", "phone"]) {
        const { viewport, colorScheme } = looks[look];
        await page.emulateMedia({ colorScheme });
        await page.setViewportSize(viewport);
        for (const wide of await page.evaluate(findWide)) problems.push(`${name}, ${look}: wider than the screen: ${wide}`);
        await findBarriers(page, checks[look], (barrier) => problems.push(`${name}, ${look}: ${barrier}`));
        await page.screenshot({ path: join(directory, `${look}-${name}.png`), fullPage: true });
      }
    }
  });
}

// findWide runs in the page and names what sticks out of it at the right, but for what
// scrolls by itself.
function findWide() {
  const { clientWidth, scrollWidth } = document.documentElement;
  if (scrollWidth <= clientWidth) return [];
  const clipped = (element) => element && element !== document.body && (getComputedStyle(element).overflowX !== "visible" || clipped(element.parentElement));
  const wide = (element) => element.checkVisibility() && element.getBoundingClientRect().right > clientWidth + 1;
  const found = [...document.querySelectorAll("body *")].filter((element) => wide(element) && !clipped(element.parentElement));
  return [`${scrollWidth} pixels`, ...found.slice(0, 5).map((element) => `${element.tagName.toLowerCase()}.${element.className}`)];
}
