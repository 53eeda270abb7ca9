// Builds the page as its authors would: bundled, minified, with a source map. With a
// token, a plugin uploads the map. Settings come as JSON in the first argument.
import { sentryEsbuildPlugin as plugin11 } from "@sentry/bundler-plugins/esbuild";
import { sentryEsbuildPlugin as plugin5 } from "@sentry/esbuild-plugin";
import { build } from "esbuild";
import { mkdtemp, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

const { outdir, dsn, release, padding, plugin, url, org, project, authToken } = JSON.parse(process.argv[2]);

const options = { url, org, project, authToken, release: { name: release }, telemetry: false, errorHandler: (error) => { throw error; } };
const plugins = { "": [], 5: [() => plugin5(options)], 11: [() => plugin11(options)] }[plugin];

await build({
  entryPoints: [new URL("src/main.ts", import.meta.url).pathname],
  outdir,
  bundle: true,
  minify: true,
  sourcemap: true,
  logLevel: "warning",
  define: { DSN: JSON.stringify(dsn), RELEASE: JSON.stringify(release) },
  inject: padding ? [await moreCode()] : [],
  plugins: plugins.map((make) => make()),
});

// moreCode writes a file whose names are used so often that others get longer ones.
async function moreCode() {
  const names = Array.from({ length: padding }, (_, i) => `more${i}`);
  const file = join(await mkdtemp(join(tmpdir(), "padding-")), "more.js");
  const uses = Array.from({ length: 50 }, () => `[${names}]`);
  await writeFile(file, `${names.map((name) => `let ${name} = Math.random();`).join("\n")}\nglobalThis.more = [${uses}];\n`);
  return file;
}
