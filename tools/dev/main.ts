// `pnpm dev`: as `pnpm start`, and a service whose files change is started anew.
import { launch } from "../start/launch.ts";

await launch({ command: "dev", watch: true });
