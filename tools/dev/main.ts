// `pnpm dev`: like `pnpm start`, and restarts a service when its files change.
import { launch } from "../start/launch.ts";

await launch({ command: "dev", watch: true });
