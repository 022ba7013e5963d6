// Points git at the hooks of this repository; outside a checkout (a tarball, an image) there is nothing to do.
import { spawnSync } from "node:child_process";

spawnSync("git", ["config", "core.hooksPath", ".githooks"], { stdio: "ignore" });
