// Sets git's hooks folder and commit template. Does nothing outside a checkout (a tarball, an image).
import { spawnSync } from "node:child_process";

for (const [name, value] of [
  ["core.hooksPath", ".githooks"],
  ["commit.template", ".gitmessage"],
] as const)
  spawnSync("git", ["config", name, value], { stdio: "ignore" });
