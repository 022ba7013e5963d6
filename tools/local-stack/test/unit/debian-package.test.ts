import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lookForDebianPackage } from "../../src/providers/debian-package.ts";
import { programs, scratchFolder } from "../fixtures/scratch.ts";

const SYSTEM = "/usr/bin:/bin";

/** Stand-ins for Debian's tools, which bring and unpack an archive that holds `server`. */
const GIVES = 'case "$*" in *download*) echo archive > nats-server_2.9_amd64.deb ;; esac';
const unpacks = (server: string) => `case "$1" in
-x) mkdir -p "$3/usr/sbin" "$3/usr/lib/x86_64-linux-gnu" && printf '#!/bin/sh\\n${server}\\n' > "$3/usr/sbin/nats-server" && chmod +x "$3/usr/sbin/nats-server" ;;
esac`;

function tools(scripts: Readonly<Record<string, string>>) {
  const notes: string[] = [];
  const cacheFolder = scratchFolder();
  const options = { environment: { PATH: `${programs(scripts)}:${SYSTEM}` }, cacheFolder, note: note };
  function note(line: string): void {
    notes.push(line);
  }
  const drafts = () => readdirSync(join(cacheFolder, "debian")).filter((name) => name.startsWith(".new-"));
  return { look: () => lookForDebianPackage("nats", options), options, notes, drafts };
}

test("what happens at the first time: the package is fetched and unpacked, and its libraries are found", async () => {
  const { look, options, notes, drafts } = tools({ "apt-get": GIVES, dpkg: unpacks("echo v2.9") });
  const home = join(options.cacheFolder, "debian", "nats");
  expect(await look()).toEqual({
    source: {
      kind: "program",
      command: join(home, "usr/sbin/nats-server"),
      environment: { LD_LIBRARY_PATH: join(home, "usr/lib/x86_64-linux-gnu") },
      label: `Debian's nats-server in ${home}`,
    },
  });
  expect(notes).toEqual([`getting Debian's nats-server into ${home}`]);
  expect(drafts()).toEqual([]);
});

test("what happens at the second time: neither the network nor Debian's tools are needed", async () => {
  const { look, options } = tools({ "apt-get": GIVES, dpkg: unpacks("echo v2.9") });
  await look();
  const environment = { PATH: "/bin" };
  expect(await lookForDebianPackage("nats", { ...options, environment })).toHaveProperty("source");
});

test("what happens where there is no apt-get", async () => {
  const { options } = tools({});
  const environment = { PATH: "/nowhere" };
  expect(await lookForDebianPackage("nats", { ...options, environment })).toEqual({
    reason: "this is no Debian: there is no apt-get or no dpkg",
  });
});

test("what happens when the package lists are too old: lists of our own are read", async () => {
  const old = `case "$*" in *Dir::State=*) ${GIVES} ;; *download*) echo 'E: 404' >&2; exit 100 ;; esac`;
  const { look, notes } = tools({ "apt-get": old, dpkg: unpacks("echo v2.9") });
  expect(await look()).toHaveProperty("source");
  expect(notes).toContain("reading Debian's package lists");
});

test("what happens without the network: the reason is apt's own, in one line, and nothing half-made stays", async () => {
  const offline = `case "$*" in *download*|*update*) printf '\\nE: Could not resolve deb.debian.org\\nmore\\n' >&2; exit 100 ;; esac`;
  const { look, drafts } = tools({ "apt-get": offline, dpkg: "exit 0" });
  expect(await look()).toEqual({
    reason: "E: Could not resolve deb.debian.org; E: Could not resolve deb.debian.org",
  });
  expect(drafts()).toEqual([]);
});

test("what happens when the archive is broken", async () => {
  const broken = `case "$1" in -x) echo 'not a Debian format archive' >&2; exit 2 ;; esac`;
  const { look, drafts } = tools({ "apt-get": GIVES, dpkg: broken });
  expect(await look()).toEqual({ reason: "dpkg -x nats-server_2.9_amd64.deb: not a Debian format archive" });
  expect(drafts()).toEqual([]);
});

test("what happens when the unpacked server does not run", async () => {
  const { look } = tools({ "apt-get": GIVES, dpkg: unpacks("echo libssl is missing >&2; exit 127") });
  expect(await look()).toEqual({ reason: expect.stringContaining("does not run: libssl is missing") as string });
});

test("what happens when another run has unpacked it meanwhile: its tree is used", async () => {
  const { look, options } = tools({ "apt-get": GIVES, dpkg: unpacks("echo v2.9") });
  const home = join(options.cacheFolder, "debian", "nats", "usr", "sbin");
  const slow = tools({
    "apt-get": GIVES,
    dpkg: `${unpacks("echo v2.9")}\nmkdir -p '${home}'; cp "$3/usr/sbin/nats-server" '${home}/nats-server' 2>/dev/null; true`,
  });
  expect(await lookForDebianPackage("nats", { ...slow.options, cacheFolder: options.cacheFolder })).toHaveProperty(
    "source",
  );
  expect(await look()).toHaveProperty("source");
});

test("what happens for PostgreSQL: Debian is not asked", async () => {
  const { options } = tools({});
  mkdirSync(join(options.cacheFolder, "debian", "postgres"), { recursive: true });
  writeFileSync(join(options.cacheFolder, "debian", "postgres", "postgres"), "");
  expect(await lookForDebianPackage("postgres", options)).toHaveProperty("reason");
});
