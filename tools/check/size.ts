// `pnpm check size`: the tooling must stay smaller than the product. See --help.
import { Command } from "commander";
import { globSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { generatedFiles } from "./generated.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
/** Tooling bytes per product byte: what was reached last, so that it only falls. The aim is 0.6. */
const LIMIT = 0.82;

const NOT_SOURCE = ["**/node_modules/**", "**/coverage/**", "**/dist/**", "**/package.json", "**/*.md"];

interface Kind {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

const PRODUCT: Kind = { include: ["services/**", "libs/**"], exclude: ["**/test/**"] };
const TOOLING: Kind = {
  include: ["tools/**", "tests/**", "bench/**", ".ci/**"],
  exclude: ["**/*.test.ts", "bench/results/**"],
};

/** Returns the bytes by folder, such as `services/auth`, the largest first. */
function sizesOf({ include, exclude }: Kind, generated: ReadonlySet<string>): Record<string, number> {
  const folders = new Map<string, number>();
  for (const file of globSync(include, { cwd: ROOT, exclude: [...NOT_SOURCE, ...exclude] })) {
    const stats = statSync(join(ROOT, file));
    if (!stats.isFile() || generated.has(file)) continue;
    const [top = "", second = ""] = file.split("/");
    const folder = ["bench", ".ci"].includes(top) ? top : `${top}/${second}`;
    folders.set(folder, (folders.get(folder) ?? 0) + stats.size);
  }
  return Object.fromEntries([...folders].toSorted(([, one], [, other]) => other - one));
}

async function checkSize({ json }: { readonly json?: boolean }): Promise<void> {
  const generated = new Set(await generatedFiles());
  const groups = { product: sizesOf(PRODUCT, generated), tooling: sizesOf(TOOLING, generated) };
  const sum = (sizes: Record<string, number>) => Object.values(sizes).reduce((total, size) => total + size, 0);
  const [product, tooling] = [sum(groups.product), sum(groups.tooling)];
  const ratio = tooling / product;
  const passed = ratio <= LIMIT;
  if (json) console.log(JSON.stringify({ product, tooling, ratio, limit: LIMIT, passed, folders: groups }));
  else {
    for (const [name, sizes] of Object.entries(groups))
      for (const [folder, size] of Object.entries(sizes))
        console.log(`${name}  ${folder.padEnd(22)} ${String(size).padStart(8)}  ${(size / product).toFixed(3)}`);
    console.log(`product ${product} bytes, tooling ${tooling} bytes, ratio ${ratio.toFixed(3)} (limit ${LIMIT})`);
    if (!passed) console.error("The tooling is too large. Remove what nothing uses before you add more.");
  }
  if (!passed) process.exitCode = 1;
}

await new Command("node tools/check/size.ts")
  .description(
    `Compares the bytes of the product (services, libs, without tests) with those of the tooling (tools, tests, bench and .ci,
without *.test.ts). Neither counts package.json, *.md and generated files. Exit 1 above a ratio of ${LIMIT}.`,
  )
  .option("--json", "print the sums and the sizes by folder as JSON")
  .action(checkSize)
  .parseAsync();
