package dashboard

import (
	"strings"

	"sundew/digester/store"
)

// toolGuide is how builds send source maps and releases, with a token or, if it is
// empty, without it. project is a slug, empty if the token is not of one.
func (d *Dashboard) toolGuide(token, project string) []setupStep {
	if token == "" {
		token = "…"
	}
	if project == "" {
		project = "my-project"
	}
	values := strings.NewReplacer("{token}", token, "{project}", project, "{org}", store.OrgSlug, "{url}", strings.TrimRight(d.cfg.PublicURL, "/"))
	steps := toolSteps()
	for i, s := range steps {
		steps[i].Code = values.Replace(s.Code)
	}
	return steps
}

func toolSteps() []setupStep {
	return []setupStep{
		{Title: "Give the build the token: it says where this installation is", Code: `export SENTRY_AUTH_TOKEN={token}
export SENTRY_PROJECT={project}`},
		{Title: "Send the built files with sentry-cli, before they are deployed", Code: `npx @sentry/cli sourcemaps inject ./dist
npx @sentry/cli sourcemaps upload --release my-app@1.0.0 ./dist`},
		{Title: "Or have Vite do it", Instead: true, File: "vite.config.js", Code: `import { sentryVitePlugin } from "@sentry/vite-plugin";

export default {
  build: { sourcemap: "hidden" },
` + plugins("sentryVitePlugin") + `
};`},
		{Title: "Or esbuild", Instead: true, File: "build.mjs", Code: `import { build } from "esbuild";
import { sentryEsbuildPlugin } from "@sentry/esbuild-plugin";

await build({
  entryPoints: ["src/main.ts"],
  outdir: "dist",
  bundle: true,
  minify: true,
  sourcemap: "external",
` + plugins("sentryEsbuildPlugin") + `
});`},
		{Title: "Or webpack", Instead: true, File: "webpack.config.js", Code: `const { sentryWebpackPlugin } = require("@sentry/webpack-plugin");

module.exports = {
  devtool: "hidden-source-map",
` + plugins("sentryWebpackPlugin") + `
};`},
	}
}

// plugins is what all bundlers have in their options, with the function of their plugin.
func plugins(plugin string) string {
	return `  plugins: [
    ` + plugin + `({
      url: "{url}",
      org: "{org}",
      project: "{project}",
      authToken: process.env.SENTRY_AUTH_TOKEN,
      release: { name: "my-app@1.0.0" },
      telemetry: false,
    }),
  ],`
}
