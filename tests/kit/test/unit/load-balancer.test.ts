import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { expect, onTestFinished, test } from "vitest";
import { createLoadBalancer } from "../../src/system/load-balancer.ts";

const READY = "HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n";

test("a gateway that dies during its readiness reply gets no request until it is ready", async () => {
  let isDying = true;
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.end(isDying ? READY : `${READY}{}`));
  });
  await once(server.listen(0, "127.0.0.1"), "listening");
  onTestFinished(() => void server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const balancer = await createLoadBalancer([url]);
  expect(() => balancer.next()).toThrow("no gateway is ready");
  isDying = false;
  await balancer.untilReady(1);
  expect(balancer.next()).toBe(url);
  await balancer.close();
});
