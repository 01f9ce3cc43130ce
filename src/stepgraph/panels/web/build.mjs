// Writes ../static/panel.js (the panel) and ../static/viz.js (Graphviz for pages whose kernel has no `dot`).
import { readFile } from "node:fs/promises";
import { build, transform } from "esbuild";

const styles = {
  name: "styles as minified text",
  setup(bundle) {
    bundle.onLoad({ filter: /\.css$/ }, async ({ path }) => {
      const { code } = await transform(await readFile(path, "utf8"), { loader: "css", minify: true, target: "es2022" });
      return { contents: shortened(code.trim()), loader: "text" };
    });
  },
};
/** With short names for our own variables, of which no script knows, and a sign for what comes hundreds of times: see `panel.ts`. */
function shortened(css) {
  if (/[\^$]/.test(css)) throw new Error("panel.css has a ^ or $, which stand for something else in the bundle");
  const names = [...new Set(css.match(/--sg-[\w-]+/g))];
  return css.replace(/--sg-[\w-]+/g, (name) => `--s${names.indexOf(name).toString(36)}`).replaceAll(".sg-", "^").replaceAll("var(--s", "$");
}

const common = { bundle: true, minify: true, target: "es2022", legalComments: "none", charset: "utf8", logLevel: "warning" };

await build({ ...common, entryPoints: ["src/index.ts"], outfile: "../static/panel.js", format: "esm", plugins: [styles] });
await build({ ...common, entryPoints: ["src/viz-worker.ts"], outfile: "../static/viz.js", format: "iife" });
