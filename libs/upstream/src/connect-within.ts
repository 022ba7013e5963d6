import { buildConnector, errors } from "undici";

/** Returns a connector that fails after `timeoutMs`; undici's own connect timeout is only exact to about a second. */
export function connectWithin(timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ allowH2: false });
  return (options, done) => {
    let isLate = false;
    let failing: NodeJS.Immediate | undefined;
    const fail = () => {
      isLate = true;
      done(new errors.ConnectTimeoutError("no connection in time"), null);
    };
    // After a turn for events of sockets: while a process loads its code, the timer is due before the connection is noticed.
    const timer = setTimeout(() => (failing = setImmediate(fail)), timeoutMs);
    connect(options, (...outcome) => {
      clearTimeout(timer);
      clearImmediate(failing);
      if (isLate) outcome[1]?.destroy();
      else done(...outcome);
    });
  };
}
