// `pnpm start`: the whole system on one machine. See --help.
import { launch } from "./launch.ts";

await launch({ command: "start", watch: false });
