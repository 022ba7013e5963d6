import { readFileSync } from "node:fs";
import { expect, onTestFinished, test, vi } from "vitest";
import { answers } from "../../src/process/ports.ts";
import { removeDockerVolume } from "../../src/servers/docker.ts";
import { startServer } from "../../src/servers/server.ts";
import { programs, scratchFolder } from "../fixtures/scratch.ts";

/**
 * Replaces the docker client: `run` becomes a program on the published port that greets like the image, and each call is
 * logged.
 */
function dockerThatServes(greeting: string, runs = true): () => string[] {
  const server = `require("node:net").createServer((socket) => socket.on("error", () => {}).write("${greeting}")).listen(process.argv[1], "127.0.0.1")`;
  const folder = programs({
    docker: `echo "$*" >> "$0.log"
case "$1" in
run)
  ${runs ? "" : "echo 'no space left on device' >&2; exit 125"}
  for word in "$@"; do case "$word" in 127.0.0.1:*) port="\${word#127.0.0.1:}"; port="\${port%%:*}" ;; esac; done
  echo "$POSTGRES_PASSWORD" >> "$0.password"
  exec '${process.execPath}' -e '${server}' "$port" ;;
esac
exit 0`,
  });
  vi.stubEnv("PATH", `${folder}:${process.env["PATH"]}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  return () => readFileSync(`${folder}/docker.log`, "utf8").trim().split("\n");
}

const image = (name: string) => ({ kind: "docker", image: name, label: name }) as const;

test("a container replaces that of a killed run and keeps its data in a volume", async () => {
  const asked = dockerThatServes("INFO {}\\r\\n");
  const folder = scratchFolder();
  const server = await startServer("nats", image("nats:2"), { folder, durable: true });
  expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
  expect(await answers(server.port, "", "INFO ")).toBe(true);
  await server.stop();
  expect(await answers(server.port, "", "INFO ")).toBe(false);
  await removeDockerVolume("nats", folder);
  const [removed, run = "", cleanedUp, , volume] = asked();
  const name = /--name (gatehouse-nats-[0-9a-f]{12}) /.exec(run)?.[1] ?? "";
  expect(removed).toBe(`rm --force ${name}`);
  expect(run).toContain(`--volume ${name}:/data`);
  expect(cleanedUp).toBe(`rm --force ${name}`);
  expect(volume).toBe(`volume rm --force ${name}`);
});

test("a container that is not durable has no volume, and its URL has the password", async () => {
  const asked = dockerThatServes("-NOAUTH\\r\\n");
  const server = await startServer("redis", image("redis:8"), {
    folder: scratchFolder(),
    durable: false,
    password: "p:w",
  });
  onTestFinished(() => server.stop());
  expect(server.url).toBe(`redis://:p%3Aw@127.0.0.1:${server.port}`);
  expect(asked().find((line) => line.startsWith("run"))).not.toContain("--volume");
});

test("PostgreSQL's password is made once and kept beside the data", async () => {
  const asked = dockerThatServes("");
  const folder = scratchFolder();
  const passwords = [];
  for (let start = 1; start <= 2; start++) {
    const server = await startServer("postgres", image("postgres:18"), { folder, durable: true });
    passwords.push(new URL(server.url).password);
    await server.stop();
  }
  expect(passwords[0]).toHaveLength(32);
  expect(passwords[1]).toBe(passwords[0]);
  expect(asked().filter((line) => line.startsWith("exec"))).not.toEqual([]);
});

test("a container that cannot run fails the start with the engine's error", async () => {
  dockerThatServes("", false);
  const start = startServer("nats", image("nats:2"), { folder: scratchFolder(), durable: true });
  await expect(start).rejects.toThrow("no space left on device");
});
