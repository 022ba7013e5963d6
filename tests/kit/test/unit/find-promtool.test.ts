import { programs, scratchFolder } from "../../../../tools/local-stack/test/fixtures/scratch.ts";
import { join } from "node:path";
import { expect, test } from "vitest";
import { findPromtool } from "../../src/prometheus/find-promtool.ts";

const note = () => undefined;

test("promtool in PATH is preferred", async () => {
  const environment = { PATH: programs({ promtool: "exit 0", "apt-get": "exit 1" }) };
  expect(await findPromtool({ environment, cacheFolder: scratchFolder(), note })).toMatchObject({
    command: "promtool",
  });
});

test("promtool of Debian's package is unpacked without one in PATH", async () => {
  const debian = {
    "apt-get": 'case "$*" in *"download prometheus") echo archive > prometheus_2.42_amd64.deb ;; esac',
    dpkg: 'test "$1" != -x || { mkdir -p "$3/usr/bin" && printf "#!/bin/sh\\n" > "$3/usr/bin/promtool" && chmod +x "$3/usr/bin/promtool"; }',
  };
  const cache = scratchFolder();
  const environment = { PATH: `${programs(debian)}:/usr/bin:/bin` };
  expect(await findPromtool({ environment, cacheFolder: cache, note })).toMatchObject({
    command: join(cache, "debian/prometheus/usr/bin/promtool"),
  });
});

test("without either, the reason names both and the ways to help", async () => {
  expect(await findPromtool({ environment: { PATH: "/nowhere" }, cacheFolder: scratchFolder(), note })).toEqual({
    reason:
      "PATH has no promtool, and Debian has none: this system has no apt-get or no dpkg. Install Prometheus with promtool in PATH, or let apt-get reach Debian's packages.",
  });
});
