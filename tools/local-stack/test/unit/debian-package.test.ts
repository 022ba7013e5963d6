import { mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { lookForDebianPackage } from "../../src/providers/debian.ts";
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

test("the first look downloads and unpacks the package and finds its libraries", async () => {
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
  expect(notes).toEqual([`downloading Debian's nats-server into ${home}`]);
  expect(drafts()).toEqual([]);
});

test("the second look needs neither the network nor Debian's tools", async () => {
  const { look, options } = tools({ "apt-get": GIVES, dpkg: unpacks("echo v2.9") });
  await look();
  const environment = { PATH: "/bin" };
  expect(await lookForDebianPackage("nats", { ...options, environment })).toHaveProperty("source");
});

test("a system without apt-get has no package", async () => {
  const { options } = tools({});
  const environment = { PATH: "/nowhere" };
  expect(await lookForDebianPackage("nats", { ...options, environment })).toEqual({
    reason: "this system has no apt-get or no dpkg",
  });
});

test("outdated package lists are replaced by lists of our own", async () => {
  const old = `case "$*" in *Dir::State=*) ${GIVES} ;; *download*) echo 'E: 404' >&2; exit 100 ;; esac`;
  const { look, notes } = tools({ "apt-get": old, dpkg: unpacks("echo v2.9") });
  expect(await look()).toHaveProperty("source");
  expect(notes).toContain("reading Debian's package lists");
});

test("a failed download gives apt's reason in one line and leaves no draft", async () => {
  const offline = `case "$*" in *download*|*update*) printf '\\nE: Could not resolve deb.debian.org\\nmore\\n' >&2; exit 100 ;; esac`;
  const { look, drafts } = tools({ "apt-get": offline, dpkg: "exit 0" });
  expect(await look()).toEqual({
    reason: "E: Could not resolve deb.debian.org; E: Could not resolve deb.debian.org",
  });
  expect(drafts()).toEqual([]);
});

test("a broken archive gives dpkg's reason", async () => {
  const broken = `case "$1" in -x) echo 'not a Debian format archive' >&2; exit 2 ;; esac`;
  const { look, drafts } = tools({ "apt-get": GIVES, dpkg: broken });
  expect(await look()).toEqual({ reason: "dpkg -x nats-server_2.9_amd64.deb: not a Debian format archive" });
  expect(drafts()).toEqual([]);
});

test("an unpacked server that does not run gives its reason", async () => {
  const { look } = tools({ "apt-get": GIVES, dpkg: unpacks("echo libssl is missing >&2; exit 127") });
  expect(await look()).toEqual({ reason: expect.stringContaining("does not run: libssl is missing") as string });
});

test("a tree that another run has unpacked meanwhile is used", async () => {
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

test("PostgreSQL is not taken from Debian", async () => {
  const { options } = tools({});
  mkdirSync(join(options.cacheFolder, "debian", "postgres"), { recursive: true });
  writeFileSync(join(options.cacheFolder, "debian", "postgres", "postgres"), "");
  expect(await lookForDebianPackage("postgres", options)).toHaveProperty("reason");
});
