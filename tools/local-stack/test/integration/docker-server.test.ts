import { readFileSync } from "node:fs";
import { expect, onTestFinished, test, vi } from "vitest";
import { removeDockerVolume } from "../../src/servers/docker-server.ts";
import { answers } from "../../src/servers/answers.ts";
import { startServer } from "../../src/servers/start-server.ts";
import { programs, scratchFolder } from "../fixtures/scratch.ts";

/**
 * Stands in for the command docker: `run` starts a program on the published port that greets as the image would, `stop`
 * and `rm` end it, and everything that was asked is written down.
 */
function dockerThatServes(greeting: string, runs = true): () => string[] {
  const server = `require("node:net").createServer((socket) => socket.on("error", () => {}).write("${greeting}")).listen(process.argv[1], "127.0.0.1")`;
  const folder = programs({
    docker: `echo "$*" >> "$0.log"
case "$1" in
run)
  ${runs ? "" : "echo 'no space left on device' >&2; exit 125"}
  for word in "$@"; do case "$word" in 127.0.0.1:*) port="\${word#127.0.0.1:}"; port="\${port%%:*}" ;; esac; done
  '${process.execPath}' -e '${server}' "$port" > /dev/null 2>&1 &
  echo $! > "$0.pid" ;;
stop|rm) [ -f "$0.pid" ] && kill "$(cat "$0.pid")" 2> /dev/null; rm -f "$0.pid" ;;
esac
exit 0`,
  });
  vi.stubEnv("PATH", `${folder}:${process.env["PATH"]}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  return () => readFileSync(`${folder}/docker.log`, "utf8").trim().split("\n");
}

const image = (name: string) => ({ kind: "docker", image: name, label: name }) as const;

test("what happens when a part is served by a container: one of a killed run is removed, its data are in a volume", async () => {
  const asked = dockerThatServes("INFO {}\\r\\n");
  const folder = scratchFolder();
  const server = await startServer("nats", image("nats:2"), { folder, durable: true });
  expect(server.url).toBe(`nats://127.0.0.1:${server.port}`);
  expect(await answers(server.port, "", "INFO ")).toBe(true);
  await server.stop();
  expect(await answers(server.port, "", "INFO ")).toBe(false);
  await removeDockerVolume("nats", folder);
  const [removed, run = "", stopped, , volume] = asked();
  const name = /--name (gatehouse-nats-[0-9a-f]{12}) /.exec(run)?.[1] ?? "";
  expect(removed).toBe(`rm --force ${name}`);
  expect(run).toContain(`--volume ${name}:/data`);
  expect(stopped).toContain(`stop --time 10 ${name}`);
  expect(volume).toBe(`volume rm --force ${name}`);
});

test("what happens when it need not be kept, and has a password", async () => {
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

test("what happens to PostgreSQL's password: it is made once and kept beside the data", async () => {
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

test("what happens when the container cannot be run: the error is the engine's", async () => {
  dockerThatServes("", false);
  const start = startServer("nats", image("nats:2"), { folder: scratchFolder(), durable: true });
  await expect(start).rejects.toThrow("docker run nats:2 failed: no space left on device");
});
