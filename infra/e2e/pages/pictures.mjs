// Screenshots for people to look at.
import { mkdir } from "node:fs/promises";
import { join } from "node:path";

import { findBarriers } from "./axe.mjs";
import { watch } from "./tabs.mjs";

const desk = { width: 1280, height: 900 };
const looks = {
  light: { viewport: desk, colorScheme: "light" },
  dark: { viewport: desk, colorScheme: "dark" },
  phone: { viewport: { width: 390, height: 844 }, colorScheme: "light", deviceScaleFactor: 2, isMobile: true, hasTouch: true },
};

// takePictures photographs each of pages, a name with an address, in every look,
// and reports pages that are wider than the screen or that axe-core objects to.
export async function takePictures(tabs, { pages, directory }, problems) {
  await mkdir(directory, { recursive: true });
  for (const [look, options] of Object.entries(looks)) {
    await tabs.with(look, { options, watch }, problems, async (page) => {
      for (const [name, url] of Object.entries(pages)) {
        await page.goto(url);
        const width = await page.evaluate(() => Math.max(document.documentElement.scrollWidth, window.innerWidth));
        if (width > options.viewport.width) {
          problems.push(`${name}, ${look}: ${width} pixels wide on a screen of ${options.viewport.width}`);
        }
        await findBarriers(page, (barrier) => problems.push(`${name}, ${look}: ${barrier}`));
        await page.screenshot({ path: join(directory, `${look}-${name}.png`), fullPage: true });
      }
    });
  }
}
