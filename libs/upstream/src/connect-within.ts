import { buildConnector, errors } from "undici";

/** Connections that come about within so many milliseconds or not at all; undici's own limit is exact to a second or so. */
export function connectWithin(milliseconds: number): buildConnector.connector {
  const connect = buildConnector({});
  return (options, done) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      done(new errors.ConnectTimeoutError("no connection in time"), null);
    }, milliseconds);
    connect(options, (...outcome) => {
      clearTimeout(timer);
      if (isLate) outcome[1]?.destroy();
      else done(...outcome);
    });
  };
}
