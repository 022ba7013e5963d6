import { connect } from "node:net";

/** Whether what listens on the loopback port answers `hello` (which may be empty) with text that begins with `greeting`. */
export function answers(port: number, hello: string, greeting: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" });
    const finish = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(2000, () => finish(false));
    socket.on("error", () => finish(false));
    socket.on("close", () => finish(false));
    socket.on("connect", () => socket.write(hello));
    socket.on("data", (bytes) => finish(bytes.toString("latin1").startsWith(greeting)));
  });
}
