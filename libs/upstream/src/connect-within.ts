import { buildConnector, errors } from "undici";

/** Returns a connector that fails after `timeoutMs`; undici's own connect timeout is only exact to about a second. */
export function connectWithin(timeoutMs: number): buildConnector.connector {
  const connect = buildConnector({ allowH2: false });
  return (options, done) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      done(new errors.ConnectTimeoutError("no connection in time"), null);
    }, timeoutMs);
    connect(options, (...outcome) => {
      clearTimeout(timer);
      if (isLate) outcome[1]?.destroy();
      else done(...outcome);
    });
  };
}
