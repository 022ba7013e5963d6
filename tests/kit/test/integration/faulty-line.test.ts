import { createFaultyLine, type FaultyLine } from "@gatehouse/test-kit";
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { afterEach, beforeEach, describe, expect, test } from "vitest";

/** Echoes what it receives. */
let server: Server;
let line: FaultyLine;
let callers: Socket[];
beforeEach(async () => {
  callers = [];
  server = createServer((socket) => void socket.on("error", () => undefined).pipe(socket));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  line = await createFaultyLine(`tcp://127.0.0.1:${(server.address() as AddressInfo).port}`);
});
afterEach(async () => {
  for (const caller of callers) caller.destroy();
  await line.close();
  server.close();
});

/** Opens a connection, through the line unless a port is given. */
function call(port = Number(new URL(line.url).port)) {
  const socket = connect(port, "127.0.0.1");
  callers.push(socket);
  let heard = "";
  socket.on("data", (data) => (heard += data.toString()));
  socket.on("error", () => undefined);
  return { say: (text: string) => void socket.write(text), heard: () => heard, ended: () => socket.destroyed };
}

const numbers = (count: number) => Array.from({ length: count }, (_, number) => `${number} `);

describe("faulty line", () => {
  test("passes everything on", async () => {
    const caller = call();
    caller.say("hello");
    await expect.poll(caller.heard).toBe("hello");
  });

  test("delivers everything late and in order when it is slow", async () => {
    const caller = call();
    caller.say("now ");
    await expect.poll(caller.heard).toBe("now ");
    line.slow({ delayMs: 30, bytesPerSecond: 100_000 });
    const begun = performance.now();
    for (const number of numbers(500)) caller.say(number);
    line.slow({});
    caller.say("after");
    await expect.poll(caller.heard).toBe(`now ${numbers(500).join("")}after`);
    // One direction surely had the delay; slow({}) may have ended it for the other.
    expect(performance.now() - begun).toBeGreaterThan(29);
  });

  test("keeps what the server sends from hold to release", async () => {
    const caller = call();
    caller.say("one ");
    await expect.poll(caller.heard).toBe("one ");
    line.hold();
    caller.say("two ");
    const later = call();
    later.say("three");
    const direct = call((server.address() as AddressInfo).port);
    direct.say("four");
    await expect.poll(direct.heard).toBe("four");
    expect([caller.heard(), later.heard()]).toEqual(["one ", ""]);
    line.release();
    await expect.poll(caller.heard).toBe("one two ");
    await expect.poll(later.heard).toBe("three");
  });

  test("passes nothing while silent, and serves only new connections after the restore", async () => {
    const caller = call();
    caller.say("one ");
    await expect.poll(caller.heard).toBe("one ");
    line.silence();
    caller.say("two ");
    expect(caller.ended()).toBe(false);
    await line.restore();
    await expect.poll(caller.ended).toBe(true);
    expect(caller.heard()).toBe("one ");
    const next = call();
    next.say("hello");
    await expect.poll(next.heard).toBe("hello");
  });

  test("serves new connections after it forgot the open ones", async () => {
    const forgotten = call();
    forgotten.say("one ");
    await expect.poll(forgotten.heard).toBe("one ");
    line.forgetConnections();
    forgotten.say("two ");
    const next = call();
    next.say("hello");
    await expect.poll(next.heard).toBe("hello");
    expect([forgotten.heard(), forgotten.ended()]).toEqual(["one ", false]);
  });

  test("resets connections and refuses new ones from hangUp to restore", async () => {
    const caller = call();
    caller.say("one ");
    await expect.poll(caller.heard).toBe("one ");
    await line.hangUp();
    await expect.poll(caller.ended).toBe(true);
    const refused = call();
    await expect.poll(refused.ended).toBe(true);
    await line.restore();
    const next = call();
    next.say("hello");
    await expect.poll(next.heard).toBe("hello");
  });

  test("alters one piece and no other", async () => {
    const caller = call();
    line.alterNext((piece) => (piece.includes("two") ? Buffer.from("2 ") : undefined));
    for (const word of ["one ", "two ", "two "]) {
      const before = caller.heard().length;
      caller.say(word);
      await expect.poll(() => caller.heard().length > before).toBe(true);
    }
    expect(caller.heard()).toBe("one 2 two ");
  });
});
