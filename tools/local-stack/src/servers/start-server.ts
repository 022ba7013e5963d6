import { startDockerServer } from "./docker-server.ts";
import { startNatsServer } from "./nats-server.ts";
import { startPostgresServer } from "./postgres-server.ts";
import { startRedisServer } from "./redis-server.ts";
import { NEVER, type Part, type RunningServer, type ServerOptions, type Source } from "./running-server.ts";
import { startTestContainer } from "./testcontainers-server.ts";

const PROGRAMS = { postgres: startPostgresServer, nats: startNatsServer, redis: startRedisServer };

/** Starts a part from its source; a server that somebody else runs is neither started nor stopped. */
export async function startServer(part: Part, source: Source, options: ServerOptions): Promise<RunningServer> {
  switch (source.kind) {
    case "url": {
      const leave = () => Promise.resolve();
      return { url: source.url, port: Number(new URL(source.url).port), ended: NEVER, stop: leave, kill: leave };
    }
    case "program":
      return PROGRAMS[part](source, options);
    case "docker":
      return startDockerServer(part, source.image, options);
    case "testcontainers":
      return startTestContainer(part, source.image, options);
  }
}
